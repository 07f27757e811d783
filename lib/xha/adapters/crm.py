"""Pacemaker's and corosync's own commands, each with a time of its own: a frozen daemon hangs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from .deadline import begin_step

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Said(NamedTuple):
    """What a command came to. code is None where it did not end in time."""

    code: int | None
    out: str
    err: str


class MissingCommand(Exception):
    """The command is not installed; the text is its name."""


def run_command(name: str, *arguments: str, seconds: float) -> Said:
    """Run a command of the cluster's. :raises MissingCommand: where there is none."""
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise MissingCommand(name)
    begin_step(f"the end of {name}")
    with subprocess.Popen(  # noqa: S603 - a command of the cluster's, named by us
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": _PATH, "LC_ALL": "C"},
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return Said(None, "", "")
        except BaseException:
            process.kill()
            raise
    return Said(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def may_ask_the_cluster() -> bool:
    """Return whether Pacemaker talks to this process at all: to root, and to the group haclient."""
    if os.geteuid() == 0:
        return True
    import grp

    try:
        return grp.getgrnam("haclient").gr_gid in {os.getegid(), *os.getgroups()}
    except KeyError:
        return False
