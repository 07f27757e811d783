"""One line per event, to the journal, to standard error or to syslog. A failure to log never raises."""

from __future__ import annotations

import contextlib
import fcntl
import os
import syslog

from ...core.text.escape import clean

# The length of a line in characters. The journal takes 48 KiB, rsyslog 8.
_LONGEST = 7000
_FIRST_FREE_FD = 3


class Log:
    """The log of a long-running process. use_syslog is for xinetd, where stderr is the client's socket.

    It writes to a descriptor of its own. If descriptor 2 is closed, the next connection gets that number, and a line to
    standard error would become part of a client's answer.
    """

    def __init__(self, name: str, use_syslog: bool = False) -> None:
        self._name, self._use_syslog = name, use_syslog
        # The journal takes a line's priority from a prefix (sd-daemon(3)); a terminal would only display it.
        self._prefixed = "JOURNAL_STREAM" in os.environ
        self._fd = -1
        if use_syslog:
            syslog.openlog(name, syslog.LOG_PID, syslog.LOG_DAEMON)
        else:
            with contextlib.suppress(OSError):
                self._fd = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)

    def info(self, text: str) -> None:
        """Log a normal event."""
        self._write(syslog.LOG_INFO, text)

    def warning(self, text: str) -> None:
        """Log an event that a person should look at."""
        self._write(syslog.LOG_WARNING, text)

    def _write(self, priority: int, text: str) -> None:
        # Only printable characters: syslog() raises for a null byte and half a surrogate pair; a terminal obeys control
        # characters.
        line = clean(" ".join(text.split()), _LONGEST)
        if self._use_syslog:
            syslog.syslog(priority, line)
            return
        prefix = f"<{priority}>" if self._prefixed else f"{self._name}: "
        # If it is closed, full or without a reader, the line is lost: answering clients is more important.
        with contextlib.suppress(OSError):
            os.write(self._fd, f"{prefix}{line}\n".encode())
