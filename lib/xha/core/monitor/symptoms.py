"""What a monitor saw on a node, and the questions that core/monitor/health.py asks about it.

A question returns False or "" for no, True for yes, or a text for yes that belongs into the reason.
"""

from __future__ import annotations

from enum import Enum

from ..node.codes import RULES as VERDICTS
from ..node.codes import Code
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .keeper_status import Phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Union

    from ..galera.status_file import ServerStatus
    from ..node.verdict import Verdict
    from .keeper_status import KeeperStatus

    Answer = Union[str, bool]

# A keeper writes its status every second or two, whatever it does; Pacemaker's tools may keep it waiting for longer.
KEEPER_SILENCE = 60.0
# A disk is low below this share of free space, but never above LOW_BYTES.
LOW_SHARE, LOW_BYTES = 0.05, 5 << 30


class DatadirUse(Enum):
    """What uses the data directory.

    STOPPED: the server was in state T in two looks 1 s apart. OTHER: a program that is no trusted server. UNSEEN: the
    look was not possible, which does not mean ABSENT.
    """

    ABSENT = "absent"
    RUNNING = "running"
    STOPPED = "stopped"
    RECOVERY = "recovery"
    OTHER = "other"
    UNSEEN = "unseen"


class Graces(NamedTuple):
    """The parameters of the same names, in seconds."""

    sst_stall: float = 600.0
    rejoin_grace: float = 60.0
    hang_grace: float = 30.0


class Symptoms(NamedTuple):
    """What a monitor saw.

    server_pid: of the server. server_since: when it was started, by the clock of now.
    alive: a keeper holds its lock. keeper: the last status of that keeper, or of a dead one.
    now: by the clock of the keeper's times.
    verdict and cluster_status: from the monitor's own reading. They are None and "" if it did not read (depth 0); then
      the keeper's values are used.
    status: the server's status file.
    query_error: why the query of depth 20 failed.
    disk_free and disk_size: bytes of the data directory's file system, None if they were not read.
    told: the keeper has told Pacemaker of the server's end, which acts on that by now.
    occupant: who else uses the data (OTHER), or why that is not known (UNSEEN), in words.

    keeper.primary_at is the time since which a Primary of the same lineage has been reachable, 0.0 while there is none.
    """

    server: DatadirUse = DatadirUse.ABSENT
    server_pid: int = 0
    server_since: float = 0.0
    alive: bool = False
    keeper: KeeperStatus | None = None
    now: float = 0.0
    verdict: Verdict | None = None
    cluster_status: str = ""
    status: ServerStatus | None = None
    query_error: str = ""
    disk_free: int | None = None
    disk_size: int | None = None
    told: bool = False
    occupant: str = ""
    graces: Graces = Graces()

    @property
    def phase(self) -> Phase | None:
        """What the keeper is doing, or None if there is no keeper."""
        return self.keeper.phase if self.keeper and self.alive else None

    @property
    def known(self) -> KeeperStatus | None:
        """The keeper's status, if it is about this very server."""
        same = self.keeper is not None and self.server_pid != 0 and self.keeper.server_pid == self.server_pid
        return self.keeper if same else None

    @property
    def code(self) -> str:
        """The verdict's code of the newest reading, "" if there is no reading or no server."""
        if self.server is not DatadirUse.RUNNING:
            return ""
        if self.verdict:
            return self.verdict.code.value
        return self.known.code if self.known and self.alive else ""

    @property
    def message(self) -> str:
        """The text of that verdict."""
        if self.verdict:
            return self.verdict.message
        return self.known.message if self.known and self.alive else ""

    @property
    def group(self) -> str:
        """wsrep_cluster_status of the newest reading."""
        if self.verdict:
            return self.cluster_status
        return self.known.cluster_status if self.known and self.alive else ""

    @property
    def silence(self) -> float:
        """Seconds since the server's last answer, or else since it was launched or found. 0.0 if that is not known."""
        known = self.known
        since = (known.answered_at or known.launched_at or known.since) if known else 0.0
        return max(0.0, self.now - since) if since else 0.0


def is_low(free: int | None, size: int | None) -> bool:
    """Return whether a file system has too little free space. Sizes are in bytes. Unknown sizes are not low."""
    return free is not None and size is not None and free < min(size * LOW_SHARE, LOW_BYTES)


_STARTS = (Phase.FORMING, Phase.STARTING, Phase.RESTORING)
_SERVED = (Phase.RUNNING, Phase.EVICTED, Phase.REVIVING, Phase.ENDED)
IMPOSSIBLE = (Code.ACCESS_DENIED, Code.TOO_MANY_CONNECTIONS, Code.CONFIG_ERROR, Code.UNREACHABLE)


def in_phase(*phases: Phase) -> Callable[[Symptoms], Answer]:
    """Ask whether the keeper is in one of the phases. The text is the keeper's reason."""
    return lambda seen: (seen.keeper.reason or True) if seen.keeper and seen.phase in phases else False


def has_ended(seen: Symptoms) -> Answer:
    """Ask whether the server has ended although its keeper wanted it to run."""
    gone = seen.server is DatadirUse.ABSENT and seen.phase in _SERVED
    return keeper_words(seen) if gone else False


def is_told(seen: Symptoms) -> Answer:
    """Ask whether the server has ended, and Pacemaker knows it from its keeper: a second failure would be none."""
    return seen.told and has_ended(seen)


def has_failed(seen: Symptoms) -> Answer:
    """Ask whether the keeper has given up, and it is known that nothing uses the data."""
    return keeper_words(seen) if seen.phase is Phase.FAILED and seen.server is DatadirUse.ABSENT else False


def keeper_words(seen: Symptoms) -> Answer:
    """Return the reason in the keeper's last status, or True if it has none."""
    return seen.keeper.reason if seen.keeper and seen.keeper.reason else True


def is_out(seen: Symptoms) -> Answer:
    """Ask whether only a restart can bring the server back.

    A server that starts is Disconnected too, and does not count.
    """
    if seen.server is not DatadirUse.RUNNING:
        return False
    if seen.status and seen.status.inconsistent:
        return "Inconsistent: its rows differ from the others'"
    # A keeper of an earlier version calls it non-primary.
    disconnected = seen.code == Code.DISCONNECTED.value or (
        seen.group == "Disconnected" and seen.code == Code.NON_PRIMARY.value
    )
    return "Disconnected" if disconnected and seen.phase not in _STARTS else False


def is_evicted(seen: Symptoms) -> Answer:
    """Ask whether the group has shut the server out. Its keeper restarts it once that can end.

    A thread that waits for a frozen file system ignores SIGKILL: a stop would fail, and the host be fenced for it.
    """
    if seen.server is not DatadirUse.RUNNING:
        return False
    if seen.phase is Phase.EVICTED:
        return keeper_words(seen)
    return bool(seen.status and seen.status.evicted) or seen.code == Code.EVICTED.value


def hangs(seen: Symptoms) -> Answer:
    """Ask whether the server has been silent for hang_grace."""
    return _silence(seen) if _asked_in_vain(seen) and seen.silence >= seen.graces.hang_grace else False


def is_silent(seen: Symptoms) -> Answer:
    """Ask whether the server is silent, for whatever time."""
    return _silence(seen) if _asked_in_vain(seen) else False


def _silence(seen: Symptoms) -> str:
    return f"no answer for {seen.silence:.0f} s" if seen.silence else "no answer"


def _asked_in_vain(seen: Symptoms) -> bool:
    """Return whether the server itself is silent.

    If a check never reached the server at this address, the address may be wrong. That does not count as silence.
    """
    answered = seen.known is not None and seen.known.answered_at > 0
    if seen.phase in _STARTS and not answered:
        return False
    if seen.code == Code.SERVER_DOWN.value:
        return answered and not (seen.status is not None and seen.status.state.in_primary)
    return seen.code == Code.HUNG.value


def stalls(seen: Symptoms) -> Answer:
    """Ask whether a joiner's state transfer has made no progress for sst_stall."""
    keeper = seen.keeper if _receives(seen) else None
    still = seen.now - keeper.progress_at if keeper and keeper.progress_at else 0.0
    return f"no progress for {still:.0f} s" if still > seen.graces.sst_stall else False


def _receives(seen: Symptoms) -> bool:
    keeper = seen.known if seen.alive and seen.server is DatadirUse.RUNNING else None
    return keeper is not None and keeper.transfer.endswith("joiner")


def joins(seen: Symptoms) -> Answer:
    """Ask whether the server is on its way into a Primary component."""
    if seen.keeper and _receives(seen):
        return seen.keeper.progress
    starts = seen.phase in _STARTS and seen.code != Code.SYNCED.value
    comes_up = (Code.STARTING.value, Code.JOINING.value, Code.JOINED.value)
    return keeper_words(seen) if starts or seen.code in comes_up else False


def is_left_behind(seen: Symptoms) -> Answer:
    """Ask whether a Primary has been reachable for rejoin_grace, and the server did not join it.

    The grace begins again when the keeper's reason changes. The reason: a node that has only just lost its Primary
    still hears that the others are Primary, as it did all the time before, and for a moment it hears so even if they
    have lost it too.
    """
    keeper = seen.keeper if seen.alive else None
    if seen.code != Code.NON_PRIMARY.value or keeper is None or not keeper.primary_at:
        return False
    apart = seen.now - max(keeper.primary_at, keeper.since)
    if apart < seen.graces.rejoin_grace:
        return False
    return f"a Primary of the same cluster has been reachable for {apart:.0f} s"


def has_mute_keeper(seen: Symptoms) -> Answer:
    """Ask whether a keeper lives and has not written its status."""
    if seen.keeper is None or seen.phase is None or seen.now - seen.keeper.at <= KEEPER_SILENCE:
        return False
    return f"pid {seen.keeper.pid} has said nothing for {seen.now - seen.keeper.at:.0f} s"


def has_failed_keeper(seen: Symptoms) -> Answer:
    """Ask whether a server runs, and the last keeper has given up since that server was started; its process may last.

    A keeper that gave up before it was started says nothing of this one.
    """
    keeper = seen.keeper
    if seen.server is not DatadirUse.RUNNING or keeper is None or keeper.phase is not Phase.FAILED:
        return False
    return keeper_words(seen) if keeper.at > seen.server_since else False


def is_degraded(seen: Symptoms) -> Answer:
    """Ask whether the verdict is anything but Synced. The text is its message and its remedy."""
    if seen.code in ("", Code.SYNCED.value):
        return False
    remedies = [rule.remedy for code, rule in VERDICTS.items() if code.value == seen.code and rule.remedy]
    return "; ".join([seen.message or seen.code, *remedies])


def is_one_of(*codes: Code) -> Callable[[Symptoms], Answer]:
    """Ask whether the verdict has one of the codes. The text is its message and its remedy."""
    return lambda seen: is_degraded(seen) if seen.code in {code.value for code in codes} else False
