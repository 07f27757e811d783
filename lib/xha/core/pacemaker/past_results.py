"""Past results that were no failures, and the change of the configuration that makes Pacemaker forget them.

The controller keeps the last result that Pacemaker did not expect, and writes it into the history again after each
election. It forgets one where the scheduler finds that the action's parameters have changed since. So the action that
had the result, a recurring monitor, gets a parameter of xha's own. Measured (2.1.5 and 3.0.0): the monitors are
scheduled anew, nothing else happens, and the result does not come back. A rule gives the parameter to that node alone:
those of the others are not scheduled anew, and their counts of failures stay (measured, 2.1.5).

A probe has no such action. One that finds the server is unexpected, too, and as long as its result is there, a changed
parameter of the resource is a restart in place of a reload. So the next monitor is asked to say that the node is
degraded, which takes the probe's place.

Where Pacemaker forgets a result it forgets how often the same action has failed before (measured, 2.1.5). That count
decides when migration-threshold is reached, so nothing is forgotten on a node that has one.

A monitor that begins is written into the history as pending. If its first result is degraded, the result is kept as an
unexpected one beside that entry, and only the next other result takes the entry's place. If the resource is stopped
before, none comes: crm_mon shows "Stopped (Monitoring)", and `crm_resource --wait` of 3.0 waits for it in vain
(measured, 3.0.0). A refresh of a stopped resource has its history written anew, by a probe that finds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from ..ocf.api import FORGET, PROBE
from ..text.xml_attribute import quote_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element


class PastResult(NamedTuple):
    """The last unexpected result of a resource on a node. stamp tells it from every other one."""

    stamp: str
    is_probe: bool


class MonitorOperation(NamedTuple):
    """A recurring monitor in the configuration, and what was written there for each node."""

    id: str
    written: Mapping[str, str]


def find_past_result(resource: str, node: str) -> str:
    """Return the XPath of the entry that `parse_past_result` reads: degraded, or a probe that found the server."""
    entry = f"lrm_rsc_op[@id='{resource}_last_failure_0' and (@rc-code='190' or @rc-code='0')]"
    return f"//node_state[@uname='{node}']//lrm_resource[@id='{resource}']/{entry}"


def find_failure_counts(resource: str, node: str) -> str:
    """Return the XPath of the counts of a resource's failures on a node."""
    return f"//node_state[@uname='{node}']/transient_attributes//nvpair[starts-with(@name,'fail-count-{resource}#')]"


def find_group(resource: str) -> str:
    """Return the XPath of the group that a resource is in: what is done to its history is done to all of the group."""
    return f"//group[primitive[@id='{resource}']]"


def find_pending_monitor(resource: str, node: str, *, where: str = "") -> str:
    """Return the XPath of a recurring monitor that is pending in a node's history. where: a condition."""
    pending = "lrm_rsc_op[@operation='monitor' and @op-status='-1' and @interval!='0']"
    return f"//node_state[@uname='{node}']//lrm_resource[@id='{resource}']{where}/{pending}"


def find_unended_monitor(resource: str, node: str) -> str:
    """Return the XPath of such a monitor of a resource that the node has stopped: nobody will end it."""
    stopped = f"lrm_rsc_op[@id='{resource}_last_0' and @operation='stop' and @rc-code='0' and @op-status='0']"
    return find_pending_monitor(resource, node, where=f"[{stopped}]")


def find_monitors(resource: str) -> str:
    """Return the XPath of a resource's monitors, its template's among them."""
    own = f"ancestor::primitive[@id='{resource}']"
    return f"//op[@name='monitor'][{own} or ancestor::template[@id=//primitive[@id='{resource}']/@template]]"


def parse_past_result(text: str) -> PastResult:
    """Return the entry of a node's history. :raises ValueError: if the text is no XML with one."""
    entry = next(_parse(text).iter("lrm_rsc_op"), None)
    if entry is None:
        raise ValueError("not Pacemaker's answer: no entry of a history")
    is_probe = entry.get("interval", "0") == "0"
    said = "-".join(entry.get(word, "") for word in ("call-id", "last-rc-change"))
    return PastResult(f"{PROBE}{said}" if is_probe else said, is_probe)


def parse_monitors(text: str) -> tuple[MonitorOperation, ...]:
    """Return the recurring ones of some operations. :raises ValueError: if the text is no XML."""
    return tuple(
        MonitorOperation(
            operation.get("id", ""),
            {pair.get("name", ""): pair.get("value", "") for pair in operation.iter("nvpair")},
        )
        for operation in _parse(text).iter("op")
        if any(digit in operation.get("interval", "") for digit in "123456789")
    )


def choose_changes(past: PastResult, node: str, monitors: Sequence[MonitorOperation]) -> tuple[str, ...]:
    """Return the XML of each operation that is to be changed; none if it was changed for that result already."""
    name = f"{FORGET}{node}"
    if any(one.written.get(name) == past.stamp for one in monitors):
        return ()
    return tuple(_render_change(one.id, name, past.stamp, node) for one in monitors)


def _render_change(operation: str, name: str, stamp: str, node: str) -> str:
    own = f"xha-{operation}-{node}"
    where = f'attribute="#uname" operation="eq" value={quote_attribute(node)}'
    expression = f"<expression id={quote_attribute(f'{own}-here')} {where}/>"
    rule = f'<rule id={quote_attribute(f"{own}-rule")} score="INFINITY">{expression}</rule>'
    named = f"id={quote_attribute(f'{own}-{name}')} name={quote_attribute(name)}"
    pair = f"<nvpair {named} value={quote_attribute(stamp)}/>"
    attributes = f"<instance_attributes id={quote_attribute(own)}>{rule}{pair}</instance_attributes>"
    return f"<op id={quote_attribute(operation)}>{attributes}</op>"


def _parse(text: str) -> Element:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - from Pacemaker
    except (ElementTree.ParseError, UnicodeError) as error:
        raise ValueError(f"not Pacemaker's answer: {error}") from None
