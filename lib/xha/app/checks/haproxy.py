"""The check of HAProxy: its process; `show info`; its frontends and backends by `show stat`, and its VIP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...adapters.network.addresses import require_address
from ...adapters.network.vip import read_vip
from ...adapters.network.whereabouts import judge_unreachable
from ...adapters.process.alarm import begin_step
from ...adapters.process.daemons import check_process, is_there
from ...core.services.daemons.haproxy_stat import (
    judge_balance,
    judge_info,
    parse_info,
    parse_server_names,
    parse_stat,
)
from ...core.services.daemons.vip import judge_vip
from ...core.services.model.reach import Attempt, place_text
from ...core.services.model.result import Level, Status, failed, unknown

if TYPE_CHECKING:
    from ...core.services.daemons.haproxy import HaproxySettings
    from ...core.services.model.result import Result

# `show info` has 2 KiB; 4 MiB are enough for a `show stat` of ten thousand servers.
_MAX_INFO, _MAX_STAT = 1 << 16, 1 << 22
# To the worker that serves, through the master's socket (management.txt, 9.4).
_TO_WORKER = "@1 "


def check(settings: HaproxySettings, level: Level) -> Result:
    """Check HAProxy at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    where = place_text(settings.stats_socket)
    try:
        return _check_answers(settings, level)
    except PermissionError:
        return unknown(settings.name, level, f"needs permission for {where}")
    except (TimeoutError, socket.timeout):
        return failed(settings.name, level, f"{where}: no answer in time")
    except socket.gaierror:
        return unknown(settings.name, level, f"needs stats_socket: the name of {where} is unknown")
    except (ConnectionRefusedError, FileNotFoundError, NotADirectoryError) as error:
        said = f"{where}: {(error.strerror or 'no connection').lower()}"
        return judge_unreachable(settings, level, Attempt(settings.stats_socket, said, "stats_socket", is_aside=True))
    except OSError as error:
        return failed(settings.name, level, f"{where}: {(error.strerror or 'no connection').lower()}")
    except ValueError as error:
        if is_there(settings.process):
            return unknown(settings.name, level, f"needs stats_socket: {where}: {error}")
        return failed(settings.name, level, f"{where}: {error}")


def _check_answers(settings: HaproxySettings, level: Level) -> Result:
    prefix, said = "", _command(settings, "show info", _MAX_INFO)
    if said.startswith("Unknown command"):
        prefix = _TO_WORKER
        said = _command(settings, f"{prefix}show info", _MAX_INFO)
    result = judge_info(settings, level, parse_info(said))
    if level is Level.PROTOCOL or result.is_down:
        return result
    balance = parse_stat(_command(settings, f"{prefix}show stat", _MAX_STAT))
    names = {}
    if balance.has_unresolved:
        names = parse_server_names(_command(settings, f"{prefix}show servers state", _MAX_STAT))
    found = judge_balance(settings, balance, names, result.proved)
    for address in settings.vip:
        if not found.is_down:
            seen = judge_vip(settings, read_vip(address, settings.vip_ports, settings.deadline / 3), found.proved)
            found = seen if found.status is Status.OK or seen.is_down else found
    return result if found.status is Status.OK and result.status is not Status.OK else found


def _command(settings: HaproxySettings, command: str, most: int) -> str:
    begin_step(f"the answer to {command}")
    with _connect(settings) as connection:
        connection.sendall(command.encode() + b"\n")
        # The master keeps a connection open for the next command, unless none can come (measured on 2.6 and 3.0).
        connection.shutdown(socket.SHUT_WR)
        answer = bytearray()
        while chunk := connection.recv(65536):
            answer += chunk
            if len(answer) > most:
                raise ValueError(f"the answer to {command} is longer than {most >> 10} KiB")
    return answer.decode("utf-8", "replace")


def _connect(settings: HaproxySettings) -> socket.socket:
    place = settings.stats_socket
    if isinstance(place, tuple):
        address = require_address(place[0], settings.deadline)
        return socket.create_connection((address, place[1]), timeout=settings.deadline)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(settings.deadline)
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection
