"""The file that lists clusters: one a line, its name, a colon and a space, and its members' responders."""

from __future__ import annotations

from typing import NamedTuple

from ...config.xha_conf import RESPONDER_PORT
from ...text.escape import clean
from ..members import Member, parse_member

# A page of more is not looked at, and one deadline does not reach.
_MOST_CLUSTERS, _MOST_MEMBERS = 1000, 100
_LONGEST = 100


class FleetCluster(NamedTuple):
    """A cluster, and where the responders of its members are."""

    name: str
    members: tuple[Member, ...]


def parse_fleet(text: str) -> tuple[FleetCluster, ...]:
    """Return the clusters of lines as `prod: 10.0.0.1 10.0.0.2:49001 [fd00::1]`. `#` begins a comment.

    :raises ValueError: naming the line and what is wrong with it, or if there is no cluster.
    """
    found: dict[str, FleetCluster] = {}
    for number, row in enumerate(text.splitlines(), 1):
        line = row.partition("#")[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(": ")
        name = clean(name, _LONGEST)
        if not colon or not name or not rest.split():
            raise ValueError(f"line {number}: write a name, a colon, and members, as prod: 10.0.0.1 10.0.0.2 10.0.0.3")
        if name in found:
            raise ValueError(f"line {number}: the name {name!r} stands twice")
        try:
            members = tuple(dict.fromkeys(_member(word) for word in rest.split()))
        except ValueError as error:
            raise ValueError(f"line {number}: {clean(str(error))}") from None
        if len(members) > _MOST_MEMBERS or len(found) >= _MOST_CLUSTERS:
            raise ValueError(f"line {number}: more than {_MOST_MEMBERS} members, or {_MOST_CLUSTERS} clusters")
        found[name] = FleetCluster(name, members)
    if not found:
        raise ValueError("it lists no cluster; write lines as prod: 10.0.0.1 10.0.0.2 10.0.0.3")
    return tuple(found.values())


def _member(word: str) -> Member:
    member = parse_member(word)
    return member._replace(port=member.port or RESPONDER_PORT)
