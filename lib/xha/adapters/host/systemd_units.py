"""What the service manager is asked for: a unit's main process, to stop a unit, and a control group for a server.

Where systemd does not run it knows nothing and does nothing: no caller depends on it.
"""

from __future__ import annotations

import contextlib
import os
import re

from ..process.command import DIRECTORIES, Overlong, Unanswered, run_command

# systemd.unit(5): what a unit's name may consist of, but for the separators that are ours.
_FOREIGN = re.compile(r"[^A-Za-z0-9:_.]")
_MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
_SECONDS, _BUDGET = 5.0, 1 << 16
# What the server is being started for does not wait for a bus that hangs.
_SCOPE_SECONDS = 2.0
# As in mariadb.service: a large buffer pool is written out for minutes.
_STOP_MICROSECONDS = 900_000_000
_UNLIMITED = 2**64 - 1


def main_pid(unit: str) -> int:
    """Return the pid of a service's main process, 0 where it has none or systemd does not tell."""
    with contextlib.suppress(ValueError):
        return int(_run("systemctl", "show", "--property=MainPID", "--value", unit) or "0")
    return 0


def stop_unit(unit: str) -> bool:
    """Have systemd stop a unit, without waiting for its end; return whether it took the order."""
    return _run("systemctl", "stop", "--no-block", unit) is not None


def give_scope(pid: int, resource: str) -> str:
    """Move a server that has just begun to a scope unit of its own, and return its name; "" where that cannot be had.

    In Pacemaker's own control group a server for which there is no memory left takes Pacemaker along: systemd stops a
    service as soon as the kernel has killed any process of its group (OOMPolicy=stop, systemd.service(5)). When the
    host shuts down, Pacemaker is stopped first, and stops the server in its order; what it left running, as in
    maintenance mode, gets its SIGTERM then, before its disk and its network go (systemd.scope(5)).
    """
    if not os.path.isdir("/run/systemd/system"):  # sd_booted(3)
        return ""
    scope = f"xha-{_FOREIGN.sub('_', resource)}-{pid}.scope"
    properties = [
        ("Description", "s", f"The database server of the Pacemaker resource {resource}"),
        ("PIDs", "au", "1", str(pid)),
        ("CollectMode", "s", "inactive-or-failed"),
        ("Before", "as", "2", "pacemaker.service", "pacemaker_remote.service"),
        ("After", "as", "2", "network.target", "local-fs.target"),
        ("TimeoutStopUSec", "t", str(_STOP_MICROSECONDS)),
        # A connection is a thread: pacemaker.service has no limit either.
        ("TasksMax", "t", str(_UNLIMITED)),
        # A donor outlives its backup program. An older systemd knows no such policy for a scope, and needs none.
        ("OOMPolicy", "s", "continue"),
    ]
    while _start_scope(scope, properties) is None:
        if properties.pop()[0] != "OOMPolicy":
            return ""
    return scope


def _start_scope(scope: str, properties: list[tuple[str, ...]]) -> str | None:
    words = [word for one in properties for word in one]
    call = ["busctl", f"--timeout={_SCOPE_SECONDS:g}", "call", *_MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))"]
    return _run(*call, scope, "fail", str(len(properties)), *words, "0", seconds=_SCOPE_SECONDS + 1)


def _run(*words: str, seconds: float = _SECONDS) -> str | None:
    """Run one of systemd's tools and return what it prints, None where it is absent, overdue or refused."""
    # Of the environment of a cluster's action, passwords among it, nothing is for them.
    environment = {"PATH": os.environ.get("PATH", DIRECTORIES), "LC_ALL": "C"}
    try:
        said = run_command(words, seconds, _BUDGET, environment=environment)
    except (OSError, Unanswered, Overlong):
        return None
    return said.out.strip() if said.code == 0 else None
