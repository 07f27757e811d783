"""Requests to the service manager: a unit's main process, to stop a unit, and a control group for a server.

On a host without systemd every call does nothing and returns an empty value; no caller depends on a result.
"""

from __future__ import annotations

import contextlib
import os
import re

from ..process.command import DIRECTORIES, Overlong, Unanswered, run_command

# The characters that a unit's name may have (systemd.unit(5)), except the separators, which the caller adds.
_FOREIGN = re.compile(r"[^A-Za-z0-9:_.]")
_MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
_SECONDS, _BUDGET = 5.0, 1 << 16
# The start of the server must not wait longer for a bus that hangs.
_SCOPE_SECONDS = 2.0
# As in mariadb.service: writing out a large buffer pool takes minutes.
_STOP_MICROSECONDS = 900_000_000
_UNLIMITED = 2**64 - 1


def main_pid(unit: str) -> int:
    """Return the pid of a service's main process; 0 if it has none or systemd does not tell."""
    with contextlib.suppress(ValueError):
        return int(_run("systemctl", "show", "--property=MainPID", "--value", unit) or "0")
    return 0


def stop_unit(unit: str) -> bool:
    """Make systemd stop a unit, without waiting for its end. Return whether it accepted the request."""
    return _run("systemctl", "stop", "--no-block", unit) is not None


def give_scope(pid: int, resource: str) -> str:
    """Move a server that has just started to a scope unit of its own. Return its name; "" if that is not possible.

    1. In Pacemaker's own control group, a server that runs out of memory would stop Pacemaker too: systemd stops a
       service as soon as the kernel has killed any process of its group (OOMPolicy=stop, systemd.service(5)).
    2. When the host shuts down, Pacemaker is stopped first, and stops the server in its order. A server that it left
       running, as in maintenance mode, then gets SIGTERM before its disk and network are removed (systemd.scope(5)).
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
        # Each connection is a thread, and pacemaker.service has no limit either.
        ("TasksMax", "t", str(_UNLIMITED)),
        # A donor survives the kill of its backup program. An older systemd has no such policy for a scope, and needs
        # none.
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
    """Run one of systemd's tools and return its output; None if it is absent, too slow or fails."""
    # The environment of a cluster's action contains passwords, and these tools need nothing of it.
    environment = {"PATH": os.environ.get("PATH", DIRECTORIES), "LC_ALL": "C"}
    try:
        said = run_command(words, seconds, _BUDGET, environment=environment)
    except (OSError, Unanswered, Overlong):
        return None
    return said.out.strip() if said.code == 0 else None
