"""Writes to standard error. A full disk or a reader that has gone must not change an exit code."""

from __future__ import annotations

import sys


def complain(text: str) -> None:
    """Write text, complete lines, to standard error. If that fails, the text is dropped."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        import contextlib

        from ...adapters.process.descriptors import point_at_null

        # Otherwise Python would try again at its end, and exit with 120.
        with contextlib.suppress(OSError, ValueError):
            point_at_null(sys.stderr.fileno())
