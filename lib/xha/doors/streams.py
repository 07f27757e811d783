"""The standard streams that a door was started with: closed, full or gone, they must not be what it fails of."""

from __future__ import annotations

import io
import os
import sys


def mend_streams() -> None:
    """Put /dev/null where a stream is closed, and let no character be unprintable, whatever the locale."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon_stdout() -> None:
    """Drop what nobody can be told, so that Python does not try once more, and complain, when it ends."""
    import contextlib

    null = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(null, sys.stdout.fileno())
    os.close(null)
