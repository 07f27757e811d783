"""Lines on standard error, where a full disk or a reader that has gone must not change an exit code."""

from __future__ import annotations

import sys


def complain(text: str) -> None:
    """Write text, lines with their ends, on standard error; once that fails, to nobody."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        import contextlib

        from ...adapters.process.descriptors import point_at_null

        # Python would try once more when it ends, and exit with 120.
        with contextlib.suppress(OSError, ValueError):
            point_at_null(sys.stderr.fileno())
