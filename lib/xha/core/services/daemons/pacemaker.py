"""Pacemaker and corosync: parses `crm_mon --output-as=xml` (api 2.x) and judges the cluster.

The text forms of crm_mon are for people, and its exit code is 0 without a DC, without quorum and with failed actions
(measured). It reads the CIB, and so it does not notice a frozen controller (2.1), or does not end (3.0, measured);
crmadmin and corosync-quorumtool tell. They are asked first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...text.values import parse_switch, parse_text, parse_words
from ..model.kind import Proof, Service
from ..model.result import Level, Result, cautioned, dependency, failed, passed, unknown
from ..model.values import parse_count, parse_limit
from .pacemaker_resources import Resource, is_true, read_resources

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ..model.reach import Place


class PacemakerSettings(NamedTuple):
    """The section of a cluster node. expect_nodes: how many must be online. resources: ids that must be active."""

    name: str
    process: str
    deadline: float
    expect_nodes: int | None = None
    resources: tuple[str, ...] = ()
    max_failures: int = 0
    allow_maintenance: bool = False
    warn_settings: bool = True
    neighbours: tuple[Place, ...] = ()


class ClusterState(NamedTuple):
    """The state in crm_mon's output. dc is None if there is no DC.

    failures: pairs of operation and node, such as `vip_monitor_2000` on node-1. stonith and maintenance are None if
    they were not told.
    """

    dc: str | None
    quorate: bool
    nodes: dict[str, bool]
    resting: tuple[str, ...]
    unclean: tuple[str, ...]
    resources: tuple[Resource, ...]
    failures: tuple[tuple[str, str], ...]
    stonith: bool | None
    no_quorum_policy: str
    maintenance: bool | None


class NotConnected(ValueError):
    """crm_mon says that the cluster does not answer it."""


def parse_crm_mon(text: str) -> ClusterState:
    """Return the state of the cluster.

    :raises NotConnected: if crm_mon says that there is none.
    :raises ValueError: for other text, and for a document that lacks what is judged.
    """
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - see the import
    except ElementTree.ParseError:
        raise ValueError("crm_mon said no XML") from None
    summary = root.find("summary")
    if summary is None:
        status = root.find("status")
        message = "" if status is None else status.get("message", "")
        if message:
            raise NotConnected(f"crm_mon: {message.lower()}")
        raise ValueError("crm_mon: no summary")
    dc = summary.find("current_dc")
    if dc is None or "present" not in dc.attrib or (is_true(dc, "present") and "with_quorum" not in dc.attrib):
        raise ValueError("crm_mon: it does not say whether there is a DC, and quorum")
    present = is_true(dc, "present")
    options = summary.find("cluster_options")
    if root.find("nodes") is None or root.find("resources") is None:
        raise ValueError("crm_mon: it lists no nodes, or no resources")
    nodes = [node for node in root.iterfind("nodes/node") if node.get("type", "member") == "member"]
    online = {node.get("name", ""): is_true(node, "online") for node in nodes}
    resting = tuple(
        node.get("name", "")
        for node in nodes
        if any(is_true(node, one) for one in ("standby", "maintenance", "pending"))
    )
    able = sum(is_true(node, "online") and node.get("name", "") not in resting for node in nodes)
    return ClusterState(
        dc=dc.get("name") if present else None,
        quorate=is_true(dc, "with_quorum"),
        nodes=online,
        resting=resting,
        unclean=tuple(node.get("name", "") for node in nodes if is_true(node, "unclean")),
        resources=tuple(read_resources(root.find("resources"), able)),
        failures=tuple(
            (one.get("op_key") or one.get("id") or "", one.get("node", ""))
            for one in root.iterfind("failures/failure")
            if one.get("exitcode") not in _DEGRADED
        ),
        stonith=_switch(options, "stonith-enabled"),
        no_quorum_policy="" if options is None else options.get("no-quorum-policy", ""),
        maintenance=_switch(options, "maintenance-mode"),
    )


# A monitor's 190 and 191 are successes (`PCMK_OCF_DEGRADED`, crm/common/results.h), and crm_mon lists them as failures:
# a node of ocf:xha:galera that waits for another one has 190.
_DEGRADED = ("190", "191")


def _switch(element: Element | None, name: str) -> bool | None:
    return is_true(element, name) if element is not None and name in element.attrib else None


def judge_cluster(settings: PacemakerSettings, state: ClusterState, proved: str) -> Result:
    """Return the state of the cluster as this node sees it, the worst fault first."""
    name, level = settings.name, Level.DEEP
    if state.dc is None:
        return failed(name, level, "the cluster has no DC: nothing is started, moved or repaired", proved=proved)
    if not state.quorate:
        return failed(name, level, "no quorum", proved=proved)
    proved = f"quorum, and {state.dc} is the DC and answers"
    absent = sorted(one for one, online in state.nodes.items() if not online)
    online = len(state.nodes) - len(absent)
    if settings.expect_nodes is not None and online < settings.expect_nodes:
        who = f": {', '.join(absent)}" if absent else ""
        blame = dependency(absent[0] if absent else "nodes")
        message = f"{online} of {settings.expect_nodes} nodes are online, absent{who}"
        return failed(name, level, message, blame=blame, proved=proved)
    fault = _resource_fault(settings, state)
    if fault:
        return failed(name, level, fault[1], blame=dependency(fault[0]), proved=proved)
    warning = _setting_warning(settings, state)
    if absent and settings.expect_nodes is None:
        return cautioned(name, level, f"offline: {', '.join(absent)}", blame=dependency(absent[0]), proved=proved)
    if state.unclean:
        blame = dependency(state.unclean[0])
        return cautioned(name, level, f"unclean: {', '.join(state.unclean)}", blame=blame, proved=proved)
    if warning:
        return cautioned(name, level, warning, proved=proved)
    if settings.warn_settings and (state.stonith is None or state.maintenance is None):
        option = "stonith-enabled" if state.stonith is None else "maintenance-mode"
        return unknown(name, level, f"needs a crm_mon that tells {option}: this one does not", proved=proved)
    running = sum(one.active for one in state.resources)
    return passed(name, level, f"{proved}; {online} nodes online, {running} resources run")


def _resource_fault(settings: PacemakerSettings, state: ClusterState) -> tuple[str, str] | None:
    """Return a resource and what is wrong with it, or None."""
    known = {one.name: one for one in state.resources}
    for name in settings.resources:
        if name not in known:
            return name, f"there is no resource {name}"
        if not known[name].active:
            return name, f"{name} runs nowhere"
    for one in state.resources:
        if one.blocked:
            return one.name, f"{one.name} is blocked: pacemaker may not touch it any more"
        if one.missing and one.managed:
            where = "runs nowhere" if not one.active else f"lacks {one.missing} of its instances"
            return one.name, f"{one.name} should run and {where}"
        if one.headless and one.managed:
            return one.name, f"{one.name} runs, and no instance is promoted"
    if len(state.failures) > settings.max_failures:
        operation, node = state.failures[0]
        more = f" and {len(state.failures) - 1} more" if len(state.failures) > 1 else ""
        return operation.rsplit("_", 2)[0], f"failed: {operation} on {node}{more}; pcs resource cleanup forgets it"
    return None


def _setting_warning(settings: PacemakerSettings, state: ClusterState) -> str:
    found = []
    if state.maintenance and not settings.allow_maintenance:
        found.append("maintenance-mode is on: no monitor runs, nobody would notice a lost VIP")
    if settings.warn_settings:
        if state.stonith is False:
            found.append("stonith-enabled is false: a node that hangs is never fenced, and may write on")
        if state.no_quorum_policy == "ignore":
            found.append("no-quorum-policy is ignore: both halves of a split cluster would run everything")
    return "; ".join(found)


# A controller answers a call up to 1.05 s late while it processes a change of the CIB (measured, 2.1.5).
SHORTEST_DEADLINE = 5.0


def _find_fault(settings: PacemakerSettings) -> tuple[str, str] | None:
    if settings.deadline < SHORTEST_DEADLINE:
        return "deadline", f"a controller that works on a change answers late: {SHORTEST_DEADLINE:g}s or more"
    return None


ROWS = (
    Service(
        "pacemaker",
        "Pacemaker and corosync",
        "pacemaker",
        r"^(?:\S*/)?pacemakerd(?: |$)",
        PacemakerSettings,
        {
            "expect_nodes": parse_count,
            "resources": lambda text: tuple(parse_words(parse_text(text))),
            "max_failures": parse_limit,
            "allow_maintenance": parse_switch,
            "warn_settings": parse_switch,
        },
        {
            Level.PROCESS: Proof("pacemakerd and corosync run and are not stopped", "whether they do anything"),
            Level.PROTOCOL: Proof(
                "corosync says in time that there is quorum, and this node's controller answers",
                "a DC that is frozen, resources that do not run",
                "root, or the group haclient",
            ),
            Level.DEEP: Proof(
                "there is quorum and a DC, and it answers; what should run runs, no operation has failed; stonith and "
                "the quorum policy are set as a cluster with data needs them",
                "whether a resource does what it is for",
                "root, or the group haclient; optional: expect_nodes, resources",
            ),
        },
        Level.DEEP,
        defaults={"deadline": 10.0},
        find_fault=_find_fault,
    ),
)
