"""Who the members of a cluster are: their SQL addresses, as the configuration, Galera and the resolver name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Callable


class Member(NamedTuple):
    """A node's SQL address. port is None where only the group's address is known."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


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

    An entry is ADDRESS:PORT. MariaDB puts brackets around an IPv6 address; the wsrep patch of MySQL, and of MariaDB
    before it had wsp::Address, adds the port to a bare bind_address (sql/wsrep_mysqld.cc). An operator may have written
    wsrep_node_incoming_address without a port. So four or five digits at the end of a bare address are the port, if the
    rest is an address too, and so is 0: hosts seldom have an address that ends in a zero group. Port 0 is none: MariaDB
    writes it where `port` is in no option file (seen, 10.11).

    :raises ValueError: naming the text.
    """
    rest, _, port = text.rpartition(":")
    if port == "0" and (rest.startswith("[") or ":" not in rest):
        return parse_member(rest)
    said = port == "0" or (port.isascii() and port.isdigit() and len(port) in (4, 5))
    if ":" in rest and not text.startswith("[") and said:
        from ipaddress import IPv6Address

        try:
            bare = f"[{IPv6Address(rest)}]"
            return parse_member(bare if port == "0" else f"{bare}:{port}")
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
    return tuple(Member(member.host) for member in _members(re.split(r"[/?#]", rest)[0], parse_member))


def parse_incoming_addresses(addresses: str) -> tuple[Member, ...]:
    """Return the SQL addresses of wsrep_incoming_addresses. Empty entries (arbitrators) and AUTO are left out."""
    return tuple(_members(addresses, parse_incoming_member))


def name_members(incoming: str, cluster_address: str) -> tuple[Member, ...]:
    """Return the members that wsrep_incoming_addresses names, and where it leaves some out, of the other list.

    AUTO stands there for a server that does not know its address, and nothing for an arbitrator, which the other list
    may have like a server. So of that as many are taken as are AUTO, and as the list may have under another name than
    the first one. Who is in both under two names is here twice.
    """
    named = parse_incoming_addresses(incoming)
    entries = [word.strip() for word in incoming.split(",")]
    listed = parse_cluster_address(cluster_address)
    addresses = {member.host for member in listed}
    hosts = {member.host for member in named}
    unnamed = sum(bool(entry) for entry in entries) - len(named)
    if not unnamed:
        return named
    others = [member for member in listed if member.host not in hosts]
    return (*named, *others[: unnamed + len(hosts - addresses)])


def _members(listing: str, parse: Callable[[str], Member]) -> Iterable[Member]:
    for word in listing.split(","):
        if word.strip() and word.strip() not in ("AUTO", "undefined"):
            try:
                yield parse(word.strip())
            except ValueError:
                continue


def merge_members(
    known: Iterable[Member],
    incoming: Iterable[Member],
    default_port: int,
    resolved: Mapping[str, Iterable[str]] | None = None,
) -> tuple[Member, ...]:
    """Return each member once: first the known ones in their order, then the incoming ones sorted by address.

    An incoming address supplies the port of a known host that has none. Galera lists incoming addresses by ids that the
    servers draw at random, so without sorting a restart of one server would move the rows of all.

    resolved: the addresses of the known names. An incoming address that a name has is called by that name: where nobody
    may log in there, no UUID of the server tells that both are one member.
    """
    names = {address: host for host, addresses in (resolved or {}).items() for address in addresses}
    incoming = [one._replace(host=names.get(one.host, one.host)) for one in sorted(incoming, key=_by_number)]
    ports = {member.host: member.port for member in incoming if member.port}
    merged = [Member(one.host, one.port or ports.get(one.host) or default_port) for one in (*known, *incoming)]
    return tuple(dict.fromkeys(merged))


def _by_number(member: Member) -> list[tuple[int, str]]:
    """Return a sort key that compares runs of digits as numbers of any length: db2 sorts before db10."""
    words = re.split("([0-9]+)", str(member))
    return [(len(word.lstrip("0")) if index % 2 else 0, word) for index, word in enumerate(words)]
