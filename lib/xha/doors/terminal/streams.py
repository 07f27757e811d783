"""Repairs the standard streams. If they are closed, full or gone, the program must not fail because of it."""

from __future__ import annotations

import io
import sys


def mend_streams() -> None:
    """Open /dev/null for each closed stream, and make every character printable in every locale.

    Call this before anything opens a file that stays open. Such a file gets the lowest free number: if a socket became
    descriptor 2, a log line would go to it.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):  # None stands for a closed descriptor
        from ...adapters.process.descriptors import fill_descriptors

        fill_descriptors()
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            mode = "w" if fd else "r"
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - stays open until the end
        elif isinstance(stream, io.TextIOWrapper) and fd:
            stream.reconfigure(errors="backslashreplace")


def abandon_stdout() -> None:
    """Drop output that cannot be written. Otherwise Python would try again at its end, and print an error."""
    import contextlib

    from ...adapters.process.descriptors import point_at_null

    with contextlib.suppress(OSError, ValueError):
        point_at_null(sys.stdout.fileno())
