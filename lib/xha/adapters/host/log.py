"""One line per event, to the journal, to standard error or to syslog. Nothing that happens to a log raises."""

from __future__ import annotations

import contextlib
import fcntl
import os
import syslog

from ...core.text.escape import clean

# Of a line. The journal takes 48 KiB, rsyslog 8.
_LONGEST = 7000
_FIRST_FREE_FD = 3


class Log:
    """Where a process that stays tells what happened. use_syslog is for xinetd, whose stderr is the client's socket.

    It writes to a descriptor of its own: should somebody close 2, the next connection gets that number, and a line to
    standard error would be part of a client's answer.
    """

    def __init__(self, name: str, use_syslog: bool = False) -> None:
        self._name, self._use_syslog = name, use_syslog
        # The journal takes a line's priority from a prefix (sd-daemon(3)); a terminal would only show it.
        self._prefixed = "JOURNAL_STREAM" in os.environ
        self._fd = -1
        if use_syslog:
            syslog.openlog(name, syslog.LOG_PID, syslog.LOG_DAEMON)
        else:
            with contextlib.suppress(OSError):
                self._fd = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)

    def info(self, text: str) -> None:
        """Tell of what is as it should be."""
        self._write(syslog.LOG_INFO, text)

    def warning(self, text: str) -> None:
        """Tell of what a person should look at."""
        self._write(syslog.LOG_WARNING, text)

    def _write(self, priority: int, text: str) -> None:
        # Printable: syslog() raises for a null byte and for half a surrogate pair, a terminal obeys control characters.
        line = clean(" ".join(text.split()), _LONGEST)
        if self._use_syslog:
            syslog.syslog(priority, line)
            return
        prefix = f"<{priority}>" if self._prefixed else f"{self._name}: "
        # Closed, full or without a reader: the answers matter more.
        with contextlib.suppress(OSError):
            os.write(self._fd, f"{prefix}{line}\n".encode())
