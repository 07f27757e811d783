"""memcached: parses its text protocol (doc/protocol.txt), and judges whether it is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ...text.values import parse_path, parse_port, parse_text
from ..model.kind import Proof, Service
from ..model.result import Level, Result, cautioned, failed, passed
from ..model.values import parse_percentage

if TYPE_CHECKING:
    from collections.abc import Mapping


class MemcachedSettings(NamedTuple):
    """The section of a memcached. socket takes precedence over host and port.

    max_connections_used: a share of the limit.
    """

    name: str
    process: str
    deadline: float
    host: str = "127.0.0.1"
    port: int = 11211
    socket: str | None = None
    max_connections_used: float = 0.9


class Stats(NamedTuple):
    """The parts of `stats` that are used. None: this version does not send it."""

    connections: int | None = None
    max_connections: int | None = None
    accepting: bool | None = None


def parse_stats(text: str) -> Stats:
    """Return the statistics in the lines `STAT name value`."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(" ", 2)
        if len(words) == 3 and words[0] == "STAT":
            values[words[1]] = words[2].strip()
    accepting = values.get("accepting_conns")
    return Stats(
        _number(values, "curr_connections"),
        _number(values, "max_connections"),
        None if accepting is None else accepting == "1",
    )


def _number(values: Mapping[str, str], name: str) -> int | None:
    return parse_int(values.get(name, ""))


def judge_answer(settings: MemcachedSettings, level: Level, asked: str, answer: str, proved: str = "") -> Result:
    """Return the result for an answer that was not the right one.

    The answer is never quoted whole: it could contain a key.
    """
    line = answer.partition("\r\n")[0]
    if "Too many open connections" in line:
        return failed(settings.name, level, "too many open connections", proved=proved)
    if line.startswith("SERVER_ERROR"):
        return failed(settings.name, level, f"{asked}: {line[:80]}", proved=proved)
    if line.startswith(("ERROR", "CLIENT_ERROR")):
        return failed(settings.name, level, f"{asked}: {line[:80]}", proved=proved)
    if not line:
        return failed(settings.name, level, f"{asked}: the connection is closed without an answer", proved=proved)
    return failed(settings.name, level, f"{asked}: what answers is no memcached", proved=proved)


def judge_stats(settings: MemcachedSettings, stats: Stats, proved: str) -> Result:
    """Return whether a memcached that works has room for more clients."""
    if stats.accepting is False:
        return failed(settings.name, Level.DEEP, "it accepts no connections any more", proved=proved)
    used, limit = stats.connections, stats.max_connections
    if used is not None and limit and used > settings.max_connections_used * limit:
        return cautioned(settings.name, Level.DEEP, f"{used} of {limit} connections are in use", proved=proved)
    return passed(settings.name, Level.DEEP, proved)


ROWS = (
    Service(
        "memcached",
        "cache",
        "memcached",
        r"^(?:\S*/)?memcached(?: |$)",
        MemcachedSettings,
        {
            "host": parse_text,
            "port": parse_port,
            "socket": parse_path,
            "max_connections_used": parse_percentage,
        },
        {
            Level.PROCESS: Proof("a memcached process exists and is not stopped", "whether it answers anybody"),
            Level.PROTOCOL: Proof("`version` is answered", "whether it stores anything"),
            Level.DEEP: Proof(
                "a key of the check's own is set, read back and deleted, and connections are left",
                "what other servers of the same ring hold",
                "a listener without SASL and TLS",
            ),
        },
        Level.DEEP,
    ),
)
