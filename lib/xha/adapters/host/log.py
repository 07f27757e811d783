"""One line per event, to the journal, to standard error or to syslog. A failure to log never raises.

What was written is written again at most every ten minutes (core/text/repeats.py): every line goes through that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import syslog
import threading
import time
from typing import TYPE_CHECKING

from ...core.text.escape import clean
from ...core.text.repeats import Repeats

if TYPE_CHECKING:
    from typing import Callable

# The length of a line in characters. The journal takes 48 KiB, rsyslog 8.
_LONGEST = 7000
_FIRST_FREE_FD = 3
# Threads log, too. Where one is stuck in a log that takes nothing, a repeated line is better than a thread that waits.
_LOCK_SECONDS = 1.0


class Log:
    """The log of a long-running process. use_syslog is for xinetd, where stderr is the client's socket.

    It writes to a descriptor of its own. If descriptor 2 is closed, the next connection gets that number, and a line to
    standard error would become part of a client's answer.

    repeats: what an earlier process said. keep: is given what was said whenever a line is written, for the next one.
    """

    def __init__(
        self,
        name: str,
        use_syslog: bool = False,
        repeats: Repeats | None = None,
        keep: Callable[[str], object] | None = None,
    ) -> None:
        self._name, self._use_syslog = name, use_syslog
        self._repeats, self._keep = repeats or Repeats(), keep
        self._lock = threading.Lock()
        # The journal takes a line's priority from a prefix (sd-daemon(3)); a terminal would only display it.
        self._prefixed = "JOURNAL_STREAM" in os.environ
        self._fd = -1
        if use_syslog:
            syslog.openlog(name, syslog.LOG_PID, syslog.LOG_DAEMON)
        else:
            with contextlib.suppress(OSError):
                self._fd = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)

    def info(self, text: str, *, about: str = "", kind: str = "") -> None:
        """Log a normal event. about: the subject whose state it is; kind: what is the same line (Repeats.admit)."""
        self._say(syslog.LOG_INFO, text, about, kind)

    def warning(self, text: str, *, about: str = "", kind: str = "") -> None:
        """Log an event that a person should look at. about, kind: as of info."""
        self._say(syslog.LOG_WARNING, text, about, kind)

    def settle(self) -> None:
        """Log what is news by now although nothing was said: whoever loops calls this in each turn."""
        for line, priority in self._repeats.settle(time.monotonic(), _stamp()):
            self._write(priority, line)

    def _say(self, priority: int, text: str, about: str, kind: str) -> None:
        # Only printable characters: syslog() raises for a null byte and half a surrogate pair; a terminal obeys control
        # characters.
        line, now = clean(" ".join(text.split()), _LONGEST) or "?", time.monotonic()
        locked = self._lock.acquire(timeout=_LOCK_SECONDS)
        try:
            line = self._repeats.admit(line, priority, now, _stamp(), about=about, kind=kind)
        except Exception:  # as where another thread holds the lock
            line = ""
        finally:
            if locked:
                self._lock.release()
        if line:
            self._write(priority, line)

    def _write(self, priority: int, line: str) -> None:
        if self._keep is not None:
            with contextlib.suppress(OSError):  # then the next process says it once more
                self._keep(self._repeats.render())
        if self._use_syslog:
            syslog.syslog(priority, line)
            return
        prefix = f"<{priority}>" if self._prefixed else f"{self._name}: "
        # If it is closed, full or without a reader, the line is lost: answering clients is more important.
        with contextlib.suppress(OSError):
            os.write(self._fd, f"{prefix}{line}\n".encode())


def _stamp() -> str:
    return time.strftime("%Y-%m-%d %H:%M")
