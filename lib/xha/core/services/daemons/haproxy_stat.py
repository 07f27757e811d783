"""Parses and judges what HAProxy says: `show info`, `show stat`, `show servers state` (management.txt, 9.1 and 9.3)."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ..model.result import Level, Result, cautioned, dependency, failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .haproxy import HaproxySettings

# A row has at least 300 bytes.
_MAX_ROWS = 20_000
_NO_HAPROXY = "what answers is no HAProxy"


def parse_info(text: str) -> dict[str, str]:
    """Return the lines `Name: value` of `show info`. :raises ValueError: for an answer of something else."""
    pairs = (line.partition(":") for line in text.splitlines())
    info = {name.strip(): value.strip() for name, colon, value in pairs if colon}
    if "Uptime_sec" not in info:
        raise ValueError(f"show info: {_NO_HAPROXY}")
    return info


def judge_info(settings: HaproxySettings, level: Level, info: dict[str, str]) -> Result:
    """Return whether the process that answers is in service and has connections left."""
    name = settings.name
    if info.get("Stopping", "0") == "1":
        return failed(name, level, "the process that answers is stopping: the socket is of an old one")
    proved = f"HAProxy {info.get('Version', '')[:20]}, up for {info['Uptime_sec']} s, answers on its socket"
    used, limit = parse_int(info.get("CurrConns", "")), parse_int(info.get("Maxconn", ""))
    if used is None or not limit or "Stopping" not in info:
        absent = [key for key in ("CurrConns", "Maxconn", "Stopping") if parse_int(info.get(key, "")) is None]
        needs = f"needs the whole answer to show info: it has no {', '.join(absent) or 'Maxconn'}"
        return unknown(name, level, needs, proved=proved)
    if used > settings.max_connections_used * limit:
        return cautioned(name, level, f"{used} of {limit} connections are in use", proved=proved)
    return passed(name, level, proved)


class Frontend(NamedTuple):
    """One frontend: OPEN, PAUSED or STOP, and its connections with their limit."""

    name: str
    status: str
    used: int
    limit: int


class Backend(NamedTuple):
    """One backend: its status and weight as HAProxy counts it, and its servers' states without transitional ones."""

    name: str
    status: str
    servers: tuple[tuple[str, str], ...]


class Balance(NamedTuple):
    """What `show stat` says."""

    frontends: tuple[Frontend, ...]
    backends: tuple[Backend, ...]

    @property
    def has_unresolved(self) -> bool:
        """Whether a server has no address yet, so that `show servers state` tells more."""
        return any(status == UNRESOLVED for one in self.backends for _, status in one.servers)


def parse_stat(text: str) -> Balance:
    """Return the frontends and backends of `show stat`.

    :raises ValueError: for a text that is no such table, or only the beginning of one.
    """
    # Row by row: a table of 4 MiB that is converted to dictionaries at once needs ten times as much memory.
    rows = csv.DictReader(line[0] for line in re.finditer(r"[^\r\n]+", text.lstrip("# ")))
    servers: dict[str, list[tuple[str, str]]] = {}
    frontends: list[Frontend] = []
    own: list[tuple[str, str]] = []
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            name, server, status = row.get("pxname"), row.get("svname"), row.get("status")
            if name is None or server is None or status is None or number > _MAX_ROWS:
                raise ValueError(f"show stat: {_NO_HAPROXY}")
            if server == "BACKEND":
                own.append((name, status))
            elif server == "FRONTEND":
                frontends.append(Frontend(name, status, _count(row, "scur"), _count(row, "slim")))
            # `option socket-stats` adds a row for each socket, whose status is OPEN.
            elif status != "OPEN":
                servers.setdefault(name, []).append((server, status))
    except csv.Error:
        number = 0
    if not number:
        raise ValueError(f"show stat: {_NO_HAPROXY}")
    if not text.endswith("\n\n"):
        raise ValueError("show stat: the answer breaks off")
    backends = (Backend(name, status, tuple(servers.get(name, ()))) for name, status in own)
    return Balance(tuple(frontends), tuple(backends))


def _count(row: Mapping[str, str | None], column: str) -> int:
    number = parse_int(row.get(column) or "")
    if number is None:
        raise ValueError(f"show stat: a frontend without {column}")
    return number


def parse_server_names(text: str) -> dict[tuple[str, str], str]:
    """Return what each server is looked up as, by backend and server: a SRV record, or a host name. Others: absent."""
    lines = [line.split(" ") for line in text.splitlines()]
    columns = next((line[1:] for line in lines if line[0] == "#"), [])
    names = {}
    for line in lines:
        row = dict(zip(columns, line))
        record, host = row.get("srvrecord", "-"), row.get("srv_fqdn", "-")
        if "be_name" in row and "srv_name" in row and line[0] != "#" and (record, host) != ("-", "-"):
            names[row["be_name"], row["srv_name"]] = host if record == "-" else record
    return names


UNRESOLVED = "MAINT (resolution)"
# Taken out by hand, or by the server itself. That is no fault.
_RESTING = re.compile(r"MAINT|DRAIN|NOLB")


def judge_balance(
    settings: HaproxySettings, balance: Balance, names: Mapping[tuple[str, str], str], proved: str
) -> Result:
    """Return the state of the chosen backends and frontends.

    The blame for a backend that is down is on it: HAProxy itself works. names: as parse_server_names returns them.
    """
    name, level = settings.name, Level.DEEP
    chosen = [one for one in balance.backends if _is_chosen(settings, one)]
    missing = set(settings.backends) - {one.name for one in chosen}
    if missing:
        return failed(name, level, f"there is no backend {', '.join(sorted(missing))}", proved=proved)
    faults = _find_faults(chosen, names)
    closed = [text for one in balance.frontends if (text := _frontend_fault(settings, one))]
    said = "; ".join([*(text for text, _ in faults), *closed])
    if any(one.status.startswith("DOWN") for one in chosen):
        return failed(name, level, said, blame=faults[0][1], proved=proved)
    proved = f"{len(chosen)} {'backend has' if len(chosen) == 1 else 'backends have'} a server"
    if faults:
        return cautioned(name, level, said, blame=faults[0][1], proved=proved)
    if closed:
        return cautioned(name, level, said, proved=proved)
    return passed(name, level, proved)


def _find_faults(chosen: Sequence[Backend], names: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Return what is wrong with the backends and who is to blame, the worst first: one fault hides no other."""
    faults = []
    down = [one for one in chosen if one.status.startswith("DOWN")]
    if down:
        text = ", ".join(_describe(one) for one in down)
        faults.append((f"no server left in {text}", dependency(down[0].name)))
    others = [one for one in chosen if one not in down]
    sick = [(one.name, server) for one in others for server, status in one.servers if status.startswith("DOWN")]
    if sick:
        faults.append((f"down: {', '.join(map('/'.join, sick))}", dependency(sick[0][0])))
    nameless = [pair for one in others for pair in _find_unresolved(one, names)]
    if nameless:
        faults.append((f"no address for the name of {', '.join(map('/'.join, nameless))}", dependency("dns")))
    return faults


def _find_unresolved(backend: Backend, names: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Return the servers without an address. Of a server-template the slots that are left over have none, rightly."""
    resolved = {names.get((backend.name, server)) for server, status in backend.servers if status != UNRESOLVED}
    pairs = [(backend.name, server) for server, status in backend.servers if status == UNRESOLVED]
    return [pair for pair in pairs if names.get(pair) is None or names.get(pair) not in resolved]


def _frontend_fault(settings: HaproxySettings, frontend: Frontend) -> str:
    is_chosen = frontend.name in settings.backends if settings.backends else frontend.name not in settings.ignore
    if not is_chosen:
        return ""
    if frontend.status in _CLOSED:
        return f"frontend {frontend.name} {_CLOSED[frontend.status]}"
    if frontend.limit and frontend.used >= settings.max_connections_used * frontend.limit:
        return f"frontend {frontend.name} has {frontend.used} of {frontend.limit} connections: others wait"
    return ""


_CLOSED = {
    "PAUSED": "is paused: it accepts nobody (enable frontend ends that)",
    "STOP": "is stopped: it accepts nobody until HAProxy is reloaded",
}


def _is_chosen(settings: HaproxySettings, backend: Backend) -> bool:
    if settings.backends:
        return backend.name in settings.backends
    # A backend without servers cannot be down, for example a statistics page or a redirect.
    return backend.name not in settings.ignore and bool(backend.servers)


def _describe(backend: Backend) -> str:
    nameless = sum(status == UNRESOLVED for _, status in backend.servers)
    resting = sum(bool(_RESTING.match(status)) for _, status in backend.servers) - nameless
    parts = [f"{resting} taken out by hand"] if resting else []
    parts += [f"{nameless} without an address for its name"] if nameless else []
    return f"{backend.name} ({', '.join(parts)})" if parts else backend.name
