"""The check of HAProxy: its process; `show info`; its backends by `show stat`, and its VIP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ...adapters.network.vip import read_vip
from ...adapters.process.alarm import begin_step
from ...adapters.process.daemons import check_process
from ...core.services.daemons.haproxy import judge_backends, judge_info, judge_vip, parse_backends, parse_info
from ...core.services.model.result import Level, Status, failed, unknown

if TYPE_CHECKING:
    from ...core.services.daemons.haproxy import HaproxySettings
    from ...core.services.model.result import Result

# `show info` has 2 KiB; 4 MiB are enough for a `show stat` of ten thousand servers.
_MAX_INFO, _MAX_STAT = 1 << 16, 1 << 22


def check(settings: HaproxySettings, level: Level) -> Result:
    """Check HAProxy at one level, and return the result."""
    if level is Level.PROCESS:
        return check_process(settings, level)
    try:
        result = judge_info(settings, level, parse_info(_command(settings, "show info", _MAX_INFO)))
        if level is Level.PROTOCOL or result.is_down:
            return result
        backends = parse_backends(_command(settings, "show stat", _MAX_STAT))
    except PermissionError:
        return unknown(settings.name, level, f"needs permission for {settings.stats_socket}")
    except (OSError, ValueError) as error:
        return failed(settings.name, level, f"{settings.stats_socket}: {_reason(error)}")
    found = judge_backends(settings, backends, result.proved)
    for address in settings.vip:
        if not found.is_down:
            seen = judge_vip(settings, read_vip(address, settings.vip_ports, settings.deadline / 3), found.proved)
            found = seen if found.status is Status.OK or seen.is_down else found
    return result if found.status is Status.OK and result.status is not Status.OK else found


def _command(settings: HaproxySettings, command: str, most: int) -> str:
    begin_step(f"the answer to {command}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(settings.deadline)
        connection.connect(settings.stats_socket)
        connection.sendall(command.encode() + b"\n")
        answer = bytearray()
        while chunk := connection.recv(65536):
            answer += chunk
            if len(answer) > most:
                raise ValueError(f"the answer to {command} is longer than {most >> 10} KiB")
    return answer.decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "no answer in time").lower()
    return str(error)
