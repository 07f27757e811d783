"""Compares what is known of several members: where they, or two sources of one of them, contradict each other."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from ..text.escape import clean
from .members import parse_incoming_addresses
from .responder_word import STALLS
from .source_conflicts import find_conflict
from .sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable

    from ..galera.reading import Reading
    from .member_view import MemberView

# In characters: a line names every member of a large cluster.
_WIDEST = 4000


class Disagreement(NamedTuple):
    """A contradiction between members, or between two sources of one. nodes: the members' names, as the table shows."""

    code: str
    message: str
    nodes: tuple[str, ...]


class _Told(NamedTuple):
    """What one member's server said, and by which source it is known here."""

    name: str
    reading: Reading
    source: Source
    component: frozenset[str]

    @property
    def label(self) -> str:
        """The name, and who says so where that is not SQL."""
        return self.name if self.source is Source.SQL else f"{self.name} (by its {self.source.value})"

    @property
    def primary(self) -> bool:
        return self.reading.status.wsrep_cluster_status == "Primary"


def find_disagreements(views: Iterable[MemberView]) -> tuple[Disagreement, ...]:
    """Return where the members contradict each other, and each one's sources, the most serious first."""
    views = tuple(views)
    told = [
        _Told(str(view.member), one.reading, one.source, view.component)
        for view in views
        for one in [view.facts]
        if one is not None and one.reading is not None
    ]
    found = [*_compare(told), *_stalls(views)]
    for view in views:
        conflict = find_conflict(view)
        if conflict:
            found.append(Disagreement("sources", clean(f"{view.member}: {conflict}", _WIDEST), (str(view.member),)))
    return tuple(found)


def _compare(told: list[_Told]) -> list[Disagreement]:
    primary = [one for one in told if one.primary]
    found = []
    by_uuid = _group(told, lambda reading: _real_uuid(reading.status.wsrep_cluster_state_uuid))
    if len(by_uuid) > 1:
        found.append(_disagreement("uuid", "they hold different histories (wsrep_cluster_state_uuid)", by_uuid))
    components = _components(primary)
    if len(components) > 1:
        found.append(_disagreement("two-primaries", "more than one primary component exists", components))
    else:
        by_conf = _group(primary, lambda reading: reading.status.wsrep_cluster_conf_id)
        if len(by_conf) > 1:
            found.append(_disagreement("conf-id", "they see different configurations (wsrep_cluster_conf_id)", by_conf))
        by_size = _group(primary, lambda reading: reading.status.wsrep_cluster_size)
        if len(by_size) > 1:
            found.append(_disagreement("size", "they count different cluster sizes (wsrep_cluster_size)", by_size))
    outside = [one for one in told if not one.primary]
    if outside and primary:
        message = f"{_labels(outside)} outside the primary component of {_labels(primary)}"
        found.append(Disagreement("outside", message, tuple(one.name for one in outside)))
    return found


def _stalls(views: tuple[MemberView, ...]) -> list[Disagreement]:
    """Return who stops the writes of the others, by its own responder: all members look well but for that one."""
    stalled = [view for view in views if view.code in STALLS]
    serving = [str(view.member) for view in views if view.service == "in"]
    if not stalled or not serving:
        return []
    said = ", ".join(f"{view.member} says {view.code}" for view in stalled)
    message = f"{said}, while {', '.join(serving)} would take writes: theirs may hang too"
    return [Disagreement("stall", message, tuple(str(view.member) for view in stalled))]


def _real_uuid(uuid: str | None) -> str | None:
    # A node that was never in a primary component has an all-zero UUID. That contradicts no other node.
    return uuid if uuid and uuid.strip("0-") else None


def _components(primary: list[_Told]) -> dict[object, list[_Told]]:
    """Return the primary components with the names of their nodes.

    Two nodes of one component may show successive configurations while the membership changes. So components are told
    apart by UUID, and within one UUID by their member lists: lists that overlap belong to one component. SQL lists
    addresses, a keeper the members' group UUIDs, whoever tells the other facts of its member. A responder lists neither
    to another host: without lists, components are apart where each is complete, with as many nodes as it counts.
    """
    by_uuid = _group(primary, lambda reading: _real_uuid(reading.status.wsrep_cluster_state_uuid))
    if len(by_uuid) > 1:
        return by_uuid
    by_address = _merge(primary, _addresses)
    by_group = _merge(primary, lambda one: one.component)
    found = next((one for one in (by_address, by_group) if len(one) > 1), None)
    return found if found is not None else _whole(primary)


def _addresses(one: _Told) -> frozenset[str]:
    return frozenset(map(str, parse_incoming_addresses(one.reading.status.wsrep_incoming_addresses or "")))


def _merge(primary: list[_Told], members_of: Callable[[_Told], frozenset[str]]) -> dict[object, list[_Told]]:
    """Return the nodes by the members that they list. Who lists none is left out.

    Overlapping lists are merged, so that the result does not depend on which node was asked first. But a list that as
    many nodes tell as it has members is a component, whatever others list: else one node whose list is old, or made up,
    would join two components that have each counted themselves.
    """
    tellers: dict[frozenset[str], list[_Told]] = defaultdict(list)
    for one in primary:
        tellers[members_of(one)].append(one)
    whole = {members: told for members, told in tellers.items() if members and len(told) >= len(members)}
    if len(whole) > 1 and sum(map(len, whole)) == len(frozenset().union(*whole)):
        return dict(whole.items())
    lists: list[tuple[frozenset[str], list[_Told]]] = []
    for one in primary:
        members = members_of(one)
        if members:
            same = [each for each in lists if each[0] & members]
            lists = [each for each in lists if not each[0] & members]
            lists.append((members.union(*(each[0] for each in same)), [*(each for s in same for each in s[1]), one]))
    return dict(lists)


def _whole(primary: list[_Told]) -> dict[object, list[_Told]]:
    """Return the nodes by configuration, where every configuration has as many nodes here as they count in it.

    While a node joins or leaves, some node still counts it: such a picture is not whole, and nothing is concluded.
    """
    if any(_addresses(one) for one in primary):
        return {}
    by_conf = _group(primary, lambda reading: reading.status.wsrep_cluster_conf_id)
    whole = all(
        {one.reading.status.wsrep_cluster_size for one in group} == {len(group)} for group in by_conf.values()
    ) and sum(map(len, by_conf.values())) == len(primary)
    return {f"configuration {conf}": group for conf, group in by_conf.items()} if whole else {}


def _group(told: list[_Told], key: Callable[[Reading], object]) -> dict[object, list[_Told]]:
    groups: dict[object, list[_Told]] = defaultdict(list)
    for one in told:
        value = key(one.reading)
        if value is not None:
            groups[value].append(one)
    return groups


def _labels(told: Iterable[_Told]) -> str:
    return ", ".join(one.label for one in told)


def _disagreement(code: str, claim: str, groups: dict[object, list[_Told]]) -> Disagreement:
    sides = "; ".join(f"{_side(value)} on {_labels(group)}" for value, group in groups.items())
    return Disagreement(code, f"{claim}: {sides}", tuple(one.name for group in groups.values() for one in group))


def _side(value: object) -> str:
    return "+".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)
