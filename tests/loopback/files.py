"""Files that another process reads meanwhile."""

from __future__ import annotations

import stat
from pathlib import Path


def put(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write a file in one step: whoever reads it has what was there before, or all of this.

    Written in place it would be empty for a moment, and that is a valid configuration of its own. mode: of the new
    file; that of the one before if it is not given, and 0644 where there was none.
    """
    if mode is None:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    fresh.chmod(mode)
    fresh.replace(path)
