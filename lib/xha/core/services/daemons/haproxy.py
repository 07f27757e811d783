"""HAProxy and its VIP: judges `show info` and `show stat` (management.txt, 9.1 and 9.3), and who holds the VIP."""

from __future__ import annotations

import csv
import ipaddress
import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ...text.values import parse_choice, parse_path, parse_port, parse_text, parse_words
from ..model.kind import Proof, Service
from ..model.result import SELF, Level, Result, cautioned, dependency, failed, passed
from ..model.values import parse_percentage

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExpectedVip(Enum):
    """Who should hold the VIP, as seen from this host."""

    EXACTLY_ONE = "exactly-one"
    HOLDER = "holder"
    NOT_HOLDER = "not-holder"


class HaproxySettings(NamedTuple):
    """The section of an HAProxy. backends empty: all. ignore: names to leave out. vip_ports: tried at the VIP."""

    name: str
    process: str
    deadline: float
    stats_socket: str = "/run/haproxy/admin.sock"
    backends: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    max_connections_used: float = 0.9
    vip: tuple[str, ...] = ()
    vip_ports: tuple[int, ...] = ()
    vip_expect: ExpectedVip = ExpectedVip.EXACTLY_ONE


def parse_info(text: str) -> dict[str, str]:
    """Return the lines `Name: value` of `show info`."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def judge_info(settings: HaproxySettings, level: Level, info: dict[str, str]) -> Result:
    """Return whether the process that answers is in service and has connections left."""
    name = settings.name
    if "Uptime_sec" not in info:
        return failed(name, level, "show info: what answers is no HAProxy")
    if info.get("Stopping", "0") == "1":
        return failed(name, level, "the process that answers is stopping: the socket is of an old one")
    proved = f"HAProxy {info.get('Version', '')[:20]}, up for {info['Uptime_sec']} s, answers on its socket"
    used, limit = _number(info.get("CurrConns")), _number(info.get("Maxconn"))
    if limit and used > settings.max_connections_used * limit:
        return cautioned(name, level, f"{used} of {limit} connections are in use", proved=proved)
    return passed(name, level, proved)


def _number(text: str | None) -> int:
    return parse_int(text or "") or 0


# A row has at least 300 bytes.
_MAX_ROWS = 20_000


class Backend(NamedTuple):
    """One backend: its status and weight as HAProxy counts it, and its servers' states without transitional ones."""

    name: str
    status: str
    servers: tuple[tuple[str, str], ...]


def parse_backends(text: str) -> list[Backend]:
    """Return the backends of `show stat`. :raises ValueError: for a text that is no such table."""
    # Row by row: a table of 4 MiB that is converted to dictionaries at once needs ten times as much memory.
    rows = csv.DictReader(line[0] for line in re.finditer(r"[^\r\n]+", text.lstrip("# ")))
    servers: dict[str, list[tuple[str, str]]] = {}
    own: list[tuple[str, str]] = []
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            name, server, status = row.get("pxname"), row.get("svname"), row.get("status")
            if name is None or server is None or status is None or number > _MAX_ROWS:
                raise ValueError("show stat: what answers is no HAProxy")
            if server == "BACKEND":
                own.append((name, status))
            # `option socket-stats` adds a row for each socket, whose status is OPEN.
            elif server != "FRONTEND" and status != "OPEN":
                servers.setdefault(name, []).append((server, status))
    except csv.Error:
        number = 0
    if not number:
        raise ValueError("show stat: what answers is no HAProxy")
    return [Backend(name, status, tuple(servers.get(name, ()))) for name, status in own]


# Taken out by hand, or by the server itself. That is no fault.
_RESTING = re.compile(r"MAINT|DRAIN|NOLB")


def judge_backends(settings: HaproxySettings, backends: Iterable[Backend], proved: str) -> Result:
    """Return the state of the chosen backends. The blame is on the backend that is down: HAProxy itself works."""
    name, level = settings.name, Level.DEEP
    chosen = [one for one in backends if _is_chosen(settings, one)]
    missing = set(settings.backends) - {one.name for one in chosen}
    if missing:
        return failed(name, level, f"there is no backend {', '.join(sorted(missing))}", proved=proved)
    down = [one for one in chosen if one.status.startswith("DOWN")]
    if down:
        faults = ", ".join(_describe(one) for one in down)
        return failed(name, level, f"no server left in {faults}", blame=dependency(down[0].name), proved=proved)
    sick = [(one.name, server) for one in chosen for server, status in one.servers if status.startswith("DOWN")]
    proved = f"{len(chosen)} {'backend has' if len(chosen) == 1 else 'backends have'} a server"
    if sick:
        listing = ", ".join(f"{backend}/{server}" for backend, server in sick)
        return cautioned(name, level, f"down: {listing}", blame=dependency(sick[0][0]), proved=proved)
    return passed(name, level, proved)


def _is_chosen(settings: HaproxySettings, backend: Backend) -> bool:
    if settings.backends:
        return backend.name in settings.backends
    # A backend without servers cannot be down, for example a statistics page or a redirect.
    return backend.name not in settings.ignore and bool(backend.servers)


def _describe(backend: Backend) -> str:
    resting = [server for server, status in backend.servers if _RESTING.match(status)]
    return f"{backend.name} ({len(resting)} taken out by hand)" if resting else backend.name


class Vip(NamedTuple):
    """What was seen of one VIP.

    is_here: an interface that is up has it. is_dangling: an interface that is down has it.
    others: hardware addresses of other hosts that answer for it, None if the check could not look.
    faults: port and why there was no connection. tried: the ports.
    """

    address: str
    is_here: bool
    is_dangling: bool = False
    others: tuple[str, ...] | None = None
    faults: tuple[tuple[int, str], ...] = ()
    tried: tuple[int, ...] = ()


def judge_vip(settings: HaproxySettings, vip: Vip, proved: str) -> Result:
    """Return whether the right host holds the VIP, only one host holds it, and it is reachable."""
    name, level, expect = settings.name, Level.DEEP, settings.vip_expect
    if vip.is_dangling:
        return failed(name, level, f"the VIP {vip.address} is on an interface that is down", proved=proved)
    holders = len(vip.others or ()) + vip.is_here
    if holders > 1:
        who = ", ".join(vip.others or ())
        here = "this host and " if vip.is_here else ""
        return failed(name, level, f"the VIP {vip.address} is held twice: by {here}{who}", proved=proved)
    if expect is ExpectedVip.HOLDER and not vip.is_here:
        return failed(name, level, f"the VIP {vip.address} is not on this host", proved=proved)
    if expect is ExpectedVip.NOT_HOLDER and vip.is_here:
        return failed(name, level, f"the VIP {vip.address} is on this host, and should not be", proved=proved)
    blame = SELF if vip.is_here else dependency("vip")
    if vip.others is not None and not holders:
        return failed(name, level, f"nobody holds the VIP {vip.address}", blame=blame, proved=proved)
    if vip.faults:
        port, fault = vip.faults[0]
        return failed(name, level, f"the VIP {vip.address} port {port}: {fault}", blame=blame, proved=proved)
    if not vip.is_here and vip.others is None and not vip.tried:
        message = f"nobody knows who holds the VIP {vip.address}: set vip_ports, or give the check CAP_NET_RAW"
        return cautioned(name, level, message, proved=proved)
    where = "here" if vip.is_here else "elsewhere"
    alone = ", by one host" if vip.others is not None else ", by how many hosts needs CAP_NET_RAW"
    reached = f", reachable on {', '.join(map(str, vip.tried))}" if vip.tried else ""
    return passed(name, level, f"{proved}; the VIP {vip.address} is {where}{alone}{reached}")


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
        r"^(?:\S*/)?haproxy(?: |$)",
        HaproxySettings,
        {
            "stats_socket": parse_path,
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
                "every backend has a server (a frontend stays OPEN without); the VIP, where one is named, is held by "
                "who should hold it, and ports are reachable through it",
                "switches that still send the VIP's traffic to the host that had it",
                "a stats socket; for the VIP: vip, vip_ports; for a second holder: CAP_NET_RAW",
            ),
        },
        Level.DEEP,
        find_fault=_find_fault,
    ),
)
