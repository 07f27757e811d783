"""The check of memcached: its process; `version`; a key that is set, read back and deleted, and its saturation."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from ...adapters.network.addresses import require_address
from ...adapters.process.alarm import begin_step, current_step
from ...adapters.process.daemons import check_process
from ...core.services.daemons.memcached import judge_answer, judge_stats, parse_stats
from ...core.services.model.result import Level, failed, passed

if TYPE_CHECKING:
    from ...core.services.daemons.memcached import MemcachedSettings
    from ...core.services.model.result import Result

# `stats` has 3 KiB.
_MAX_ANSWER = 1 << 18
_ENDS = (b"\r\n",)
_STATS_ENDS = (b"END\r\n", b"ERROR\r\n", b"connections\r\n")


class Unending(Exception):
    """An answer is longer than any of memcached's; the text says so."""


def check(settings: MemcachedSettings, level: Level) -> Result:
    """Check memcached at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    begin_step("a connection")
    try:
        with _connect(settings) as connection:
            return _converse(settings, level, connection)
    except Unending as error:
        return failed(settings.name, level, str(error), proved=current_step().proved)
    except OSError as error:
        said = (error.strerror or "no answer in time").lower()
        return failed(settings.name, level, f"{_where(settings)}: {said}")


def _where(settings: MemcachedSettings) -> str:
    return settings.socket or f"{settings.host} port {settings.port}"


def _connect(settings: MemcachedSettings) -> socket.socket:
    if settings.socket is None:
        address = require_address(settings.host, settings.deadline)
        return socket.create_connection((address, settings.port), timeout=settings.deadline)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(settings.deadline)
        connection.connect(settings.socket)
    except BaseException:
        connection.close()
        raise
    return connection


def _converse(settings: MemcachedSettings, level: Level, connection: socket.socket) -> Result:
    answer = _ask(connection, "version", "version\r\n")
    if not answer.startswith("VERSION "):
        return judge_answer(settings, level, "version", answer)
    proved = f"memcached {answer[8:].strip()[:20]} answers"
    if level is Level.PROTOCOL:
        return passed(settings.name, level, proved)
    # No other client uses this key, and it expires by itself if its deletion fails.
    key, value = f"xha:probe:{os.urandom(8).hex()}", os.urandom(8).hex()
    for asked, line, right in (
        ("set", f"set {key} 0 10 {len(value)}\r\n{value}\r\n", "STORED\r\n"),
        ("get", f"get {key}\r\n", f"VALUE {key} 0 {len(value)}\r\n{value}\r\nEND\r\n"),
        ("delete", f"delete {key}\r\n", "DELETED\r\n"),
    ):
        ends = (b"END\r\n", b"ERROR\r\n") if asked == "get" else _ENDS
        answer = _ask(connection, asked, line, ends)
        if answer == "END\r\n":
            return failed(settings.name, level, "a key that was set is not there when it is read", proved=proved)
        if answer != right:
            return judge_answer(settings, level, asked, answer, proved)
    stats = parse_stats(_ask(connection, "stats", "stats\r\n", _STATS_ENDS) + _limits(connection))
    return judge_stats(settings, stats, "a key was set, read back and deleted")


def _limits(connection: socket.socket) -> str:
    """Return `stats settings`: older versions give maxconns only there."""
    answer = _ask(connection, "stats settings", "stats settings\r\n", _STATS_ENDS)
    return answer.replace("STAT maxconns ", "STAT max_connections ")


def _ask(connection: socket.socket, asked: str, line: str, ends: tuple[bytes, ...] = _ENDS) -> str:
    begin_step(f"the answer to {asked}")
    connection.sendall(line.encode())
    answer = bytearray()
    while not answer.endswith(ends):
        chunk = connection.recv(65536)
        if not chunk:
            break
        answer += chunk
        if len(answer) > _MAX_ANSWER:
            raise Unending(
                f"the answer to {asked} is longer than {_MAX_ANSWER >> 10} KiB: what answers is no memcached"
            )
    return answer.decode("utf-8", "replace")
