"""The status that a node's keeper writes: RUN/keeper.json, read by monitor, start and xha-check."""

from __future__ import annotations

from enum import Enum

from ..text.light_typing import NamedTuple
from ..text.numbers import parse_json, parse_moment, parse_number

SCHEMA = 1
# How long the keeper, and a stop, give a server that waits for its group: it does not heed SIGTERM, and serves nobody.
DEAF_SECONDS = 6.0


class Phase(str, Enum):
    """What the keeper is doing. UNKNOWN: it could not find out where the data end, and tries again.

    EVICTED: the group has shut the server out, and it is restarted once its storage takes writes.
    """

    RECOVERING = "recovering"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    REFUSING = "refusing"
    HELD = "held"
    FORMING = "forming"
    STARTING = "starting"
    RESTORING = "restoring"
    REVIVING = "reviving"
    RUNNING = "running"
    EVICTED = "evicted"
    ENDED = "ended"
    FAILED = "failed"


class KeeperStatus(NamedTuple):
    """The status of a keeper.

    Times are seconds of the system-wide monotonic clock (CLOCK_MONOTONIC); 0.0 means never.

    pid and started: of the keeper. started is the start time in clock ticks of /proc/PID/stat.
    server_pid and server_started: of the server that the keeper watches, 0 if there is none. ENDED: of the one that
    has ended by itself.
    at: when this status was written. since: when phase and reason last changed.
    code: the verdict's code of the last reading (core/node/verdict.py), "" before the first one. message: its text.
    answered_at: when the server last answered a query.
    primary_at: since when another member has been in a Primary component of the same lineage.
    progress_at: when a state transfer last progressed.
    permanent: a failure that another attempt does not mend.
    datadir and socket: as the server itself resolves them.
    arrived: by how many bytes the used space of the disk has grown since the server was launched.
    """

    phase: Phase
    reason: str = ""
    pid: int = 0
    started: int = 0
    at: float = 0.0
    since: float = 0.0
    server_pid: int = 0
    server_started: int = 0
    launched_at: float = 0.0
    code: str = ""
    message: str = ""
    ready: bool = False
    cluster_status: str = ""
    answered_at: float = 0.0
    primary_at: float = 0.0
    transfer: str = ""
    progress_at: float = 0.0
    permanent: bool = False
    datadir: str = ""
    socket: str = ""
    arrived: int = 0

    @property
    def server(self) -> str:
        """Which process is the server, or was it until it ended by itself; "" where there is none."""
        return name_process(self.server_pid, self.server_started)

    @property
    def keeper(self) -> str:
        """Which process wrote it, of this boot of its host; "" where that is not known."""
        return name_process(self.pid, self.started)

    @property
    def progress(self) -> str:
        """The progress of a state transfer to this node, in words; "" while there is none."""
        if not self.transfer.endswith("joiner"):
            return ""
        seconds = max(0.0, self.at - self.launched_at) if self.launched_at else 0.0
        return f"state transfer by {self.transfer.partition(',')[0]}: {self.arrived >> 20} MiB in {seconds:.0f} s"


def name_process(pid: int, started: int) -> str:
    """Return the name of a process, which no other one has until its host boots; "" without both."""
    return f"{pid}.{started}" if pid and started else ""


def render_keeper_status(keeper_status: KeeperStatus) -> str:
    """Return the status as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, **keeper_status._asdict()})


def parse_keeper_status(text: str) -> KeeperStatus | None:
    """Return the status, or None for a text that is torn, of another schema, or has a value of another type."""
    try:
        said = parse_json(text)
        if parse_number(said.pop("schema")) != SCHEMA:
            return None
        said["phase"] = Phase(said["phase"])
        keeper_status = KeeperStatus(**said)
        kinds = ((type(default), value) for default, value in zip(KeeperStatus(Phase.HELD)[1:], keeper_status[1:]))
        return keeper_status if all(_is(kind, value) for kind, value in kinds) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _is(kind: type, value: object) -> bool:
    if kind is float:
        parse_moment(value)
        return True
    return type(value) is kind
