"""xha's programs as processes whose time and memory a test measures."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
NEVER = 60.0  # seconds after which a program counts as hanging: its own deadlines are 1 and 2 s


class Run(NamedTuple):
    """The result of one call. seconds is its wall time, peak its largest resident memory, in bytes."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def peak_of(pid: int) -> int:
    """Return VmHWM of a process in bytes; 0 if it is gone.

    A child's rusage is not used, because after a fork it includes the parent's memory.
    """
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


def run(command: Sequence[str], stdin: Any = subprocess.DEVNULL, **environment: str) -> Run:
    """Run a program to its end. A program that hangs is killed, and fails the test."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began, peak = time.monotonic(), 0
        process = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err, env={**ENVIRONMENT, **environment})
        try:
            while process.poll() is None:
                peak = max(peak, peak_of(process.pid))
                assert time.monotonic() - began < NEVER, f"{command[0]} hangs, with {peak >> 20} MiB"
                time.sleep(0.002)
        finally:
            process.kill()
            process.wait()
        seconds = time.monotonic() - began
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return Run(process.returncode, texts[0], texts[1], seconds, peak)
