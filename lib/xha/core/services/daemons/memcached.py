"""memcached: parses the statistics of its text protocol (doc/protocol.txt), and judges its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ...text.values import parse_path, parse_port, parse_switch, parse_text
from ..model.kind import Proof, Secret, Service
from ..model.result import Level, Result, cautioned, failed, passed, unknown
from ..model.values import parse_percentage, parse_secret_file, parse_secret_variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..model.reach import Place


class MemcachedSettings(NamedTuple):
    """The section of a memcached. socket takes precedence over host and port.

    max_connections_used: a share of the limit. username and its password are for a memcached with -Y or -S.
    """

    name: str
    process: str
    deadline: float
    host: str = "127.0.0.1"
    port: int = 11211
    socket: str | None = None
    max_connections_used: float = 0.9
    username: str | None = None
    password_file: Secret | None = None
    password_env: Secret | None = None
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    neighbours: tuple[Place, ...] = ()

    @property
    def password(self) -> Secret | None:
        """Where the password is, or None."""
        return self.password_file or self.password_env

    @property
    def place(self) -> Place:
        """Where it is asked."""
        return self.socket or (self.host, self.port)


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


_WORDS = ("VERSION ", "STORED", "DELETED", "VALUE ", "END", "ERROR", "CLIENT_ERROR ", "SERVER_ERROR ")
NO_MEMCACHED = "what answers is no memcached"


def needs_account(settings: MemcachedSettings, level: Level, *, refused: bool = False, proved: str = "") -> Result:
    """Return that nothing can be asked without an account, or with the one of the section."""
    if refused:
        return unknown(settings.name, level, "needs an account that it accepts: it refuses this one", proved=proved)
    needs = "needs username, and password_file or password_env: it wants a login"
    return unknown(settings.name, level, needs, proved=proved)


def judge_answer(settings: MemcachedSettings, level: Level, asked: str, answer: str, proved: str = "") -> Result:
    """Return the result for an answer that was not the right one.

    The answer is never quoted whole: it could contain a key.
    """
    line, whole, _ = answer.partition("\r\n")
    if line.startswith("CLIENT_ERROR unauthenticated"):
        return needs_account(settings, level, proved=proved)
    if line.startswith("CLIENT_ERROR authentication failure"):
        return needs_account(settings, level, refused=True, proved=proved)
    if line and not whole and any(word.startswith(line) or line.startswith(word) for word in _WORDS):
        return unknown(settings.name, level, f"needs the whole answer to {asked}: it broke off", proved=proved)
    if "Too many open connections" in line:
        return failed(settings.name, level, "too many open connections", proved=proved)
    if line.startswith(("SERVER_ERROR", "ERROR", "CLIENT_ERROR")):
        return failed(settings.name, level, f"{asked}: {line[:80]}", proved=proved)
    if line.startswith("VALUE xha:"):
        return unknown(settings.name, level, f"needs the whole answer to {asked}: it broke off", proved=proved)
    if not line:
        return failed(settings.name, level, f"{asked}: the connection is closed without an answer", proved=proved)
    return failed(settings.name, level, f"{asked}: {NO_MEMCACHED}", proved=proved)


def judge_stats(settings: MemcachedSettings, stats: Stats, proved: str) -> Result:
    """Return whether a memcached that works has room for more clients. What it does not say is not known."""
    if stats.accepting is False:
        return failed(settings.name, Level.DEEP, "it accepts no connections any more", proved=proved)
    used, limit = stats.connections, stats.max_connections
    if used is None or not limit:
        message = "needs `stats` with curr_connections and max_connections: whether connections are left is not known"
        return unknown(settings.name, Level.DEEP, message, proved=proved)
    if used > settings.max_connections_used * limit:
        return cautioned(settings.name, Level.DEEP, f"{used} of {limit} connections are in use", proved=proved)
    return passed(settings.name, Level.DEEP, proved)


def find_fault(settings: MemcachedSettings) -> tuple[str, str] | None:
    """Return the key that contradicts or lacks another one."""
    if settings.password_file and settings.password_env:
        return "password_env", "password_file is said too: leave out one"
    if bool(settings.username) != bool(settings.password):
        return "username", "goes with password_file or password_env"
    if settings.tls and settings.socket:
        return "tls", "goes with host and port, and not with socket"
    if (settings.ca_file or settings.cert_file) and not settings.tls:
        return "ca_file" if settings.ca_file else "cert_file", "goes with tls = 1"
    if settings.key_file and not settings.cert_file:
        return "key_file", "goes with cert_file"
    return None


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
            "username": parse_text,
            "password_file": parse_secret_file,
            "password_env": parse_secret_variable,
            "tls": parse_switch,
            "ca_file": parse_path,
            "cert_file": parse_path,
            "key_file": parse_path,
        },
        {
            Level.PROCESS: Proof("a memcached process exists and is not stopped", "whether it answers anybody"),
            Level.PROTOCOL: Proof("`version` is answered", "whether it stores anything"),
            Level.DEEP: Proof(
                "a key of the check's own is set, read back and deleted, and connections are left",
                "what other servers of the same ring hold",
                "nothing; with -Y or -S: username, and password_file or password_env; with -Z: tls",
            ),
        },
        Level.DEEP,
        find_fault=find_fault,
        find_place=lambda settings: settings.place,
    ),
)
