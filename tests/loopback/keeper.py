"""Runs one daemon for an owner, and ends it when the owner or this process ends.

    python3 -IS keeper.py OWNER_PID REPORT_FD USER ARGV...

Writes the daemon's pid to REPORT_FD and exits with the daemon's exit code. mysqld starts children of its own (state
transfer scripts, rsync). This process is their subreaper, so that all of them are found and killed, frozen ones too,
because SIGKILL needs no cooperation. A parent-death signal alone is not enough: it does not reach grandchildren, and it
is sent when the *thread* that started the daemon ends.

It is a separate program that uses only the standard library: it must not depend on anything that a test may break.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)


def main(owner_pid: int, report: int, user: str, argv: list[str]) -> int:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.set_inheritable(report, False)
    owner = os.pidfd_open(owner_pid)
    if os.getppid() != owner_pid:
        return 1  # the owner ended before this check: its pid may already be another process's
    daemon = start(argv, user)
    os.write(report, str(daemon).encode())
    os.close(report)
    poll = select.poll()
    poll.register(owner, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    status = None
    while status is None:
        ready = {fd for fd, _ in poll.poll()}
        if wake_read in ready:
            os.read(wake_read, 4096)
        status = reap().get(daemon)
        if owner in ready:
            break
    end_descendants()
    if status is None:
        return 1
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def start(argv: list[str], user: str) -> int:
    def die_with_keeper() -> None:
        # Set after the change of user, which would clear it.
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    # preexec_fn is unsafe with several threads; there is only one here
    return subprocess.Popen(argv, preexec_fn=die_with_keeper, **identity).pid  # noqa: PLW1509


def reap() -> dict[int, int]:
    """Collect every child that has ended, including adopted ones: pid -> wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def end_descendants() -> None:
    """Kill children until there is none: the children of a killed one become children of this process."""
    own = f"/proc/self/task/{os.getpid()}/children"
    while True:
        with open(own) as listing:
            children = [int(pid) for pid in listing.read().split()]
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
