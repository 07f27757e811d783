"""xha's doors as processes whose time and memory a test watches."""

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
NEVER = 60.0  # seconds after which a door counts as hanging: its own deadlines are 1 and 2 s


class Run(NamedTuple):
    """What one call came to. seconds is its wall time, peak the most memory that it had resident, in bytes."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def peak_of(pid: int) -> int:
    """VmHWM of a process in bytes, 0 once it is gone. (Of a child's rusage it is no part: fork counts its parent's.)"""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


def run(command: Sequence[str], stdin: Any = subprocess.DEVNULL, **environment: str) -> Run:
    """Run a door to its end. One that hangs is killed, and fails the test."""
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
