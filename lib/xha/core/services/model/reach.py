"""Why a service cannot be reached: by its own fault, or because the section does not say where it listens. Pure.

A daemon that listens on another address than the section names refuses the connection too. The kernel knows where its
processes listen, so that is asked before anybody is blamed.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from .result import Result, failed, unknown

if TYPE_CHECKING:
    from typing import Union

    from .result import Level

    # An address and a port, or the path of a unix socket.
    Place = Union[tuple[str, int], str]

_SHOWN = 3


class Unmet(Exception):
    """The check's own settings do not suffice: nothing is known about the service. The text says what is needed."""


class Whereabouts(NamedTuple):
    """Where the processes of a service listen on this host.

    pid: its oldest main process; None: none runs, or processes are hidden. is_seen: its sockets could be examined.
    places: where it listens. If its sockets are hidden, they are all listeners that its accounts have made.
    """

    pid: int | None = None
    is_seen: bool = True
    places: tuple[Place, ...] = ()


class Attempt(NamedTuple):
    """A place that was asked and gave no connection.

    said: the sentence of the failure. key: the key of the section that says where the service is.
    ports: on which it may be found instead, for a daemon that has ports for other purposes; (): on any.
    is_aside: the place is not where the service serves, but a socket to administer it, which it may lack.
    """

    place: Place
    said: str
    key: str
    ports: tuple[int, ...] = ()
    proved: str = ""
    is_aside: bool = False


def judge_unreached(name: str, level: Level, attempt: Attempt, seen: Whereabouts) -> Result:
    """Return the result if nothing was reached at the place that the section names.

    It is the service's own fault unless a process of it runs and listens elsewhere. Whose a listener is, is not known
    if sockets are hidden; then only one on the same port, at another address, counts: the service may be that one.
    """
    asked, said, proved = attempt.place, attempt.said, attempt.proved
    covering = [place for place in seen.places if covers(place, asked)]
    elsewhere = [place for place in seen.places if place not in covering]
    if attempt.ports:
        elsewhere = [place for place in elsewhere if isinstance(place, str) or place[1] in attempt.ports]
    if not seen.is_seen:
        elsewhere = [place for place in elsewhere if _is_like(place, asked)]
    # What serves without a socket to administer it listens somewhere; an HAProxy that ends after a reload does not.
    may_lack = attempt.is_aside and not seen.is_seen
    if seen.pid is None or (covering and seen.is_seen) or not (elsewhere or may_lack):
        return failed(name, level, said, proved=proved)
    found = f"its process {seen.pid} runs"
    if elsewhere and seen.is_seen:
        found = f"its process {seen.pid} listens on {_list(elsewhere, asked)}"
    elif elsewhere:
        found = f"{_list(elsewhere, asked)} is somebody's; CAP_SYS_PTRACE shows whether it is process {seen.pid}'s"
    return unknown(name, level, f"needs {attempt.key}: {said}; {found}", proved=proved)


def place_text(place: Place) -> str:
    """Return a place as messages name it."""
    return place if isinstance(place, str) else f"{place[0]} port {place[1]}"


def covers(place: Place, asked: Place) -> bool:
    """Return whether a connection to `asked` reaches a listener at `place`."""
    if isinstance(place, str) or isinstance(asked, str):
        return place == asked
    if place[1] != asked[1]:
        return False
    try:
        here, there = ip_address(place[0]), ip_address(asked[0])
    except ValueError:
        return place[0] == asked[0]
    # :: takes IPv4 too, unless bindv6only is set: then the answer names what listens, which is enough
    return here == there or (here.is_unspecified and here.version in (there.version, 6))


def _is_like(place: Place, asked: Place) -> bool:
    if isinstance(place, str) or isinstance(asked, str):
        return isinstance(place, str) and isinstance(asked, str) and _base(place) == _base(asked)
    return place[1] == asked[1]


def _distance(place: Place, asked: Place) -> tuple[bool, bool]:
    """Sort what is most like the place that was asked first: of its kind, then on its port or of its name."""
    return isinstance(place, str) is not isinstance(asked, str), not _is_like(place, asked)


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _list(places: list[Place], asked: Place) -> str:
    nearest = sorted(places, key=lambda place: (*_distance(place, asked), place_text(place)))
    text = ", ".join(place_text(place) for place in nearest[:_SHOWN])
    return f"{text}, ..." if len(places) > _SHOWN else text
