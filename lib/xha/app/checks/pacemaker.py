"""The check of Pacemaker and corosync: their processes; quorum and the controller, timed; the state of the cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...adapters.pacemaker.tools import MissingTool, ask_tool, may_ask_the_cluster
from ...adapters.process.alarm import begin_step, current_step
from ...adapters.process.command import Overlong, Unanswered
from ...adapters.process.daemons import check_process, is_there
from ...core.services.daemons.pacemaker import NotConnected, judge_cluster, parse_crm_mon
from ...core.services.model.reach import Unmet
from ...core.services.model.result import Level, dependency, failed, passed, unknown
from ...core.text.escape import clean

if TYPE_CHECKING:
    from ...adapters.process.command import Output
    from ...core.services.daemons.pacemaker import PacemakerSettings
    from ...core.services.model.result import Result

_COROSYNC = r"^(?:\S*/)?corosync(?: |$)"


def check(settings: PacemakerSettings, level: Level) -> Result:
    """Check this node's part of the cluster at one level, and return the result."""
    name = settings.name
    if level is Level.PROCESS:
        return _check_processes(settings)
    if not may_ask_the_cluster():
        return unknown(name, level, "needs root, or the group haclient")
    try:
        fault = _quorum_fault(settings)
        if fault:
            return failed(name, level, fault)
        node = _read_own_name(settings)
        fault = _controller_fault(settings, node)
        if fault:
            return failed(name, level, fault)
        proved = "quorum, and this node's controller answers"
        return passed(name, level, proved) if level is Level.PROTOCOL else _check_state(settings, node, proved)
    except Unmet as unmet:
        return unknown(name, level, f"needs {unmet}", proved=current_step().proved)
    except MissingTool as error:
        return unknown(name, level, f"needs {error}")
    except Overlong as error:
        return unknown(name, level, str(error), proved=current_step().proved)


def _check_processes(settings: PacemakerSettings) -> Result:
    ours = check_process(settings, Level.PROCESS)
    theirs = check_process(settings._replace(process=_COROSYNC), Level.PROCESS)
    if ours.is_down or not theirs.is_down:
        return ours
    return theirs._replace(message=f"corosync: {theirs.message}", proved=ours.proved)


def _seconds(settings: PacemakerSettings) -> float:
    """Return the time for one command: a frozen daemon makes one hang, and the check must still say which."""
    return settings.deadline * 0.3


def _ask(settings: PacemakerSettings, tool: str, *arguments: str) -> Output | None:
    """Return the result of a tool; None if it did not end in time."""
    begin_step(f"the end of {tool}")
    try:
        return ask_tool(tool, *arguments, seconds=_seconds(settings))
    except Unanswered:
        return None


def _quorum_fault(settings: PacemakerSettings) -> str:
    said = _ask(settings, "corosync-quorumtool", "-s")
    if said is None:
        return f"corosync does not answer within {_seconds(settings):g} s"
    if said.code == 2 or "Activity blocked" in said.out:
        return "no quorum"
    if said.code and is_there(_COROSYNC):
        # corosync answers root, and the accounts and groups in its uidgid.d (corosync.conf(5))
        raise Unmet(f"root, or an account in /etc/corosync/uidgid.d: {_sentence(said)}, though corosync runs")
    if said.code:
        return "corosync does not run"
    return ""


def _sentence(said: Output) -> str:
    """Return the first line of what a tool complains about."""
    lines = [line.strip() for line in (said.err + said.out).splitlines() if line.strip()]
    return clean(f"corosync-quorumtool: {lines[0]}" if lines else f"corosync-quorumtool exits with {said.code}", 120)


def _read_own_name(settings: PacemakerSettings) -> str:
    """Return this node's name in the cluster, which need not be the host's (crm_node(8), -n)."""
    said = _ask(settings, "crm_node", "-n")
    name = said.out.strip() if said and not said.code else ""
    # A controller that is stopped leaves crm_node without an answer; the host's name then serves to ask it.
    return name or os.uname().nodename


def _controller_fault(settings: PacemakerSettings, node: str) -> str:
    said = _ask(settings, "crmadmin", "-S", node)
    if said is None:
        return f"the controller of {node} does not answer within {_seconds(settings):g} s"
    return "pacemaker does not answer" if said.code else ""


def _check_state(settings: PacemakerSettings, node: str, proved: str) -> Result:
    name, level = settings.name, Level.DEEP
    said = _ask(settings, "crm_mon", "-1", "-r", "-f", "--output-as=xml")
    if said is None:
        message = f"crm_mon does not end within {_seconds(settings):g} s"
        return failed(name, level, message, proved=proved)
    try:
        state = parse_crm_mon(said.out)
    except NotConnected as error:
        return failed(name, level, str(error), proved=proved)
    except ValueError as error:
        return unknown(name, level, f"needs a crm_mon that it understands: {error}", proved=proved)
    if state.dc and state.dc != node:
        fault = _controller_fault(settings, state.dc)
        if fault:
            return failed(name, level, f"{fault}, and it is the DC", blame=dependency(state.dc), proved=proved)
    return judge_cluster(settings, state, proved)
