"""Where systemd has put a process: the service that it is in, or a login (cgroups(7))."""

from __future__ import annotations

from .procfs import read_cgroups

# The services that the agent itself runs in: a server that it started has the same cgroup, and belongs to Pacemaker.
_PACEMAKERS = ("pacemaker.service", "pacemaker_remote.service", "corosync.service")


def unit_of(pid: int) -> str | None:
    """Return the systemd service that a process is in, by its cgroup; None for Pacemaker's services and for a session.

    Being in a service does not make a process that service: a server that a cron job started is in cron.service.
    """
    return parse_unit(read_cgroups(pid))


def parse_unit(cgroups: str) -> str | None:
    """Return the service that a /proc/PID/cgroup names, for version 1, 2 or both (cgroups(7))."""
    return next(filter(None, map(_service, _systemd_paths(cgroups))), None)


def in_session(pid: int) -> bool:
    """Return whether somebody has started a process who logged in, or has it run for them, as `systemd --user`.

    :raises OSError: if that cannot be determined.
    """
    text = read_cgroups(pid)
    return any("user.slice" in path.split("/") for path in _systemd_paths(text))


def _systemd_paths(cgroups: str) -> list[str]:
    """Return where systemd has put a process, in either of its hierarchies."""
    lines = [line.split(":", 2) for line in cgroups.split("\n") if line.count(":") >= 2]
    return [path for number, name, path in lines if (number == "0" and not name) or name == "name=systemd"]


def _service(path: str) -> str | None:
    parts = path.split("/")
    if "user.slice" in parts:
        return None
    unit = next((part for part in reversed(parts) if part.endswith(".service")), None)
    return None if unit in _PACEMAKERS else unit
