"""Runs commands, with good messages when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_LINES = 12


class CommandFailed(Exception):
    """A command ended with a code other than 0, or not in time. `str` is all a person needs to repeat it."""


@dataclass(frozen=True)
class Result:
    """The result of a command. `code` is its exit code (negative: the signal that ended it), `out`, `err` its text."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    def tail(self) -> str:
        lines = (self.out + self.err).strip().splitlines()
        return "\n".join(f"    {line}" for line in lines[-SHOWN_LINES:]) or "    (it said nothing)"


def run(argv: Sequence[str], *, timeout: float = 30.0, text: str | None = None, check: bool = True) -> Result:
    """Run `argv` with `text` on its standard input and return its `Result`.

    `timeout` is in seconds; raises `CommandFailed` when it is over, and, with `check`, when the code is not 0.
    """
    feed = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=timeout, check=False, **feed
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        said = Result(tuple(argv), -9, said, "").tail()
        raise CommandFailed(f"not done after {timeout:g} s: {' '.join(argv)}\n{said}") from None
    result = Result(tuple(argv), done.returncode, done.stdout, done.stderr)
    if check and not result.ok:
        raise CommandFailed(f"exit {result.code}: {' '.join(argv)}\n{result.tail()}")
    return result
