"""Pacemaker's configuration and state (`cibadmin --query`), reduced to what one resource needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from .attribute_sets import every_pair, first_pairs, sorted_sets
from .cib_records import Book, parse_book, resource_of, set_id, token_id
from .failed_actions import read_failed_actions, read_in_flight
from .host_states import read_hosts
from .operations import read_operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

    from ..election.facts import Host
    from .failed_actions import FailedAction
    from .operations import Operation

_TRUE = ("true", "yes", "on", "1", "y")
_PARENTS = ("clone", "master", "group", "bundle")


class BadCib(ValueError):
    """A text that is not Pacemaker's configuration."""


class Orders(NamedTuple):
    """What an operator has decided for the resource on a node. maintenance and standby give the reason, or ""."""

    maintenance: str = ""
    managed: bool = True
    target_role: str = "Started"
    standby: str = ""
    resource_exists: bool = True

    @property
    def forbidden(self) -> str:
        """Why nothing may be changed on the node now, in words for a person; "" if nothing forbids it."""
        if not self.resource_exists:
            return "the resource is not in the cluster's configuration"
        if self.maintenance:
            return self.maintenance
        if not self.managed:
            return "the resource is unmanaged (is-managed=false)"
        if self.target_role.lower() == "stopped":
            return "the resource is disabled (target-role=Stopped)"
        return self.standby


class Cib(NamedTuple):
    """One reading of the configuration.

    nodes: Pacemaker's names in the order of the configuration, then the remote nodes.
    two_node: from corosync, not from the configuration.
    parameters: of the resource, with its passwords.
    clone: the id of its clone, "" if it is none.
    meta: for each meta attribute the value nearest to the primitive. But a value that forbids something holds wherever
      it is set.
    leftovers: names of resources that are gone and still have records.
    failed: for each node the last action of the resource that failed, until it is cleaned up. in_flight: the action of
      it that is under way on a node.
    fence_devices: the ids of the devices that could fence a host. thresholds: every value of migration-threshold that
    may hold for the resource, for the rules of sets are not evaluated.
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
    node_attributes: Mapping[str, tuple[tuple[str, str], ...]] = {}
    book: Book = Book()
    leftovers: tuple[str, ...] = ()
    failed: Mapping[str, FailedAction] = {}
    in_flight: Mapping[str, str] = {}
    operations: tuple[Operation, ...] = ()
    fence_devices: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()

    @property
    def no_quorum_policy(self) -> str:
        """What Pacemaker does without quorum."""
        return self.properties.get("no-quorum-policy", "stop")

    @property
    def stonith_enabled(self) -> bool:
        """Whether Pacemaker fences hosts that do not answer."""
        return is_true(self.properties.get("stonith-enabled", "true"))

    def orders_for(self, node: str) -> Orders:
        """Return what the configuration says about changing the resource on a node."""
        own = self.node_attributes.get(node, ())
        return Orders(
            self._maintenance(node, own),
            is_true(self.meta.get("is-managed", self.properties.get("is-managed-default", "true"))),
            self._target_role(),
            self._standby(node, own),
            self.exists,
        )

    def forbidden(self, node: str) -> str:
        """Return what forbids changes on a node now, in words for a person; "" if nothing does."""
        return self.orders_for(node).forbidden

    def _maintenance(self, node: str, own: tuple[tuple[str, str], ...]) -> str:
        if is_true(self.properties.get("maintenance-mode", "")):
            return "the cluster is in maintenance mode"
        if _says(own, "maintenance"):
            return f"{node} is in maintenance mode"
        return "the resource is in maintenance mode" if is_true(self.meta.get("maintenance", "")) else ""

    def _target_role(self) -> str:
        stop_all = is_true(self.properties.get("stop-all-resources", ""))
        return "Stopped" if stop_all else self.meta.get("target-role", "Started")

    @staticmethod
    def _standby(node: str, own: tuple[tuple[str, str], ...]) -> str:
        if any(name == "shutdown" and value not in ("", "0") for name, value in own):
            return f"{node} is leaving the cluster"
        return f"{node} is on standby" if _says(own, "standby") else ""


def is_true(text: str) -> bool:
    """Return whether a value means true in Pacemaker's words (crm_is_true)."""
    return text.lower() in _TRUE


def parse_cib(text: str, resource: str, *, two_node: bool = False) -> Cib:
    """Return what the configuration says about a resource.

    :raises BadCib: for a text that is no configuration. :raises BadRecord: for a record of xha that cannot be read.
    """
    root = _parse(text)
    lookup = {element.get("id", ""): element for element in root.iterfind("configuration//*[@id]")}
    sets = sorted_sets(root.iterfind("configuration/crm_config/cluster_property_set"))
    ours = {set_id(resource), token_id(resource)}
    chain = _find(root, resource)
    hosts = read_hosts(root)
    return Cib(
        nodes=tuple(hosts),
        hosts=hosts,
        quorum=is_true(root.get("have-quorum", "0")),
        two_node=two_node,
        properties=first_pairs((each for each in sets if not resource_of(each.get("id", ""))), lookup),
        exists=bool(chain),
        clone=next((each.get("id", "") for each in chain if each.tag in ("clone", "master")), ""),
        promotable=any(
            each.tag == "master" or is_true(_sets(each, "meta_attributes", lookup).get("promotable", ""))
            for each in chain
        ),
        agent=_agent_of(chain[-1]) if chain else "",
        parameters=_own(chain[-1], "instance_attributes", lookup) if chain else {},
        meta=_inherit(chain, root, lookup),
        node_attributes={name: _node_attributes(root, name, lookup) for name in hosts},
        book=parse_book(resource, first_pairs((each for each in sets if each.get("id") in ours), lookup)),
        leftovers=_leftovers(root, sets),
        failed=read_failed_actions(root, resource),
        in_flight=read_in_flight(root, resource),
        operations=_operations(chain, root, lookup),
        fence_devices=tuple(
            each.get("id", "") for each in root.iterfind("configuration/resources//primitive[@class='stonith']")
        ),
        thresholds=_thresholds(chain, root, lookup),
    )


def list_resources(text: str, agent: str) -> tuple[str, ...]:
    """Return the ids of an agent's primitives (class:provider:type). :raises BadCib: for other text."""
    return tuple(name for name, each in list_agents(text).items() if each == agent)


def list_agents(text: str) -> dict[str, str]:
    """Return the agent (class:provider:type) of each primitive, by its id. :raises BadCib: for other text."""
    primitives = _parse(text).iterfind("configuration/resources//primitive")
    return {each.get("id", ""): _agent_of(each) for each in primitives}


def _agent_of(primitive: Element) -> str:
    return ":".join(filter(None, (primitive.get(word) for word in ("class", "provider", "type"))))


def _parse(text: str) -> Element:
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - from Pacemaker
    except (ElementTree.ParseError, UnicodeError) as error:
        raise BadCib(f"the cluster's configuration cannot be read: {error}") from None
    if root.tag != "cib":
        raise BadCib(f"the cluster's configuration cannot be read: it begins with <{root.tag}>")
    return root


def _sets(element: Element, tag: str, lookup: Mapping[str, Element]) -> dict[str, str]:
    return first_pairs(sorted_sets(element.iterfind(tag)), lookup)


def _own(primitive: Element, tag: str, lookup: Mapping[str, Element]) -> dict[str, str]:
    """Return what a primitive sets itself, on top of what its template sets."""
    template = lookup.get(primitive.get("template", ""))
    return {**({} if template is None else _sets(template, tag, lookup)), **_sets(primitive, tag, lookup)}


def _find(root: Element, resource: str) -> list[Element]:
    """Return the primitive with that id, after its parents (clone, group). The list is empty if there is none."""

    def search(element: Element) -> list[Element]:
        for child in element:
            if child.tag == "primitive" and child.get("id") == resource:
                return [child]
            below = search(child) if child.tag in _PARENTS else []
            if below:
                return [child, *below]
        return []

    resources = root.find("configuration/resources")
    return [] if resources is None else search(resources)


def _inherit(chain: list[Element], root: Element, lookup: Mapping[str, Element]) -> dict[str, str]:
    """Return the meta attributes that hold for a primitive: its own, those of its parents, and the defaults."""
    found: dict[str, str] = {}
    for element in reversed(chain):
        for name, value in _own(element, "meta_attributes", lookup).items():
            found[name] = value if _forbids(name, value) else found.get(name, value)
    defaults = first_pairs(sorted_sets(root.iterfind("configuration/rsc_defaults/meta_attributes")), lookup)
    return {**defaults, **found}


def _thresholds(chain: list[Element], root: Element, lookup: Mapping[str, Element]) -> tuple[str, ...]:
    templates = (lookup.get(each.get("template", "")) for each in chain)
    sets = [one for each in (*chain, *templates) if each is not None for one in each.iterfind("meta_attributes")]
    pairs = every_pair((*sets, *root.iterfind("configuration/rsc_defaults/meta_attributes")), lookup)
    return tuple(value for name, value in pairs if name == "migration-threshold")


def _operations(chain: list[Element], root: Element, lookup: Mapping[str, Element]) -> tuple[Operation, ...]:
    """Return the operations of a primitive; its template's count where it has none of its own."""
    own = [chain[-1]] if chain else []
    template = lookup.get(chain[-1].get("template", "")) if chain else None
    if template is not None and own[0].find("operations/op") is None:
        own = [template]
    defaults = sorted_sets(root.iterfind("configuration/op_defaults/meta_attributes"))
    return read_operations(own, defaults, lookup)


def _forbids(name: str, value: str) -> bool:
    if name == "is-managed":
        return not is_true(value)
    return (name, value.lower()) == ("target-role", "stopped") or (name == "maintenance" and is_true(value))


def _node_attributes(root: Element, name: str, lookup: Mapping[str, Element]) -> tuple[tuple[str, str], ...]:
    """Return a node's attributes, including those that last until its next reboot: both kinds forbid."""
    nodes = (*root.iterfind("configuration/nodes/node"), *root.iterfind("status/node_state"))
    return tuple(
        pair
        for node in nodes
        if node.get("uname") == name
        for path in ("instance_attributes", "transient_attributes/instance_attributes")
        for pair in every_pair(node.iterfind(path), lookup)
    )


def _says(pairs: tuple[tuple[str, str], ...], name: str) -> bool:
    return any(each == name and is_true(value) for each, value in pairs)


def _leftovers(root: Element, sets: Iterable[Element]) -> tuple[str, ...]:
    ids = {primitive.get("id", "") for primitive in root.iterfind("configuration/resources//primitive")}
    named = {resource_of(each.get("id", "")) for each in sets}
    return tuple(sorted(name for name in named if name and name not in ids))
