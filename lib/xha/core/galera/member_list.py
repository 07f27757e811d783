"""What is wrong with a list of members, as one host sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .cluster_address import BadAddress, name_members, normalise, parse_cluster_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .cluster_address import Peer


_REMEDY = "set it to gcomm://HOST,HOST,HOST, all hosts that hold data"


class MemberFault(NamedTuple):
    """A fault as a sentence, and what to do. severe: with it the agent does not start a server here.

    rewrites: the remedy is to write the list anew, and nothing else.
    """

    text: str
    remedy: str
    severe: bool = True
    rewrites: bool = True

    def __str__(self) -> str:
        return f"{self.text}: {self.remedy}"


def find_member_faults(  # noqa: PLR0913 - what a host knows of names and addresses
    text: str,
    me: str,
    *,
    resolved: Mapping[str, Collection[str]],
    own: Collection[str],
    host_map: Mapping[str, str],
    arbitrators: tuple[Peer, ...],
    where: str = "",
) -> Iterator[MemberFault]:
    """Yield what is wrong with wsrep_cluster_address.

    me: Pacemaker's name of this host. resolved: the addresses of each host of the list, as this host's resolver has
    them. own: this host's addresses. where: the file or resource that the list is in, as a part of a sentence.
    """
    place = f" in {where}" if where else ""
    try:
        peers = parse_cluster_address(text).peers if text else ()
    except BadAddress as error:
        yield MemberFault(f"wsrep_cluster_address{place}: {error}", _REMEDY)
        return
    if not peers:
        yield MemberFault(f"wsrep_cluster_address names no member{place}", _REMEDY)
        return
    for host in (peer.host for peer in peers if not resolved.get(peer.host)):
        remedy = "correct it, DNS or /etc/hosts"
        yield MemberFault(
            f"wsrep_cluster_address: {host} does not resolve on this host", remedy, severe=False, rewrites=False
        )
    membership = name_members(
        peers,
        nodes=[me],
        host_map=host_map,
        resolved={host: [normalise(one) for one in addresses] for host, addresses in resolved.items()},
        reported={me: frozenset(own)},
        arbitrators=arbitrators,
    )
    if me not in membership.names:
        remedy = "add it, or set cluster_host_map"
        yield MemberFault(f"wsrep_cluster_address does not name this host, {me}", remedy, rewrites=False)
    for sentence in membership.ambiguous:
        remedy = "name each host once, or set cluster_host_map"
        yield MemberFault(f"wsrep_cluster_address is ambiguous: {sentence}", remedy, rewrites=False)
