"""What the keepers of this host say, for whoever is none: one resource each, below /run/xha/galera."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...adapters.files import agent_rundir
from ...adapters.files.agent_rundir import KEEPER_FILE, TALLY_FILE, WRITER_FILE, RunDir
from ...adapters.files.whole_file import read_text
from ...core.monitor.keeper_status import parse_keeper_status
from ...core.monitor.keeper_tally import MAX_BYTES, KeeperSeen, parse_keeper_tally

if TYPE_CHECKING:
    from ...core.monitor.keeper_status import KeeperStatus


def read_keeper_statuses(base: str = "") -> list[tuple[str, KeeperStatus]]:
    """Return what the keepers of this host published last, each with the name of its resource."""
    try:
        names = sorted(os.listdir(base or agent_rundir.BASE))
    except OSError:
        return []
    said = ((name, RunDir(name, base).read_keeper_status()) for name in names)
    return [(name, keeper_status) for name, keeper_status in said if keeper_status is not None]


def see_keepers(base: str = "") -> list[KeeperSeen]:
    """Return what the keepers of this host say of themselves; a file of another account than root says nothing."""
    base, owners, seen = base or agent_rundir.BASE, (0, os.geteuid()), []
    for name in _find_resources(base, KEEPER_FILE):
        said = []
        for file in (KEEPER_FILE, TALLY_FILE):
            try:
                said.append(read_text(os.path.join(base, name, file), MAX_BYTES, owners))
            except OSError:
                said.append("")
        seen.append(KeeperSeen(name, parse_keeper_status(said[0]), parse_keeper_tally(said[1])))
    return seen


def find_kept_resources(base: str = "") -> tuple[str, ...]:
    """Return the resources that have had a keeper on this host since it booted.

    :raises OSError: where that cannot be looked at.
    """
    return _find_resources(base or agent_rundir.BASE, KEEPER_FILE)


def find_writer_resources(base: str = "") -> tuple[str, ...]:
    """Return the resources of this host whose keepers have written down who the writer is."""
    return _find_resources(base or agent_rundir.BASE, WRITER_FILE)


def _find_resources(base: str, file: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(base))
    except FileNotFoundError:
        return ()
    return tuple(name for name in names if os.path.lexists(os.path.join(base, name, file)))
