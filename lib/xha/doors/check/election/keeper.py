"""xha-check keeper: the keeper of this host's node, and another one in its place."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from ....adapters.files.agent_rundir import RunDir
from ....adapters.process.age import age_of
from ....app.keeper.process import await_other_keeper, end_this_keeper, find_keeper
from ....app.node.keepers import find_kept_resources
from ....core.monitor.symptoms import KEEPER_SILENCE
from ....core.node.verdict import NagiosCode
from ....core.text.ages import render_age
from ....core.text.escape import clean
from .explain import add_resource_option

if TYPE_CHECKING:
    import argparse

    from ....adapters.process.procfs import Process

DESCRIPTION = """\
Tells which process is the keeper of this host's node, and what it does. With
--replace it ends that process, and no other that has its pid by now, and waits
for the one that the next monitor starts. The database runs on meanwhile.
"""
EXIT_CODES = {
    0: "a keeper is at work; with --replace: another one than before",
    1: "the keeper has ended, and no other has come in time",
    2: "no keeper runs, it says nothing, or it could not be ended",
    3: "the resource was not started on this host since it booted, or (--replace) not root",
}
EXAMPLES = {
    "xha-check keeper": "which process it is, and what it does",
    "xha-check keeper --replace": "after an upgrade, or where monitor says that the keeper is stuck",
}
# The next monitor starts another keeper: the largest interval that is common, and a slow start.
_PATIENCE = 90.0


class KeeperRequest(NamedTuple):
    """resource None: the only one that was started on this host."""

    replace: bool = False
    resource: str | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what to do, and to the keeper of which resource."""
    parser.add_argument("--replace", action="store_true", help="end it, and wait for the next one")
    add_resource_option(parser)


def read(said: argparse.Namespace) -> KeeperRequest:
    """Return the request."""
    return KeeperRequest(said.replace, said.resource)


def run(request: KeeperRequest) -> int:
    """Tell of the keeper, or replace it. Returns 0, 1 (none has come), 2 (none, mute, or not ended) or 3."""
    if request.replace and os.geteuid():
        return _say("only root can end a keeper: run it as root", NagiosCode.UNKNOWN)
    try:
        names = find_kept_resources()
        if request.resource is None and len(names) > 1:
            return _say(f"--resource has to name one of {', '.join(names)}", NagiosCode.UNKNOWN)
        name = request.resource or next(iter(names), "")
        if name not in names:
            which = f"{name} was not" if name else "no resource of ocf:xha:galera was"
            return _say(f"{which} started on this host since it booted: see pcs status", NagiosCode.UNKNOWN)
        directory = RunDir(name)
        return _replace(name, directory) if request.replace else _tell(name, directory)
    except OSError as error:
        return _say(f"the keeper cannot be looked at: {error}", NagiosCode.UNKNOWN)


def _tell(name: str, directory: RunDir) -> int:
    keeper, said = find_keeper(directory), directory.read_keeper_status()
    if keeper is None or said is None:
        return _say(f"{name}: no keeper runs; the next monitor of a started node starts one", NagiosCode.CRITICAL)
    silent = time.monotonic() - said.at
    told = f"{_describe(name, keeper)}: {said.phase.value}{f', {said.reason}' if said.reason else ''}"
    print(clean(f"{told}; it spoke {render_age(silent)} ago", 500))
    if silent > KEEPER_SILENCE:
        return _say("the keeper is stuck: xha-check keeper --replace", NagiosCode.CRITICAL)
    return NagiosCode.OK


def _replace(name: str, directory: RunDir) -> int:
    before = find_keeper(directory)
    if before is None:
        print(f"{clean(name, 100)}: no keeper runs; waiting for the next monitor, which starts one", flush=True)
    elif not end_this_keeper(before):
        return _say(f"{_describe(name, before)} could not be ended, state {before.state}", NagiosCode.CRITICAL)
    else:
        print(f"{clean(_describe(name, before), 200)}, has ended; waiting for the next monitor", flush=True)
    after = await_other_keeper(directory, before, _PATIENCE)
    if after is None:
        return _say(
            f"{name}: no other keeper within {_PATIENCE:.0f} s: is the resource started here, and does Pacemaker "
            "monitor it (maintenance mode)? pcs status",
            NagiosCode.WARNING,
        )
    print(f"{clean(_describe(name, after), 200)} is at work")
    return NagiosCode.OK


def _describe(name: str, keeper: Process) -> str:
    return f"{name}: keeper, pid {keeper.pid}, started {render_age(age_of(keeper.started))} ago"


def _say(text: str, code: NagiosCode) -> int:
    print(f"xha-check: {clean(text, 500)}", file=sys.stderr)
    return code
