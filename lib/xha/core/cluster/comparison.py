"""Compares the answers of several nodes: who the members are, and where the answers contradict each other."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from ..galera.reading import Reading
from ..node.verdict import Unreadable, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable

UNREACHABLE = "unreachable"


class Member(NamedTuple):
    """A node's SQL address. port is None where only the group's address is known."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


class MemberAnswer(NamedTuple):
    """What one member answered, and the verdict on it."""

    member: Member
    reading: Reading | Unreadable
    verdict: Verdict


class Disagreement(NamedTuple):
    """A contradiction between members. nodes: the members' names, as the table shows them."""

    code: str
    message: str
    nodes: tuple[str, ...]


def parse_member(text: str) -> Member:
    """Return the member of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.

    An IPv6 address is written in its one canonical form (RFC 5952), so that the same member is not listed twice.

    :raises ValueError: naming the text.
    """
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or (rest and colon != ":"):
            raise ValueError(f"{text!r} is not a member's address, as 10.0.0.1, db1:3306 or [fd00::1]:3306")
    elif not colon or ":" in host:
        host, colon, port = text, "", ""
    valid_port = port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
    if not host or (colon and not valid_port):
        raise ValueError(f"{text!r} is not a member's address, as 10.0.0.1, db1:3306 or [fd00::1]:3306")
    return Member(_canonical(host), int(port) if colon else None)


def _canonical(host: str) -> str:
    if ":" not in host:
        return host
    from ipaddress import ip_address

    try:
        return str(ip_address(host))
    except ValueError:
        return host


def parse_incoming_member(text: str) -> Member:
    """Return the member of one entry of wsrep_incoming_addresses.

    An entry is ADDRESS:PORT. Not every server has put brackets around an IPv6 address, and an operator may have written
    wsrep_node_incoming_address without a port. So four or five digits at the end of a bare address are the port, if the
    rest is an address too.

    :raises ValueError: naming the text.
    """
    rest, _, port = text.rpartition(":")
    if ":" in rest and not text.startswith("[") and port.isascii() and port.isdigit() and len(port) in (4, 5):
        from ipaddress import IPv6Address

        try:
            return parse_member(f"[{IPv6Address(rest)}]:{port}")
        except ValueError:  # the digits are a group of the address
            pass
    return parse_member(text)


def parse_cluster_address(address: str) -> tuple[Member, ...]:
    """Return the hosts of wsrep_cluster_address (`gcomm://a,b:4567?options`), without ports.

    The ports in that address are those of group communication, not of SQL.
    """
    scheme, separator, rest = address.partition("://")
    if scheme != "gcomm" or not separator:
        return ()
    return tuple(Member(member.host) for member in _members(rest.partition("?")[0], parse_member))


def parse_incoming_addresses(addresses: str) -> tuple[Member, ...]:
    """Return the SQL addresses of wsrep_incoming_addresses. Empty entries (arbitrators) and AUTO are left out."""
    return tuple(_members(addresses, parse_incoming_member))


def _members(listing: str, parse: Callable[[str], Member]) -> Iterable[Member]:
    for word in listing.split(","):
        if word.strip() and word.strip() not in ("AUTO", "undefined"):
            try:
                yield parse(word.strip())
            except ValueError:
                continue


def merge_members(known: Iterable[Member], incoming: Iterable[Member], default_port: int) -> tuple[Member, ...]:
    """Return each member once: first the known ones in their order, then the incoming ones sorted by address.

    An incoming address supplies the port of a known host that has none. Galera lists incoming addresses by ids that the
    servers draw at random, so without sorting a restart of one server would move the rows of all.
    """
    incoming = sorted(incoming, key=_by_number)
    ports = {member.host: member.port for member in incoming if member.port}
    merged = [Member(one.host, one.port or ports.get(one.host) or default_port) for one in (*known, *incoming)]
    return tuple(dict.fromkeys(merged))


def _by_number(member: Member) -> list[tuple[int, str]]:
    """Return a sort key that compares runs of digits as numbers of any length: db2 sorts before db10."""
    words = re.split("([0-9]+)", str(member))
    return [(len(word.lstrip("0")) if index % 2 else 0, word) for index, word in enumerate(words)]


def find_disagreements(answers: Iterable[MemberAnswer]) -> tuple[Disagreement, ...]:
    """Return where the members that were read contradict each other, the most serious first."""
    read = [(str(one.member), one.reading) for one in answers if isinstance(one.reading, Reading)]
    primary = [(name, reading) for name, reading in read if reading.status.wsrep_cluster_status == "Primary"]
    found = []
    by_uuid = _group(read, lambda reading: _real_uuid(reading.status.wsrep_cluster_state_uuid))
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
    outside = [name for name, reading in read if reading.status.wsrep_cluster_status != "Primary"]
    if outside and primary:
        message = f"{', '.join(outside)} outside the primary component of {', '.join(name for name, _ in primary)}"
        found.append(Disagreement("outside", message, tuple(outside)))
    return tuple(found)


def _real_uuid(uuid: str | None) -> str | None:
    # A node that was never in a primary component has an all-zero UUID. That contradicts no other node.
    return uuid if uuid and uuid.strip("0-") else None


def _components(primary: list[tuple[str, Reading]]) -> dict[object, list[str]]:
    """Return the primary components with the names of their nodes.

    Two nodes of one component may show successive configurations while the membership changes. So components are told
    apart by UUID, and within one UUID by their member lists: lists that overlap belong to one component.
    """
    by_uuid = _group(primary, lambda reading: _real_uuid(reading.status.wsrep_cluster_state_uuid))
    if len(by_uuid) > 1:
        return by_uuid
    lists: list[tuple[frozenset[str], list[str]]] = []
    for name, reading in primary:
        members = frozenset(map(str, parse_incoming_addresses(reading.status.wsrep_incoming_addresses or "")))
        if not members:
            return {}
        # Overlapping lists are merged, so that the result does not depend on which node was asked first.
        same = [one for one in lists if one[0] & members]
        lists = [one for one in lists if not one[0] & members]
        lists.append((members.union(*(one[0] for one in same)), [*(each for one in same for each in one[1]), name]))
    return dict(lists)


def _group(read: list[tuple[str, Reading]], key: Callable[[Reading], object]) -> dict[object, list[str]]:
    groups: dict[object, list[str]] = defaultdict(list)
    for name, reading in read:
        value = key(reading)
        if value is not None:
            groups[value].append(name)
    return groups


def _disagreement(code: str, claim: str, groups: dict[object, list[str]]) -> Disagreement:
    sides = "; ".join(f"{_side(value)} on {', '.join(names)}" for value, names in groups.items())
    return Disagreement(code, f"{claim}: {sides}", tuple(name for names in groups.values() for name in names))


def _side(value: object) -> str:
    return "+".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)
