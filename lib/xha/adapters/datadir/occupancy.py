"""What is said of the use of a data directory: what is looked for, what is found, and that it cannot be told."""

from __future__ import annotations

from enum import Enum

from ...core.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...core.galera.known_servers import Remembered
    from ..mysqld.trust import Trust
    from ..process.procfs import Process


class CannotLook(OSError):
    """Whether something uses the data cannot be told: that is not the same as nothing does. The text says why."""


class StrangersLeft(CannotLook):
    """There was no time for all, but nobody who could have opened the data to write holds them open. The text says who.

    Who is left can only have been handed a descriptor. A lock tells of a server.
    """


class Use(str, Enum):
    """What a process does with a data directory."""

    SERVER = "server"
    RECOVERY = "recovery"
    TRANSFER = "state transfer"
    OTHER = "other program"


class Search(NamedTuple):
    """What is looked for: users of these directories; servers count that are trusted. known: servers met before.

    A known server counts wherever its directory is by now, as where that was renamed. unknown: why nobody knows which
    directory the settings mean; then a server that is met in another one may be the one that is looked for.
    """

    directories: tuple[str, ...]
    trust: Trust
    known: tuple[Remembered, ...] = ()
    unknown: str = ""


class Occupant(NamedTuple):
    """A process that uses a data directory. Of another program: its account, and what it has open."""

    process: Process
    use: Use
    directory: str = ""
    account: str = ""
    held: str = ""
    writes: bool = False

    def __str__(self) -> str:
        if self.use is not Use.OTHER:
            return f"{self.process} ({self.use.value})"
        return f"{self.process}, of {self.account} ({self.held} is open)"
