"""Where systemd has put a process: the service that it is in, or what a user runs (cgroups(7))."""

from __future__ import annotations

from .procfs import read_cgroups

# The services that the agent itself runs in: a server that it started has the same cgroup, and belongs to Pacemaker.
_PACEMAKERS = ("pacemaker.service", "pacemaker_remote.service", "corosync.service")
# What runs for whoever asks is here, where no pam_systemd has opened a session: Debian's cron has none in
# common-session-noninteractive, and sshd none with `UsePAM no`. A connection by a socket unit is ssh@NUMBER.service.
_FOR_USERS = frozenset(("cron", "crond", "cronie", "fcron", "atd", "ssh", "sshd"))


def unit_of(pid: int) -> str | None:
    """Return the systemd service that a process is in, by its cgroup; None for Pacemaker's services and for a session.

    Being in a service does not make a process that service: a server that a cron job started is in cron.service.
    """
    return parse_unit(read_cgroups(pid))


def parse_unit(cgroups: str) -> str | None:
    """Return the service that a /proc/PID/cgroup names, for version 1, 2 or both (cgroups(7))."""
    return next(filter(None, map(_service, _systemd_paths(cgroups))), None)


def in_session(pid: int) -> bool:
    """Return whether a user has it run: logged in, by cron or at, or as `systemd --user`.

    :raises OSError: if that cannot be determined.
    """
    return is_users(read_cgroups(pid))


def is_users(cgroups: str) -> bool:
    """Return whether a /proc/PID/cgroup is that of a login, or of a service that runs what users ask for."""
    parts = {part for path in _systemd_paths(cgroups) for part in path.split("/")}
    names = {part[: -len(".service")].partition("@")[0] for part in parts if part.endswith(".service")}
    return "user.slice" in parts or not _FOR_USERS.isdisjoint(names)


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
