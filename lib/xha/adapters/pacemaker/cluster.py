"""Pacemaker, by its command-line tools: attributes and configuration. Each call costs 8 to 12 ms of CPU (measured).

Every change of the configuration goes to all hosts in one order (corosync's) and is carried out by each; a call returns
when this host has done so. A query is always answered from this host's copy, whatever its options say
(parse_local_options_v2 in based_callbacks.c), and so may lack what another host has just changed; it holds everything
that came before this host's own last change. Who decides on records reads them after a change of his own: take_token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from ...core.ocf.api import AGENT
from ...core.pacemaker.cib import BadCib, Cib, list_resources, parse_cib
from ...core.pacemaker.cib_records import (
    CLUSTER,
    LAST_GRANT,
    LINE,
    TOKEN,
    BadRecord,
    grant_name,
    pair_id,
    record_name,
    render_cluster,
    render_grant,
    render_line,
    render_stop,
    render_token,
    set_id,
    stop_name,
    token_id,
)
from ...core.text.escape import blank
from .tools import ClusterUnreachable, Failed, run_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...core.election.facts import Grant, Token
    from ...core.galera.lineage import Generation, StopRecord

__all__ = ["ATTRIBUTES", "ClusterUnreachable", "Pacemaker", "parse_attribute"]
# The attributes of a resource: xha-RESOURCE-report and so on.
ATTRIBUTES = ("report", "state", "ready")
# Exit codes of Pacemaker's tools (crm_exit_t): no such object, already there, no such attribute.
_NO_SUCH, _EXISTS, _NOT_SET = 105, 108, 78
_CHANGE = ("cibadmin", "--sync-call")
_CRM_CONFIG = ("--scope", "crm_config", "--xml-text")


class Pacemaker:
    """The cluster as this node sees it. Every method raises ClusterUnreachable where Pacemaker does not answer."""

    def __init__(self, node: str = "") -> None:
        self._node = node

    def node_name(self) -> str:
        """Return Pacemaker's own name of this node, which need not be that of the host."""
        if not self._node:
            self._node = run_tool("crm_node", "--name").strip()
        return self._node

    # --- configuration

    def read_cib(self, resource: str) -> Cib:
        """Return configuration and state, by this host's copy."""
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

    # --- attributes

    def read_attribute(self, name: str) -> dict[str, str]:
        """Return the attribute's value on every node that has one. The tool's plain output escapes nothing."""
        text = _run_unless(_NOT_SET, "attrd_updater", "--name", name, "--query", "--all", "--output-as=xml")
        return {} if text is None else parse_attribute(text)

    def set_private(self, name: str, value: str) -> None:
        """Set an attribute that no configuration holds and that triggers nothing; it is gone when this host is."""
        run_tool("attrd_updater", "--name", name, f"--update={_printable(value)}", "--private")

    def set_transient(self, name: str, value: str) -> None:
        """Set an attribute that rules see, until this host leaves the cluster."""
        run_tool("attrd_updater", "--name", name, f"--update={_printable(value)}", "--delay", "0")

    def delete_attribute(self, name: str) -> None:
        """Take this node's value of an attribute away."""
        run_tool("attrd_updater", "--name", name, "--delete")

    def forget_degraded(self, resource: str, node: str) -> bool:
        """Have past results that were no failures leave the list of failures of a node; return whether there was one.

        Pacemaker lists a degraded result, and a probe that finds a server, in the history of failures, and with an
        entry there answers a changed parameter with a restart in place of reload-agent (measured, 2.1.5).
        crm_resource --cleanup is no help: its probe finds a server.
        """
        entry = f"lrm_rsc_op[@id='{resource}_last_failure_0' and (@rc-code='190' or @rc-code='0')]"
        where = f"//node_state[@uname='{node}']//lrm_resource[@id='{resource}']/{entry}"
        if _run_unless(_NO_SUCH, "cibadmin", "--query", "--local", "--xpath", where) is None:
            return False
        _change("--delete", "--xpath", where)
        return True

    # --- records

    def write_records(self, resource: str, *, line: Sequence[Generation] | None = None, cluster: str = "") -> None:
        """Record the generations that the cluster stands in, and the UUID of its history; what is not given stays."""
        texts = {LINE: render_line(line)} if line is not None else {}
        if cluster:
            texts[CLUSTER] = render_cluster(cluster)
        self._write(resource, texts)

    def write_stop(self, resource: str, node: str, stop: StopRecord) -> None:
        """Record a clean stop."""
        self._write(resource, {stop_name(node): render_stop(stop)})

    def delete_stop(self, resource: str, node: str) -> None:
        """Remove the record of a clean stop: nobody relies on it from now on."""
        self._delete(resource, stop_name(node))

    def add_grant(self, resource: str, grant: Grant) -> None:
        """Record a grant; one of its kind for its node is replaced."""
        self._write(resource, {grant_name(grant): render_grant(grant)})

    def consume_grants(self, resource: str, grants: Sequence[Grant]) -> bool:
        """Use up grants, and keep the last of them as such; False, and nothing is done, if one does not stand any more.

        Others that stand, and a newer one in the place of these, stay.
        """
        standing = self.read_cib(resource).book.grants
        if not grants or any(grant not in standing for grant in grants):
            return False
        self._write(resource, {LAST_GRANT: render_grant(grants[-1])})
        for grant in grants:
            self._delete(resource, grant_name(grant), render_grant(grant))
        return True

    def take_token(self, resource: str, token: Token) -> bool:
        """Create the token; False if it exists. Two that try at once are put into one order, so only one creates it.

        True also means that what read_cib says from now on holds everything that others had changed before.
        """
        own = token_id(resource)
        pair = _element("nvpair", id=f"{own}-value", name=record_name(resource, TOKEN), value=render_token(token))
        xml = _element("cluster_property_set", pair, id=own)
        return _run_unless(_EXISTS, *_CHANGE, "--create", *_CRM_CONFIG, xml) is not None

    def release_token(self, resource: str) -> None:
        """Remove the token."""
        _change("--delete", *_CRM_CONFIG, _element("cluster_property_set", id=token_id(resource)))

    def sweep(self, resource: str) -> bool:
        """Remove all records and attributes of a resource that is gone; False, and nothing is done, where it is not.

        Every host that was told to stop it may do so, after its keeper has ended: the last one leaves nothing. One that
        was created again meanwhile loses nothing: each host looks for it in the moment in which it carries this out.
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
        """Delete a record, if it has that text; one that is not there is deleted already."""
        value = {} if text is None else {"value": text}
        _change("--delete", *_CRM_CONFIG, _element("nvpair", id=pair_id(resource, name), **value))


def parse_attribute(text: str) -> dict[str, str]:
    """Return the values that attrd_updater's XML holds, by node; what was deleted stays there as "" and is left out.

    :raises ClusterUnreachable: for a text that is none.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - Pacemaker's own
    except (ElementTree.ParseError, UnicodeError) as error:
        raise ClusterUnreachable(f"attrd_updater: {error}") from None
    found = {one.get("host", ""): one.get("value", "") for one in root.iter("attribute")}
    return {node: value for node, value in found.items() if value}


def _printable(text: str) -> str:
    """Return the text in what an attribute can hold.

    XML holds no control characters: one would hide the attribute of all nodes from all. attrd_updater takes nothing
    but ASCII, whatever the locale (measured, 2.1.5).
    """
    return blank("".join(letter if letter.isascii() else "?" for letter in text))


def _is_two_node() -> bool:
    """Return whether corosync counts one of two hosts as a quorum. Where it does not say, as on a remote node: yes."""
    try:
        return run_tool("corosync-cmapctl", "-g", "quorum.two_node").strip().endswith("= 1")
    except Failed as error:
        return "NOT_EXIST" not in error.complaint
    except ClusterUnreachable:
        return True


def _element(tag: str, content: str = "", **attributes: str) -> str:
    words = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{words}>{content}</{tag}>"


def _change(*words: str) -> None:
    """Change the configuration; what is to be removed and is not there is no error."""
    _run_unless(_NO_SUCH, *_CHANGE, *words)


def _run_unless(code: int, *argv: str) -> str | None:
    """Return what the tool prints; None if it exits with this code."""
    try:
        return run_tool(*argv)
    except Failed as error:
        if error.code != code:
            raise
        return None
