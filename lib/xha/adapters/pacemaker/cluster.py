"""Pacemaker, by its command-line tools: attributes and configuration. Each call takes 8 to 12 ms of CPU (measured), but
for reading attributes by a kept connection.

1. Every change of the configuration reaches all hosts in one order (corosync's), and each host applies it. A call
   returns when this host has applied the change.
2. A query is always answered from this host's copy, whatever its options say (parse_local_options_v2 in
   based_callbacks.c). It may lack what another host has just changed.
3. The copy contains everything that came before this host's own last change. A node that decides on records therefore
   reads them after a change of its own: take_token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.ocf.api import AGENT
from ...core.pacemaker.cib import BadCib, Cib, list_agents, list_resources, parse_cib
from ...core.pacemaker.cib_records import (
    CLUSTER,
    EVICTION,
    LAST_GRANT,
    LINE,
    TOKEN,
    BadRecord,
    grant_name,
    pair_id,
    record_name,
    render_cluster,
    render_eviction,
    render_grant,
    render_line,
    render_stop,
    render_token,
    set_id,
    stop_name,
    token_id,
)
from ...core.pacemaker.past_results import (
    choose_changes,
    find_failure_counts,
    find_group,
    find_monitors,
    find_past_result,
    find_pending_monitor,
    find_unended_monitor,
    parse_monitors,
    parse_past_result,
)
from ...core.text.xml_attribute import quote_attribute
from .attributes import printable, query_attribute
from .tools import ClusterUnreachable, Failed, run_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.election.facts import Grant, Token
    from ...core.election.stall import Eviction
    from ...core.galera.lineage import Generation, StopRecord
    from .kept_connection import KeptConnection

__all__ = ["ATTRIBUTES", "ClusterUnreachable", "Pacemaker"]
# The attributes of a resource: xha-RESOURCE-report and so on.
ATTRIBUTES = ("report", "state", "ready", "at", "since", "claim", "writer", "stall")
# Exit codes of Pacemaker's tools (crm_exit_t): no such object, already exists.
_NO_SUCH, _EXISTS = 105, 108
_CHANGE = ("cibadmin",)
# It waits for the controller, which first ends what is under way.
_REFRESH_SECONDS = 30.0
_CRM_CONFIG = ("--scope", "crm_config", "--xml-text")


class Pacemaker:
    """The cluster as this node sees it. Every method raises ClusterUnreachable if Pacemaker does not answer."""

    def __init__(self, node: str = "", kept: KeptConnection | None = None) -> None:
        """kept: reads attributes, for a process that asks each second."""
        self._node, self._kept = node, kept

    def node_name(self) -> str:
        """Return Pacemaker's name of this node, which may differ from the host's name."""
        if not self._node:
            self._node = run_tool("crm_node", "--name").strip()
        return self._node

    # --- configuration

    def read_cib(self, resource: str) -> Cib:
        """Return configuration and state, from this host's copy."""
        try:
            return parse_cib(run_tool("cibadmin", "--query", "--local"), resource, two_node=_is_two_node())
        except (BadCib, BadRecord) as error:
            raise ClusterUnreachable(str(error)) from None

    def list_resources(self) -> tuple[str, ...]:
        """Return the names of the resources of this agent."""
        try:
            return list_resources(run_tool("cibadmin", "--query", "--local"), AGENT)
        except BadCib as error:
            raise ClusterUnreachable(str(error)) from None

    def list_agents(self) -> dict[str, str]:
        """Return the agent of each resource, by its name."""
        try:
            return list_agents(run_tool("cibadmin", "--query", "--local"))
        except BadCib as error:
            raise ClusterUnreachable(str(error)) from None

    # --- attributes

    def read_attribute(self, name: str) -> dict[str, str]:
        """Return the attribute's value on every node that has one."""
        kept = self._kept.ask(name) if self._kept is not None else None
        return query_attribute(name) if kept is None else kept

    def set_private(self, name: str, value: str) -> None:
        """Set an attribute that is in no configuration and triggers nothing. It ends when this host leaves."""
        run_tool("attrd_updater", "--name", name, f"--update={printable(value)}", "--private")

    def set_transient(self, name: str, value: str) -> None:
        """Set an attribute that rules can use, until this host leaves the cluster."""
        run_tool("attrd_updater", "--name", name, f"--update={printable(value)}", "--delay", "0")

    def delete_attribute(self, name: str) -> None:
        """Remove this node's value of an attribute."""
        run_tool("attrd_updater", "--name", name, "--delete")

    def forget_degraded(self, resource: str, node: str) -> bool:
        """Have a past result that was no failure leave a node's list of failures. Return whether one leaves it now.

        It leaves by a change of the configuration, once for each result (core/pacemaker/past_results.py). To delete
        it from the history does not last: each election brings it back, and since 3.0 the deletion causes one.
        crm_resource --cleanup does not help, because its probe finds a server again. After a probe, False is returned:
        the result that takes its place leaves the list later. Where failures are counted it stays with them, until
        they are cleaned up or expire.
        """
        found = _query(find_past_result(resource, node))
        if found is None or _query(find_failure_counts(resource, node)) is not None:
            return False
        try:
            past = parse_past_result(found)
            changes = choose_changes(past, node, parse_monitors(_query(find_monitors(resource)) or "<none/>"))
        except ValueError as error:
            raise ClusterUnreachable(str(error)) from None
        for xml in changes:
            _change("--modify", "--allow-create", "--scope", "resources", "--xml-text", xml)
        return bool(changes) and not past.is_probe

    def is_monitor_pending(self, resource: str, node: str) -> bool:
        """Return whether Pacemaker takes a recurring monitor for pending on a node."""
        return _query(find_pending_monitor(resource, node)) is not None

    def end_monitor(self, resource: str, node: str) -> bool:
        """Have Pacemaker forget a monitor that it takes for pending on a node that has stopped the resource.

        Return whether there is one. Whoever waits for the cluster would wait for it (core/pacemaker/past_results.py).
        A cleanup would do nothing where nothing has failed. Where failures are counted the history stays as it is: a
        refresh ends the count. So it does in a group, as a refresh is one of all members (crm_resource(8), --force).
        """
        stays = (find_failure_counts(resource, node), find_group(resource))
        if _query(find_unended_monitor(resource, node)) is None or any(map(_query, stays)):
            return False
        run_tool("crm_resource", "--refresh", "--resource", resource, "--node", node, seconds=_REFRESH_SECONDS)
        return True

    def tell_failure(self, resource: str, node: str) -> None:
        """Have Pacemaker take the resource for failed on a node, as if a monitor of it had failed just now."""
        run_tool("crm_resource", "--resource", resource, "--fail", "--node", node)

    # --- records

    def write_records(self, resource: str, *, line: Sequence[Generation] | None = None, cluster: str = "") -> None:
        """Record the generations of the cluster's line, and the UUID of its history.

        What is not given stays as it is.
        """
        texts = {LINE: render_line(line)} if line is not None else {}
        if cluster:
            texts[CLUSTER] = render_cluster(cluster)
        self._write(resource, texts)

    def write_stop(self, resource: str, node: str, stop: StopRecord) -> None:
        """Record a clean stop."""
        self._write(resource, {stop_name(node): render_stop(stop)})

    def delete_stop(self, resource: str, node: str) -> None:
        """Remove the record of a clean stop: no decision uses it from now on."""
        self._delete(resource, stop_name(node))

    def write_eviction(self, resource: str, eviction: Eviction) -> None:
        """Record that a member is evicted, before it is."""
        self._write(resource, {EVICTION: render_eviction(eviction)})

    def add_grant(self, resource: str, grant: Grant) -> None:
        """Record a grant; an earlier one of its kind for its node is replaced."""
        self._write(resource, {grant_name(grant): render_grant(grant)})

    def consume_grants(self, resource: str, grants: Sequence[Grant]) -> bool:
        """Use up grants, and keep the last of them as LAST_GRANT. False, without a change, if one of them is gone.

        Other grants, and a newer one that replaced one of these, are kept.
        """
        standing = self.read_cib(resource).book.grants
        if not grants or any(grant not in standing for grant in grants):
            return False
        self._write(resource, {LAST_GRANT: render_grant(grants[-1])})
        for grant in grants:
            self._delete(resource, grant_name(grant), render_grant(grant))
        return True

    def take_token(self, resource: str, token: Token) -> bool:
        """Create the token; False if it exists. Two simultaneous tries are put into one order, so only one creates it.

        True also means that read_cib from now on returns everything that others had changed before.
        """
        own = token_id(resource)
        pair = _element("nvpair", id=f"{own}-value", name=record_name(resource, TOKEN), value=render_token(token))
        xml = _element("cluster_property_set", pair, id=own)
        return _run_unless(_EXISTS, *_CHANGE, "--create", *_CRM_CONFIG, xml) is not None

    def void_token(self, resource: str, token: Token) -> None:
        """Remove this token, and no other one that may have come in its place."""
        value = f"nvpair[@value='{render_token(token)}']"
        xpath = f"/cib/configuration/crm_config/cluster_property_set[@id='{token_id(resource)}'][{value}]"
        _change("--delete", "--xpath", xpath)

    def release_token(self, resource: str) -> None:
        """Remove the token."""
        _change("--delete", *_CRM_CONFIG, _element("cluster_property_set", id=token_id(resource)))

    def sweep(self, resource: str) -> bool:
        """Remove all records and attributes of a deleted resource. False, without a change, if the resource exists.

        Every host that stopped it may do this after its keeper has ended; after the last one, nothing is left. A
        resource that was created again meanwhile loses nothing, because each host checks for the resource when it
        applies the change.
        """
        if "'" in resource:
            raise ValueError(f"{resource!r} is not a resource's name")
        for own in (set_id(resource), token_id(resource)):
            gone = f"/cib[not(configuration/resources//primitive[@id='{resource}'])]"
            _change("--delete", "--xpath", f"{gone}/configuration/crm_config/cluster_property_set[@id='{own}']")
        if self.read_cib(resource).exists:
            return False
        for word in ATTRIBUTES:
            name = record_name(resource, word)
            for node in self.read_attribute(name):
                run_tool("attrd_updater", "--name", name, "--delete", "--node", node)
        return True

    def _write(self, resource: str, texts: dict[str, str]) -> None:
        if not texts:
            return
        pairs = "".join(
            _element("nvpair", id=pair_id(resource, name), name=record_name(resource, name), value=text)
            for name, text in texts.items()
        )
        xml = _element("crm_config", _element("cluster_property_set", pairs, id=set_id(resource)))
        _change("--modify", "--allow-create", *_CRM_CONFIG, xml)

    def _delete(self, resource: str, name: str, text: str | None = None) -> None:
        """Delete a record, if it has that text. A record that does not exist is no error."""
        value = {} if text is None else {"value": text}
        _change("--delete", *_CRM_CONFIG, _element("nvpair", id=pair_id(resource, name), **value))


def _is_two_node() -> bool:
    """Return whether corosync counts one of two hosts as a quorum. True if it does not say, as on a remote node."""
    try:
        return run_tool("corosync-cmapctl", "-g", "quorum.two_node").strip().endswith("= 1")
    except Failed as error:
        return "NOT_EXIST" not in error.complaint
    except ClusterUnreachable:
        return True


def _element(tag: str, content: str = "", **attributes: str) -> str:
    words = "".join(f" {name}={quote_attribute(value)}" for name, value in attributes.items())
    return f"<{tag}{words}>{content}</{tag}>"


def _query(xpath: str) -> str | None:
    """Return what is at a place of this host's copy, None if nothing is."""
    return _run_unless(_NO_SUCH, "cibadmin", "--query", "--local", "--xpath", xpath)


def _change(*words: str) -> None:
    """Change the configuration; removing something that does not exist is no error."""
    _run_unless(_NO_SUCH, *_CHANGE, *words)


def _run_unless(code: int, *argv: str) -> str | None:
    """Return the tool's output; None if it exits with this code."""
    try:
        return run_tool(*argv)
    except Failed as error:
        if error.code != code:
            raise
        return None
