"""xha-check with its memory measured: the largest resident set of it and of all that it started and waited for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from services.host import Services

# In a process of its own: the kernel counts the memory from before exec too, and that would be pytest's.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
MIB = 1024  # ru_maxrss is in KiB
# What a check may take in all, and in addition to its libraries if these are large.
MOST, MORE = 60 * MIB, 20 * MIB


def wrapper(file: Path) -> list[str]:
    """Return the words before a command that write its largest resident set into a file, in KiB."""
    return [sys.executable, "-IS", "-c", MEASURE, str(file)]


def check_measured(services: Services, name: str, level: str | None = None, **options: Any) -> dict[str, Any]:
    """Return one result like Services.check, with `peak` in KiB."""
    file = services.directory / "peak"
    result = services.check(name, level, wrapper=wrapper(file), **options)
    return {**result, "peak": int(file.read_text())}
