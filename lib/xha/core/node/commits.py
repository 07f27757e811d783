"""The facts by which commit_rules.py decides whether a node commits, and what is known of that in the end."""

from __future__ import annotations

from enum import Enum

from ..galera.reading import READ_ONLY_NAMES
from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..galera.reading import Reading, Working
    from .codes import Code

# Seconds of readings that are kept, and how many of them at most.
KEPT_SECONDS, KEPT_LOOKS = 15.0, 200
# A commit is proven for so long.
PROVEN_SECONDS = 5.0
_MIB = 1 << 20


class Moment(NamedTuple):
    """What the rules need of one reading. at: seconds of the monotonic clock. None: the server did not say.

    own: commits of this node's own clients, the probe's included; probes: how many the probe has sent until then.
    rows: what appliers move row by row; written: what a flush or a large commit moves.
    ordered: write sets of this node that the group has given a place in its order; members: of its component.
    sets, size: how many write sets the group has delivered here, this node's own included, and their bytes.
    """

    at: float
    active: bool | None = None
    requested: bool | None = None
    paused_ns: int | None = None
    queue: int | None = None
    sending: int | None = None
    position: int | None = None
    own: int | None = None
    probes: int = 0
    rows: tuple[int | None, ...] = ()
    written: tuple[int | None, ...] = ()
    working: Working | None = None
    ordered: int | None = None
    members: int | None = None
    sets: int | None = None
    size: int | None = None


def take_look(reading: Reading, at: float, probes: int) -> Moment:
    """Return what the rules need of a reading."""
    status = reading.status
    return Moment(
        at,
        status.wsrep_flow_control_active,
        status.wsrep_flow_control_requested,
        status.wsrep_flow_control_paused_ns,
        status.wsrep_local_recv_queue,
        status.wsrep_local_send_queue,
        status.wsrep_last_committed,
        status.wsrep_local_commits,
        probes,
        (
            status.handler_write,
            status.handler_update,
            status.handler_delete,
        ),
        # MySQL has no binlog_bytes_written. What stands still there is what it has.
        (status.innodb_data_written, status.binlog_bytes_written or 0),
        reading.working,
        status.wsrep_replicated,
        status.wsrep_cluster_size,
        _sum(status.wsrep_replicated, status.wsrep_received),
        _sum(status.wsrep_replicated_bytes, status.wsrep_received_bytes),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


class ProbeState(Enum):
    """What the commit probe last came to."""

    NONE = "none"  # no probe: off, no table, no right, or the node must not be written to now
    DONE = "done"
    AGAIN = "again"  # a conflict or a lock, which says nothing of the node
    WAITING = "waiting"
    FAILED = "failed"


class LastProbe(NamedTuple):
    """The commit probe. since: when it was sent, or when it ended. text: why there is none, or what the server said.

    done_at, seconds: when the last one succeeded, and how long it took.
    convicted: this very statement was late while no flow control was active.
    ordered: wsrep_replicated just before this statement was sent; None if that is not known.
    """

    state: ProbeState = ProbeState.NONE
    since: float = 0.0
    text: str = "no probe has been sent yet"
    done_at: float | None = None
    seconds: float | None = None
    convicted: bool = False
    ordered: int | None = None


class Room(NamedTuple):
    """The room of a file system, in bytes, and the server's directories on it, as `datadir /var/lib/mysql`."""

    names: tuple[str, ...]
    free: int
    size: int

    def __str__(self) -> str:
        return f"{', '.join(self.names)}: {self.free // _MIB} of {self.size // _MIB} MiB free"


class Limits(NamedTuple):
    """stall_after: how long a queue stands until the node is red; late: how long a commit may take. Seconds."""

    stall_after: float = 5.0
    late: float = 0.75


class Commits(NamedTuple):
    """What is known of the commits of a node. code: None, cannot-commit or stalling; detail is its proof.

    unknown: why it is not known whether the node commits; "" where it is.
    probe_age: seconds since the last commit of the probe; probe_seconds: how long that took.
    """

    code: Code | None = None
    detail: str = ""
    warnings: tuple[str, ...] = ()
    unknown: str = "nobody has looked"
    probe_age: float | None = None
    probe_seconds: float | None = None
    rooms: tuple[Room, ...] = ()


# Nobody has looked: nothing follows of it.
NOT_KNOWN = Commits()


def proves_itself(looks: Sequence[Moment]) -> bool:
    """Return whether clients of this node have committed between the first and the last of these readings.

    The probe's own commits count in wsrep_local_commits too; one may be under way at the first reading.
    """
    if len(looks) < 2:
        return False
    first, last = looks[0], looks[-1]
    if first.own is None or last.own is None:
        return False
    return last.own - first.own > last.probes - first.probes + 1


def why_no_probe(reading: Reading, disabled: bool) -> str:
    """Return why this node is not written to now, "" if it may be."""
    status, variables = reading.status, reading.variables
    if disabled:
        return "the node is disabled"
    if status.wsrep_local_state != 4 or status.wsrep_cluster_status != "Primary" or not status.wsrep_ready:
        return f"the node is {status.wsrep_local_state_comment or 'not synced'}"
    if reading.probe_errno or variables.wsrep_reject_queries not in (None, "NONE"):
        return "the node rejects queries"
    if any(getattr(variables, name) for name in READ_ONLY_NAMES):
        return "the node is read-only"
    if variables.read_only is None:
        return "it is not known whether the node is read-only"
    if variables.wsrep_desync:
        return "the node is desynced"
    if variables.pxc_maint_mode not in (None, "DISABLED") or variables.offline_mode:
        return "the node is in maintenance"
    return ""
