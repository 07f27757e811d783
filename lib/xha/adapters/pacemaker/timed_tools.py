"""Pacemaker's and corosync's own commands, each with a time of its own: a frozen daemon hangs them."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

from ..process.alarm import begin_step
from ..process.command import DIRECTORIES, Unanswered, run_command

# Of a cluster with a thousand resources crm_mon prints 1 MiB.
_BUDGET = 1 << 22


class Said(NamedTuple):
    """What a command came to. code is None where it did not end in time."""

    code: int | None
    out: str
    err: str


class MissingCommand(Exception):
    """The command is not installed; the text is its name."""


def ask_cluster(name: str, *arguments: str, seconds: float) -> Said:
    """Run a command of the cluster's.

    :raises MissingCommand: where there is none. :raises Overlong: where it prints without an end.
    """
    path = shutil.which(name, path=DIRECTORIES)
    if path is None:
        raise MissingCommand(name)
    begin_step(f"the end of {name}")
    environment = {"PATH": DIRECTORIES, "LC_ALL": "C"}
    try:
        return Said(*run_command([path, *arguments], seconds, _BUDGET, environment=environment))
    except Unanswered:
        return Said(None, "", "")


def may_ask_the_cluster() -> bool:
    """Return whether Pacemaker talks to this process at all: to root, and to the group haclient."""
    if os.geteuid() == 0:
        return True
    import grp

    try:
        return grp.getgrnam("haclient").gr_gid in {os.getegid(), *os.getgroups()}
    except KeyError:
        return False
