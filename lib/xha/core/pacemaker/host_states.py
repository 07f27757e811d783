"""Pacemaker's nodes, and what its configuration proves about the host of each.

What a node_state proves was recorded on real hosts (Pacemaker 2.1.5; tests/core/pacemaker/cibs):

| node_state of a host that is not in the cluster | it says |
|---|---|
| expected=down, with the history of its resources (lrm) | it left cleanly |
| expected=down, without it | it was fenced, or a person confirmed that it is down (stonith_admin --confirm) |
| expected=member; or none at all, after all hosts were down | nothing |
| of a remote node: in_ccm=false and node_fenced=TIME | it was fenced (0 once it is connected again) |

Only a confirmed fencing sets expected=down and erases the history (send_stonith_update in controld_fencing.c). xha does
not use the fencer's own history: it still shows yesterday's success while today's fencing fails, and it does not show a
manual confirmation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.facts import Host

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_hosts(root: Element) -> dict[str, Host]:
    """Return what is proven about every node, in the order of the configuration, then the remote nodes.

    A remote node is a resource. The list of nodes has it only once it has a permanent attribute. It is connected
    through a member. So its node_state can be trusted only while no member is lost: the remote node could be connected
    to that member.
    """
    listed = {node.get("uname", ""): node.get("type") for node in root.iterfind("configuration/nodes/node")}
    states = {state.get("uname", ""): state for state in root.iterfind("status/node_state")}
    remote = [name for name, kind in listed.items() if kind == "remote"]
    remote += [name for name, state in states.items() if _is_set(state, "remote_node") and name not in remote]
    found = {name: _member(states.get(name)) for name in listed if name and name not in remote}
    all_known = Host.LOST not in found.values()
    return {**found, **{name: _remote(states.get(name), all_known=all_known) for name in remote if name}}


def _remote(state: Element | None, *, all_known: bool) -> Host:
    """Return what the node_state of a remote node proves. node_fenced: when it was fenced, until it is back."""
    if state is None:
        return Host.LOST
    if _is_set(state, "in_ccm"):
        return Host.ONLINE if all_known else Host.LOST
    return Host.FENCED if _is_set(state, "node_fenced") else Host.LOST


def _is_set(state: Element, name: str) -> bool:
    """Return whether an attribute is true, or is the time since when it is true, as in newer versions of Pacemaker."""
    return state.get(name, "") not in ("", "false", "0")


def _member(state: Element | None) -> Host:
    """Return what the node_state of a corosync member proves."""
    if state is None:
        return Host.LOST
    present = _is_set(state, "in_ccm")
    if present and state.get("crmd", "online") not in ("", "offline", "0"):
        return Host.ONLINE
    if state.get("expected") != "down":
        return Host.LOST
    if state.find("lrm") is not None:
        return Host.CLEAN_DOWN
    # A host that is back in corosync without Pacemaker has booted since.
    return Host.LOST if present else Host.FENCED
