"""HAProxy and its VIP: their section of xha.conf, and their row of the catalogue."""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ...text.values import parse_address, parse_choice, parse_path, parse_port, parse_text, parse_words
from ..model.kind import Proof, Service
from ..model.result import Level
from ..model.values import parse_percentage

if TYPE_CHECKING:
    from ..model.reach import Place


class ExpectedVip(Enum):
    """Who should hold the VIP, as seen from this host."""

    EXACTLY_ONE = "exactly-one"
    HOLDER = "holder"
    NOT_HOLDER = "not-holder"


class HaproxySettings(NamedTuple):
    """The section of an HAProxy. backends empty: all. ignore: names to leave out. vip_ports: tried at the VIP.

    stats_socket: a path, or an address and port; a worker's socket, or the master's.
    """

    name: str
    process: str
    deadline: float
    stats_socket: Place = "/run/haproxy/admin.sock"
    backends: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    max_connections_used: float = 0.9
    vip: tuple[str, ...] = ()
    vip_ports: tuple[int, ...] = ()
    vip_expect: ExpectedVip = ExpectedVip.EXACTLY_ONE
    neighbours: tuple[Place, ...] = ()


def parse_stats_socket(text: str) -> Place:
    """Return where a stats socket is, as haproxy.cfg has it after `stats socket`. :raises ValueError: naming the text.

    /run/haproxy/admin.sock, unix@/run/haproxy/admin.sock, 127.0.0.1:9999 or ipv4@127.0.0.1:9999
    """
    kind, at, rest = text.partition("@")
    place = rest if at and kind in ("unix", "ipv4", "ipv6") else text
    return parse_path(place) if place.startswith("/") else parse_address(place)


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_address(word)) for word in parse_words(parse_text(text)))


def _ports(text: str) -> tuple[int, ...]:
    return tuple(parse_port(word) for word in parse_words(parse_text(text)))


def _names(text: str) -> tuple[str, ...]:
    return tuple(parse_words(parse_text(text)))


def _find_fault(settings: HaproxySettings) -> tuple[str, str] | None:
    if settings.vip_ports and not settings.vip:
        return "vip_ports", "goes with vip"
    if settings.backends and settings.ignore:
        return "ignore", "backends says which ones already"
    return None


ROWS = (
    Service(
        "haproxy",
        "load balancer and its VIP",
        "haproxy",
        r"^(?:\S*/)?haproxy(?!\S| .*/(?:ns|ovn)-metadata-proxy/)",
        HaproxySettings,
        {
            "stats_socket": parse_stats_socket,
            "backends": _names,
            "ignore": _names,
            "max_connections_used": parse_percentage,
            "vip": _addresses,
            "vip_ports": _ports,
            "vip_expect": parse_choice(ExpectedVip),
        },
        {
            Level.PROCESS: Proof("an haproxy process exists and is not stopped", "whether it answers anybody"),
            Level.PROTOCOL: Proof(
                "`show info` is answered by a process that is not stopping and has connections left",
                "backends without a server",
                "a stats socket that the check may open",
            ),
            Level.DEEP: Proof(
                "every backend has a server (a frontend stays OPEN without), and every frontend accepts; the VIP, if "
                "one is named, is held by who should hold it, and ports are reachable through it",
                "switches that still send the VIP's traffic to the host that had it",
                "a stats socket; for the VIP: vip, vip_ports; for a second holder: CAP_NET_RAW",
            ),
        },
        Level.DEEP,
        find_fault=_find_fault,
        find_place=lambda settings: settings.stats_socket,
    ),
)
