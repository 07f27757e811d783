"""One line per event, to the journal, to standard error or to syslog."""

from __future__ import annotations

import os
import sys
import syslog


class Log:
    """Where the responder tells what happened. use_syslog is for xinetd, whose stderr is the client's socket."""

    def __init__(self, name: str, use_syslog: bool = False) -> None:
        self._name, self._use_syslog = name, use_syslog
        # The journal takes a line's priority from a prefix (sd-daemon(3)); a terminal would only show it.
        self._prefixed = "JOURNAL_STREAM" in os.environ
        if use_syslog:
            syslog.openlog(name, syslog.LOG_PID, syslog.LOG_DAEMON)

    def info(self, text: str) -> None:
        """Tell of what is as it should be."""
        self._write(syslog.LOG_INFO, text)

    def warning(self, text: str) -> None:
        """Tell of what a person should look at."""
        self._write(syslog.LOG_WARNING, text)

    def _write(self, priority: int, text: str) -> None:
        line = " ".join(text.split())
        if self._use_syslog:
            syslog.syslog(priority, line)
            return
        prefix = f"<{priority}>" if self._prefixed else f"{self._name}: "
        try:
            sys.stderr.write(f"{prefix}{line}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # nobody reads the log: the answers matter more
