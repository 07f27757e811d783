"""A command on a terminal: what a person would see, and the keys that they would press."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType

from loopback import NotInTime
from shell.host import ENVIRONMENT

ROWS, COLUMNS = 40, 200
CONTROL_C = b"\x03"


class Terminal:
    """One process, its controlling terminal, and all that it has written there."""

    def __init__(self, argv: Sequence[str], columns: int = COLUMNS, rows: int = ROWS) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - the process that starts it has one thread
            env={**ENVIRONMENT, "TERM": "xterm"},
        )
        os.close(slave)
        self.text = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for(self, text: str, seconds: float = 40) -> str:
        """Read until the text appears after what was waited for before; return what came up to it."""
        deadline = time.monotonic() + seconds
        start = len(self.text)
        while text not in self.text[start:]:
            if time.monotonic() > deadline or not self._read(0.1):
                raise NotInTime(f"{text!r} on the terminal; it shows {self.text[start:]!r}")
        return self.text[start:]

    def wait_end(self, seconds: float = 40) -> int:
        """Read until the process ends; return its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            if time.monotonic() > deadline:
                raise NotInTime(f"the command ends; it shows {self.text!r}")
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def picture(self) -> str:
        """What stands there after the last redrawing of a live table, with its colours."""
        return re.split(r"\x1b\[2K|\x1b\[\?25l", self.text)[-1].replace("\r", "")

    def _read(self, seconds: float) -> bool:
        """Take what is there; False once nobody has the terminal open."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process has closed it
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
