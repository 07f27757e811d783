"""Pacemaker, by its command-line tools: attributes, configuration, fencing. Each call costs some 10 ms of CPU."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from ..core.cib import BadCib, Cib, parse_cib
from ..core.poll import Host
from ..core.records import (
    CLUSTER,
    GRANTS,
    LAST_GRANT,
    LINE,
    TOKEN,
    BadRecord,
    record_name,
    render_cluster,
    render_grant,
    render_grants,
    render_line,
    render_stop,
    render_token,
    set_id,
    stop_name,
    token_id,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.lineage import Generation, StopRecord
    from ..core.poll import Grant, Token

TIMEOUT = 5.0
# Exit codes of Pacemaker's tools (crm_exit_t): no such object, already there, no such attribute.
_NO_SUCH, _EXISTS, _NOT_SET = 105, 108, 78
_DIRECTORIES = "/usr/sbin:/usr/bin:/sbin:/bin"


class ClusterUnreachable(Exception):
    """Pacemaker did not do what it was asked; the text says why. It says nothing about the database."""


class Pacemaker:
    """The cluster as this node sees it. Every method raises ClusterUnreachable where Pacemaker does not answer."""

    def __init__(self, node: str = "") -> None:
        self._node = node
        self._two_node: bool | None = None

    def node_name(self) -> str:
        """Return Pacemaker's own name of this node, which need not be that of the host."""
        if not self._node:
            self._node = _run("crm_node", "--name").strip()
        return self._node

    # --- configuration

    def read_cib(self, resource: str) -> Cib:
        """Return configuration and state. Read synchronously: from the DC's copy, which every change goes through."""
        text = _run("cibadmin", "--query")
        lost = self._lost(text)
        fenced = {name: self._was_fenced(name) for name in lost}
        try:
            return parse_cib(text, resource, two_node=self._is_two_node(), fenced=fenced)
        except (BadCib, BadRecord) as error:
            raise ClusterUnreachable(str(error)) from None

    @staticmethod
    def _lost(text: str) -> list[str]:
        """Return the nodes of which only the fencer can tell whether they are down."""
        try:
            cib = parse_cib(text, "", fenced={})
        except (BadCib, BadRecord):
            return []
        return [name for name, host in cib.hosts.items() if host is Host.LOST]

    def _was_fenced(self, node: str) -> bool:
        """Return whether the last fencing of a node that is not here succeeded."""
        try:
            root = ElementTree.fromstring(_run("stonith_admin", "--history", node, "--output-as=xml"))  # noqa: S314
        except (ClusterUnreachable, ElementTree.ParseError):
            return False
        events = [event for event in root.iter("fence_event") if event.get("action") in ("off", "reboot")]
        latest = max(events, key=lambda event: event.get("completed", ""), default=None)
        return latest is not None and latest.get("status") == "success"

    def _is_two_node(self) -> bool:
        if self._two_node is None:
            try:
                said = _run("corosync-cmapctl", "-g", "quorum.two_node")
            except ClusterUnreachable:
                said = ""
            self._two_node = said.strip().endswith("= 1")
        return self._two_node

    # --- attributes

    def read_attribute(self, name: str) -> dict[str, str]:
        """Return the attribute's value on every node that has one."""
        try:
            text = _run("attrd_updater", "--name", name, "--query", "--all", "--output-as=xml")
        except _Failed as error:
            if error.code == _NOT_SET:
                return {}
            raise
        try:
            root = ElementTree.fromstring(text)  # noqa: S314 - Pacemaker's own
        except ElementTree.ParseError as error:
            raise ClusterUnreachable(f"attrd_updater: {error}") from None
        found = {one.get("host", ""): one.get("value", "") for one in root.iter("attribute")}
        return {node: value for node, value in found.items() if value}

    def set_private(self, name: str, value: str) -> None:
        """Set an attribute that no configuration holds and that triggers nothing; it is gone when this host is."""
        _run("attrd_updater", "--name", name, "--update", value, "--private")

    def set_transient(self, name: str, value: str) -> None:
        """Set an attribute that rules see, until this host leaves the cluster."""
        _run("attrd_updater", "--name", name, "--update", value, "--delay", "0")

    def delete_attribute(self, name: str) -> None:
        """Take this node's value of an attribute away."""
        _run("attrd_updater", "--name", name, "--delete")

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

    def write_grants(self, resource: str, grants: Sequence[Grant], used: Grant | None = None) -> None:
        """Replace the grants that stand; used is kept as the last one."""
        texts = {GRANTS: render_grants(grants)}
        if used is not None:
            texts[LAST_GRANT] = render_grant(used)
        self._write(resource, texts)

    def take_token(self, resource: str, token: Token) -> bool:
        """Create the token; False if it exists. Every change goes through one node, so only one creates it."""
        name, own = record_name(resource, TOKEN), token_id(resource)
        pair = f"<nvpair id={quoteattr(f'{own}-value')} name={quoteattr(name)} value={quoteattr(render_token(token))}/>"
        xml = f"<cluster_property_set id={quoteattr(own)}>{pair}</cluster_property_set>"
        try:
            _run("cibadmin", "--create", "--scope", "crm_config", "--sync-call", "--xml-text", xml)
        except _Failed as error:
            if error.code == _EXISTS:
                return False
            raise
        return True

    def release_token(self, resource: str) -> None:
        """Remove the token."""
        xml = f"<cluster_property_set id={quoteattr(token_id(resource))}/>"
        try:
            _run("cibadmin", "--delete", "--scope", "crm_config", "--sync-call", "--xml-text", xml)
        except _Failed as error:
            if error.code != _NO_SUCH:
                raise

    def sweep(self, resource: str) -> None:
        """Remove everything that was recorded of a resource."""
        for own in (set_id(resource), token_id(resource)):
            try:
                _run(
                    *("cibadmin", "--delete", "--scope", "crm_config", "--sync-call"),
                    *("--xml-text", f"<cluster_property_set id={quoteattr(own)}/>"),
                )
            except _Failed as error:
                if error.code != _NO_SUCH:
                    raise

    def _write(self, resource: str, texts: dict[str, str]) -> None:
        if not texts:
            return
        own = set_id(resource)
        pairs = "".join(
            f"<nvpair id={quoteattr(f'{own}-{name}')} name={quoteattr(record_name(resource, name))} "
            f"value={quoteattr(text)}/>"
            for name, text in texts.items()
        )
        xml = f"<crm_config><cluster_property_set id={quoteattr(own)}>{pairs}</cluster_property_set></crm_config>"
        _run("cibadmin", "--modify", "--allow-create", "--scope", "crm_config", "--sync-call", "--xml-text", xml)

    def _delete(self, resource: str, name: str) -> None:
        xml = f"<nvpair id={quoteattr(f'{set_id(resource)}-{name}')}/>"
        try:
            _run("cibadmin", "--delete", "--scope", "crm_config", "--sync-call", "--xml-text", xml)
        except _Failed as error:
            if error.code != _NO_SUCH:
                raise


class _Failed(ClusterUnreachable):
    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def _run(*words: str) -> str:
    environment = {"PATH": _DIRECTORIES, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - Pacemaker's own programs, and no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ClusterUnreachable(f"{words[0]}: {(error.strerror or 'cannot be run').lower()}") from None
    try:
        out, complaint = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise ClusterUnreachable(f"{words[0]} did not answer within {TIMEOUT:g} s") from None
    if process.returncode:
        last = (complaint.strip() or out.strip() or "no word").split("\n")[-1]
        raise _Failed(f"{words[0]}: {last} (exit code {process.returncode})", process.returncode)
    return out
