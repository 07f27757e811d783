"""Parses wsrep_cluster_address, and finds which Pacemaker node each of its hosts is.

Whatever Galera accepts is read as Galera does (galerautils/src/gu_uri.cpp, gcomm/src/gmcast.cpp): empty places and
repeated hosts do not count, and a slash ends the list. The server gets the list rendered: Galera does not resolve a
host with a blank before it, and goes on without that host.

A host that is mapped to the wrong node, or to none, changes which nodes must report before a cluster is formed. So only
equal names and equal addresses count: node1 never matches node10. Proofs that contradict each other are reported; none
is preferred.
"""

from __future__ import annotations

import re

from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from ipaddress import IPv4Address, IPv6Address

SCHEME, GROUP_PORT = "gcomm://", 4567
_URI = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)


class BadAddress(ValueError):
    """A list of members that cannot be parsed. The text says where the error is and what to write instead."""


class Peer(NamedTuple):
    """One host of the list: a name as written, or an address as `ipaddress` writes it; and its port if it has one."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


class ClusterAddress(NamedTuple):
    """wsrep_cluster_address: the hosts in their order, and the options behind the question mark as written."""

    peers: tuple[Peer, ...] = ()
    options: str = ""


class Membership(NamedTuple):
    """The Pacemaker nodes that the hosts of the list are.

    names: the members in the order of the list. A host that is no Pacemaker node keeps its own name.
    peers: each member as the list writes it.
    unknown: the hosts that are no node.
    ambiguous: a sentence for each contradiction between proofs. While there is one, no node may form a cluster.
    arbitrators: hosts that only vote. They are no members.
    """

    names: tuple[str, ...]
    peers: tuple[Peer, ...] = ()
    unknown: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    arbitrators: tuple[str, ...] = ()


def parse_cluster_address(text: str) -> ClusterAddress:
    """Return the parts of `gcomm://h1,10.0.0.2:4567,[fd00::3]:4567?pc.wait_prim=no`.

    Behind a slash or a # Galera reads no hosts and reports nothing, so nothing may stand there.

    :raises BadAddress: if it cannot be parsed.
    """
    text = text.strip()
    if not text.startswith(SCHEME):
        raise BadAddress(f"{text!r} does not begin with {SCHEME}")
    parts = _URI.fullmatch(text[len(SCHEME) :])
    assert parts is not None  # it matches any text
    hosts, path, options, fragment = parts.groups()
    unread = fragment or path.strip().lstrip("/")
    if unread:
        raise BadAddress(f"{unread!r} in {text!r} stands behind a / or a #, where Galera reads no hosts")
    return ClusterAddress(parse_peers(hosts), (options or "").strip())


def render_cluster_address(address: ClusterAddress) -> str:
    """Return the text for mysqld's --wsrep-cluster-address."""
    options = f"?{address.options}" if address.options else ""
    return f"{SCHEME}{','.join(map(str, address.peers))}{options}"


def correct_cluster_address(text: str) -> str:
    """Return the list rendered if Galera would not read it as it is meant, "" if there is nothing to correct.

    A list that cannot be parsed is returned to nobody: whoever needs it says what is wrong with it.
    """
    try:
        rendered = render_cluster_address(parse_cluster_address(text))
    except BadAddress:
        return ""
    return "" if rendered == text else rendered


def parse_peers(text: str) -> tuple[Peer, ...]:
    """Return a list of hosts separated by commas, such as the parameter `arbitrators`, each once; () for an empty text.

    :raises BadAddress: if it cannot be parsed.
    """
    peers = [_parse_peer(word.strip(), text) for word in text.split(",") if word.strip()]
    once: dict[tuple[str, int], Peer] = {}
    for peer in peers:
        once.setdefault((normalise(peer.host), peer.port or GROUP_PORT), peer)
    return tuple(once.values())


def parse_host_map(text: str) -> dict[str, str]:
    """Return {node: host} from cluster_host_map `pcmk1:galera1;pcmk2:galera2`. Raises BadAddress."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(";"))):
        node, colon, host = (word.strip() for word in pair.partition(":"))
        if not node or not colon:
            raise BadAddress(f"{pair!r} is no pair: write pacemaker-node:galera-host;...")
        host = _parse_peer(host, text).host
        if node in found:
            raise BadAddress(f"{node} stands twice in {text!r}")
        if normalise(host) in map(normalise, found.values()):
            raise BadAddress(f"two nodes are {host} in {text!r}")
        found[node] = host
    return found


def normalise(host: str) -> str:
    """Return one spelling for all ways to write a host: addresses as `ipaddress` writes them, names in lower case."""
    address = _parse_address(host.strip("[]"))
    if address is None:
        return host.lower().rstrip(".")
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def name_members(  # noqa: PLR0913 - four sources of names and addresses, none of which follows from another
    peers: Iterable[Peer],
    *,
    nodes: Sequence[str],
    host_map: Mapping[str, str] | None = None,
    resolved: Mapping[str, Iterable[str]] | None = None,
    reported: Mapping[str, Iterable[str]] | None = None,
    arbitrators: Iterable[Peer] = (),
) -> Membership:
    """Return which Pacemaker node each host of the list is.

    host_map: the parameter cluster_host_map.
    resolved: the addresses that each name resolves to.
    reported: the addresses in each node's own report.

    A host is a node if one of these holds:

    - cluster_host_map says so.
    - Their names are equal. A short name equals the first label of a full name.
    - They share an address that no other node has. With several nodes, loopback addresses prove nothing.
    """
    book = _Book(tuple(dict.fromkeys(nodes)), host_map or {}, resolved or {}, reported or {})
    members: dict[str, Peer] = {}
    voters: list[str] = []
    unknown: list[str] = []
    ambiguous: list[str] = []
    voting = tuple(arbitrators)
    for peer in peers:
        if any(book.same_host(peer.host, voter.host) for voter in voting):
            voters.append(peer.host)
            continue
        found = book.find(peer.host)
        if len(found) > 1:
            ambiguous.append(f"{peer.host} is {' and '.join(found)} at once")
        if len(found) != 1:
            unknown.append(peer.host)
        name = found[0] if len(found) == 1 else peer.host
        if name in members:
            ambiguous.append(f"{members[name].host} and {peer.host} are both the node {name}")
            continue
        members[name] = peer
    return Membership(tuple(members), tuple(members.values()), tuple(unknown), tuple(ambiguous), tuple(voters))


class _Book(NamedTuple):
    """All that is known about names and addresses."""

    nodes: tuple[str, ...]
    host_map: Mapping[str, str]
    resolved: Mapping[str, Iterable[str]]
    reported: Mapping[str, Iterable[str]]

    def find(self, host: str) -> list[str]:
        """Return the nodes that a host may be, in their order. More than one: the proofs contradict each other."""
        mapped = [node for node in self.nodes if node in self.host_map and self.same_host(host, self.host_map[node])]
        named = _equal_names(host, self.nodes)
        proven = {*mapped, *named, *(self._owner(address) for address in self.addresses(host))}
        return [node for node in self.nodes if node in proven]

    def _owner(self, address: str) -> str | None:
        """Return the one node that reports an address; if no node reports it, the one whose name resolves to it."""
        reporters = [node for node in self.nodes if address in self._useful(self.reported.get(node, ()))]
        owners = reporters or [node for node in self.nodes if address in self.addresses(node)]
        return owners[0] if len(owners) == 1 else None

    def same_host(self, one: str, other: str) -> bool:
        return normalise(one) == normalise(other) or bool(self.addresses(one) & self.addresses(other))

    def addresses(self, host: str) -> set[str]:
        return self._useful([host, *self.resolved.get(host, ())])

    def _useful(self, words: Iterable[str]) -> set[str]:
        found = set()
        for word in words:
            address = _parse_address(normalise(word))
            alone = len(self.nodes) == 1
            if address and not (address.is_unspecified or address.is_link_local or (address.is_loopback and not alone)):
                found.add(str(address))
        return found


def _equal_names(host: str, nodes: Iterable[str]) -> list[str]:
    """Return the nodes with the name of the host.

    If no node has exactly this name, return the nodes whose short name equals it, or whose full name it shortens. An
    address has no short name.
    """
    name = normalise(host)
    exact = [node for node in nodes if normalise(node) == name]
    if exact or _is_address(name):
        return exact
    return [
        node
        for node in nodes
        if not _is_address(node)
        and ("." in name) != ("." in normalise(node))
        and name.partition(".")[0] == normalise(node).partition(".")[0]
    ]


def _is_address(host: str) -> bool:
    return _parse_address(host.strip("[]")) is not None


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address, None for a name."""
    if ":" not in host and not host.replace(".", "").isdigit():
        return None  # a name: ipaddress is not imported for it
    from ipaddress import ip_address

    try:
        return ip_address(host)
    except ValueError:
        return None


def _parse_peer(word: str, text: str) -> Peer:
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", word)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
        if not _is_address(host) or ":" not in host:
            raise BadAddress(f"[{host}] in {text!r} is no IPv6 address")
        return Peer(normalise(host), _parse_port(port, word))
    if word.count(":") > 1:
        raise BadAddress(f"{word!r} in {text!r} is neither host nor host:port: an IPv6 address stands in [ ]")
    host, colon, port = word.partition(":")
    if _NAME.fullmatch(host) is None or (host.rstrip(".").rpartition(".")[2].isdigit() and not _is_address(host)):
        what = f"{host!r} in {text!r} is no host" if host else f"a host is missing in {text!r}"
        raise BadAddress(what)
    return Peer(normalise(host) if _is_address(host) else host, _parse_port(port if colon else None, word))


def _parse_port(port: str | None, word: str) -> int | None:
    if not port:  # an empty one is none (RFC 3986)
        return None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise BadAddress(f"{port!r} in {word!r} is no port (1 to 65535)")
    return int(port)
