"""`make test-openstack`: `python -m openstack [FAULT...]`. `--page` writes the last run's document, complete or not.

A run sees no processes but its own: the patterns of the services without a package here (looking.GONE) would find those
of another run, of a test, or of an OpenStack that the machine has.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from loopback import Died, MissingProgram, NotInTime, claim, find_program
from openstack.cloud import Cloud
from openstack.faults import FAULTS
from openstack.packages import NoPackages, unpacked
from openstack.trial import Record, load, try_faults

ALONE = "--alone"


def main(words: list[str]) -> int:
    if words == ["--page"]:
        return conclude(load(), in_full=False)
    names = [word for word in words if word != ALONE]
    faults = [one for one in FAULTS if not names or one.name in names]
    if not faults or len(faults) < len(set(names)):
        print("openstack: the faults are", *(one.name for one in FAULTS), file=sys.stderr)
        return 2
    if ALONE not in words:
        begin_alone(names)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    os.nice(2)
    try:
        with claim() as net, Cloud(net, unpacked()) as cloud:
            record = try_faults(cloud, faults)
    except (MissingProgram, NoPackages, NotInTime, Died) as error:
        print(f"openstack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("openstack: interrupted; every process and file of it is gone", file=sys.stderr)
        return 130
    return conclude(record)


def begin_alone(names: Sequence[str]) -> NoReturn:
    """Begin anew as the only program of a PID namespace, with a /proc of its own. The shell in it reaps orphans.

    A signal to the process group, as of Ctrl-C and timeout(1), reaches the program; the first process of a namespace
    and unshare(1) ignore it, and pass the exit code on.
    """
    own = [find_program("unshare", "util-linux"), "--pid", "--fork", "--kill-child", "--mount-proc"]
    os.execv(own[0], [*own, "/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "openstack", ALONE, *names])


def conclude(record: Record, *, in_full: bool = True) -> int:
    """Report the results that are not as they must be, and write the page; in_full only if nothing was left out."""
    from openstack.expected import find_surprises
    from openstack.page import PAGE, render_page

    surprises = find_surprises(record)
    for line in surprises:
        print(f"openstack: {line}")
    tried = {one.fault for one in record.trials}
    left_out = [one for one in FAULTS if one.name not in tried]
    if left_out and in_full:
        print(f"openstack: {PAGE.name} stays as it is: not tried were {', '.join(one.name for one in left_out)}")
    else:
        PAGE.write_text(render_page(record, surprises, [one.title for one in left_out]))
        print(f"openstack: wrote {PAGE}")
    return 1 if surprises else 0


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
