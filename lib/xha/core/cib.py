"""Pacemaker's configuration and state (cibadmin --query), as far as one resource needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from .poll import Host
from .records import Book, parse_book, set_id, token_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

_TRUE = ("true", "yes", "on", "1", "y")


class BadCib(ValueError):
    """A text that is no configuration of Pacemaker's."""


class Orders(NamedTuple):
    """What an operator has decided for a node, in words: "" where nothing forbids to act on the resource there."""

    forbidden: str = ""


class Cib(NamedTuple):
    """One reading. nodes are Pacemaker's names in the order of the configuration; two_node is corosync's to say.

    parameters are the resource's own, with its passwords. clone is the id of its clone, "" if it is none.
    """

    nodes: tuple[str, ...] = ()
    hosts: Mapping[str, Host] = {}
    quorum: bool = True
    two_node: bool = False
    properties: Mapping[str, str] = {}
    exists: bool = False
    clone: str = ""
    promotable: bool = False
    agent: str = ""
    parameters: Mapping[str, str] = {}
    meta: Mapping[str, str] = {}
    node_attributes: Mapping[str, Mapping[str, str]] = {}
    book: Book = Book()

    def forbidden(self, node: str) -> str:
        """Return what forbids to change anything on a node just now, in a person's words; "" for nothing."""
        properties, own = self.properties, self.node_attributes.get(node, {})
        if is_true(properties.get("maintenance-mode", "")):
            return "the cluster is in maintenance mode"
        if is_true(own.get("maintenance", "")):
            return f"{node} is in maintenance mode"
        if is_true(self.meta.get("maintenance", "")):
            return "the resource is in maintenance mode"
        if self.exists and not is_true(self.meta.get("is-managed", "true")):
            return "the resource is unmanaged (is-managed=false)"
        if self.meta.get("target-role", "Started").lower() == "stopped":
            return "the resource is disabled (target-role=Stopped)"
        if is_true(own.get("standby", "")):
            return f"{node} is on standby"
        return ""


def is_true(text: str) -> bool:
    """Return whether a value means true in Pacemaker's words (crm_is_true)."""
    return text.lower() in _TRUE


def parse_cib(text: str, resource: str, *, two_node: bool = False, fenced: Mapping[str, bool] | None = None) -> Cib:
    """Return what the configuration says of a resource. fenced: nodes whose last fencing succeeded.

    :raises BadCib: for a text that is none. :raises BadRecord: for a record of ours that cannot be read.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - Pacemaker's own
    except ElementTree.ParseError as error:
        raise BadCib(f"the cluster's configuration cannot be read: {error}") from None
    if root.tag != "cib":
        raise BadCib(f"the cluster's configuration cannot be read: it begins with <{root.tag}>")
    nodes = {node.get("id", ""): node.get("uname", "") for node in root.iterfind("configuration/nodes/node")}
    sets = list(root.iterfind("configuration/crm_config/cluster_property_set"))
    ours = {set_id(resource), token_id(resource)}
    mine = _pairs(each for each in sets if each.get("id") in ours)
    chain = _find(root, resource)
    states = {state.get("uname", ""): state for state in root.iterfind("status/node_state")}
    return Cib(
        nodes=tuple(nodes.values()),
        hosts={name: _host(states.get(name), bool((fenced or {}).get(name))) for name in nodes.values()},
        quorum=is_true(root.get("have-quorum", "0")),
        two_node=two_node,
        properties=_pairs(each for each in sets if each.get("id") not in ours),
        exists=bool(chain),
        clone=next((each.get("id", "") for each in chain if each.tag in ("clone", "master")), ""),
        promotable=any(each.tag == "master" or is_true(_meta(each).get("promotable", "")) for each in chain),
        agent=":".join(chain[-1].get(word, "") for word in ("class", "provider", "type")) if chain else "",
        parameters=_pairs(chain[-1].iterfind("instance_attributes")) if chain else {},
        meta={**_pairs(root.iterfind("configuration/rsc_defaults/meta_attributes")), **_inherit(chain)},
        node_attributes=_node_attributes(root, states),
        book=parse_book(resource, mine),
    )


def _pairs(sets: Iterator[Element]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in sets:
        for pair in each.iterfind("nvpair"):
            # Of several sets the first that names a value has it, where no rule and no score says otherwise.
            found.setdefault(pair.get("name", ""), pair.get("value", ""))
    return found


def _meta(element: Element) -> dict[str, str]:
    return _pairs(element.iterfind("meta_attributes"))


def _find(root: Element, resource: str) -> list[Element]:
    """Return the primitive with that id, behind its parents: clone, group; nothing where there is none."""

    def search(element: Element) -> list[Element]:
        for child in element:
            if child.tag == "primitive" and child.get("id") == resource:
                return [child]
            below = search(child) if child.tag in ("clone", "master", "group") else []
            if below:
                return [child, *below]
        return []

    resources = root.find("configuration/resources")
    return [] if resources is None else search(resources)


def _inherit(chain: list[Element]) -> dict[str, str]:
    """Return the meta attributes that hold for a primitive; what a parent forbids is forbidden."""
    found: dict[str, str] = {}
    for element in reversed(chain):
        for name, value in _meta(element).items():
            found.setdefault(name, value)
            if (name, value.lower()) == ("target-role", "stopped") or (name == "is-managed" and not is_true(value)):
                found[name] = value
    return found


def _host(state: Element | None, fenced: bool) -> Host:
    """Return what a node_state proves.

    Who left cleanly is expected=down and keeps the history of its resources. So is a fenced node, but fencing erases
    that history (controld_fencing.c); without it only the fencer's own record tells it from one that was never seen.
    """
    if state is None:
        return Host.FENCED if fenced else Host.LOST
    inside = state.get("in_ccm", "false") not in ("false", "0") and state.get("crmd") != "offline"
    if inside:
        return Host.ONLINE
    if state.get("expected") != "down":
        return Host.LOST
    if state.find("lrm") is None:
        return Host.FENCED if fenced else Host.LOST
    return Host.CLEAN_DOWN


def _node_attributes(root: Element, states: Mapping[str, Element]) -> dict[str, dict[str, str]]:
    found = {}
    for node in root.iterfind("configuration/nodes/node"):
        name = node.get("uname", "")
        state = states.get(name)
        transient = _pairs(state.iterfind("transient_attributes/instance_attributes")) if state is not None else {}
        found[name] = {**transient, **_pairs(node.iterfind("instance_attributes"))}
    return found
