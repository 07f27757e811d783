"""The values that describe the use of a data directory: what is looked for, what is found, and that it is unknown."""

from __future__ import annotations

from enum import Enum

from ...core.text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...core.galera.known_servers import KnownServer
    from ..mysqld.trust import Trust
    from ..process.procfs import Process


class CannotLook(OSError):
    """Whether something uses the data cannot be determined. That differs from "nothing uses them".

    The text says why.
    """


class NotAllExamined(CannotLook):
    """The time was too short to examine all processes, but those that could open the data for writing were examined.

    None of these has the data open. The processes that remain can only have received a descriptor from another process.
    A running server is still found by its lock. The text names the process at which the time ran out.
    """


class Use(str, Enum):
    """What a process does with a data directory."""

    SERVER = "server"
    RECOVERY = "recovery"
    TRANSFER = "state transfer"
    OTHER = "other program"


class Search(NamedTuple):
    """What is looked for: users of these directories. Only servers that are trusted count as servers.

    known: servers seen before. Such a server counts wherever its directory is now, for instance if that was renamed.
    unknown: why the data directory that the settings mean is not known. In that case a server in another directory may
    be the one that is looked for.
    """

    directories: tuple[str, ...]
    trust: Trust
    known: tuple[KnownServer, ...] = ()
    unknown: str = ""


class Occupant(NamedTuple):
    """A process that uses a data directory.

    For another program than a server: its account, and the file it has open.
    """

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
