"""What an installation says, and how it says that it cannot go on."""

from __future__ import annotations


class CannotInstall(Exception):
    """Why nothing was installed, and what to do."""


def say(text: str) -> None:
    print(f"install: {text}", flush=True)
