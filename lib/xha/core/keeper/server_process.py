"""A server of this host as a keeper knows it: its process, and the state transfer that its helpers carry out."""

from __future__ import annotations

from typing import NamedTuple


class ServerProcess(NamedTuple):
    """A server process. title is its name for people, mark an id that no other process ever has, on whatever host.

    argv is empty where nobody read it. stopped: a signal or a debugger holds it, and it answers nothing.
    """

    pid: int
    started: int
    title: str = "mysqld"
    stopped: bool = False
    argv: tuple[str, ...] = ()
    mark: str = ""


class StateTransfer(NamedTuple):
    """A state transfer that helpers of the server carry out. role: `joiner` or `donor`; progress: bytes and ticks."""

    role: str
    progress: int
    title: str = ""
