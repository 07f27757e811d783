"""The standard streams that a door was started with: closed, full or gone, they must not be what it fails of."""

from __future__ import annotations

import io
import sys


def mend_streams() -> None:
    """Put /dev/null where a stream is closed, and let no character be unprintable, whatever the locale.

    To be called before anything opens a file that stays: the next one gets the lowest free number, and a log line
    would go to a socket that became 2.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):  # Python's word for a descriptor that is closed
        from ...adapters.process.descriptors import fill_descriptors

        fill_descriptors()
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            mode = "w" if fd else "r"
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - open until the end
        elif isinstance(stream, io.TextIOWrapper) and fd:
            stream.reconfigure(errors="backslashreplace")


def abandon_stdout() -> None:
    """Drop what nobody can be told, so that Python does not try once more, and complain, when it ends."""
    import contextlib

    from ...adapters.process.descriptors import point_at_null

    with contextlib.suppress(OSError, ValueError):
        point_at_null(sys.stdout.fileno())
