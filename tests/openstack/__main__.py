"""`make test-openstack`: `python -m openstack [FAULT...]`. `--page` writes the last run's document, complete or not."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from loopback import Died, MissingProgram, NotInTime, claim
from openstack.cloud import Cloud
from openstack.faults import FAULTS
from openstack.packages import NoPackages, unpacked
from openstack.trial import Record, load, try_faults


def main(words: list[str]) -> int:
    if words == ["--page"]:
        return conclude(load(), in_full=False)
    faults = [one for one in FAULTS if not words or one.name in words]
    if not faults or len(faults) < len(set(words)):
        print("openstack: the faults are", *(one.name for one in FAULTS), file=sys.stderr)
        return 2
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
