"""What a keeper remembers from one look to the next, and what follows from that alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.compose_report import reading_position
from ..election.position_report import State
from ..election.stall import StallMemory
from ..election.writer import WriterMemory
from ..galera.position import Kind
from ..galera.reading import has_left_group, is_serving
from ..monitor.keeper_status import Phase
from ..pacemaker.telling import Telling
from .effects import CheckHost, CheckStorage, Create, Recover, Stop

if TYPE_CHECKING:
    from ..election.decision import Decision
    from ..election.position_report import PositionReport
    from ..galera.known_servers import ServerProcess, StateTransfer
    from ..galera.lineage import History
    from ..galera.node_record import NodeRecord
    from ..galera.position import GvwState, Position, Standing
    from ..galera.reading import Reading
    from ..node.verdict import Verdict
    from ..pacemaker.guards import Guard
    from .effects import Discard, Launch, RecordLine

# For how long a write to the storage of an evicted server says that it takes writes: it may freeze again.
PROVEN_SECONDS = 10.0


class Launched(NamedTuple):
    """How the running server was started: phase says for what, at by the monotonic clock, log_from in bytes,
    None where nobody could see how long its error log was.

    free is the room on its disk, in bytes. view is the gvwstate.dat that it found: while it restores that view, it is
    no longer on the disk.
    """

    phase: Phase
    at: float
    log_from: int | None = 0
    free: int = 0
    view: GvwState | None = None


class Ending(NamedTuple):
    """A server that is gone and that nobody here stopped. served: it had been in a Primary component.

    server: its pid and start time.
    """

    served: bool
    launched: Launched | None
    errors: tuple[str, ...] = ()
    server: tuple[int, int] = (0, 0)


class KeeperChild(NamedTuple):
    """What is under way in a process of its own: its effect, and its number.

    since: by the monotonic clock. directory: the data directory's device and inode when it was begun, None where they
    were unknown. server: the pid and start time of the one that ran then, zeros for none.
    """

    act: CheckHost | CheckStorage | Create | Recover | Stop
    number: int
    since: float
    directory: tuple[int, int] | None = None
    server: tuple[int, int] = (0, 0)


class Plan(NamedTuple):
    """A Primary that this node is about to form under the token: the digest it was shown, and until when it waits."""

    shown: str
    until: float


class Launching(NamedTuple):
    """A server that is about to be started: once the cluster hands this report back, if the guards hold then.

    since: by the monotonic clock.
    """

    act: Launch
    report: PositionReport
    guards: tuple[Guard, ...]
    since: float


class Memory(NamedTuple):
    """All that a keeper remembers. Times are seconds of the monotonic clock; 0.0 is never.

    server: the process that uses the data; newcomer: no keeper of this resource launched it, and it is not adopted yet.
    ending: a server that has ended, until that is dealt with; finishing: which of these two is dealt with once all
    effects of the last step are done. noted: the pid and start time that were written down last. served: the server has
    been in a Primary component. reading, verdict: its last ones; answered_at: when it last answered, asked_at: when it
    was last asked; met_at: since when it is known; progress_at: when a state transfer last moved.

    child: the recovery, creation, stop or look at the host that is under way: one at a time. behind: what is to be done
    now that a stopped server has ended.

    fit_at: when this host was found fit for a server last; unfit: why that could not be told. launching: what waits
    until everybody can see that it begins. queued_at: since when another node joins first.

    standing: what the data of a stopped server are worth; None: nobody has looked since the server ran. record: the one
    beside the data as it was last read or written, None: not read. unmendable: what the last look failed by comes back
    until somebody changes something. pause, again_at: when to look at unknown data again.

    epoch: the id that this node opened at epoch_at; answers: the epochs that its report answers. report: the last one
    that was made, told: that was published, without a Primary's seqno. has_token: the token was this node's at the last
    look. plan: the token was taken, and everybody is asked again. forming_since: a Primary was begun here and is not
    there yet. came_with: the history that the data had before the server was started to join; nothing real where a full
    copy is due. why: the words of the last launch. revive_refused: why the server refused pc.bootstrap.

    halted: why this keeper only reports from now on; telling: whether Pacemaker knows. giving_up: why it ends, once the
    last step's effects are done; permanent: no second try mends that.
    decision: the last one; refused: it needs a person. primary_at: since when another member has been in a Primary
    component of this history. calm_since: since when the node is well. phase: what was said last. ready: the
    attribute that was set last, None: none was. writer: what is known of the one writer. stall: of a stall, and of
    this server's eviction.
    """

    server: ServerProcess | None = None
    newcomer: bool = False
    launched: Launched | None = None
    ending: Ending | None = None
    finishing: tuple[str, ...] = ()
    noted: tuple[int, int] | None = None
    served: bool = False
    reading: Reading | None = None
    verdict: Verdict | None = None
    answered_at: float = 0.0
    asked_at: float = 0.0
    met_at: float = 0.0
    transfer: StateTransfer | None = None
    progress_at: float = 0.0
    child: KeeperChild | None = None
    behind: tuple[Discard | RecordLine, ...] = ()
    fit_at: float = 0.0
    unfit: str = ""
    launching: Launching | None = None
    queued_at: float = 0.0
    standing: Standing | None = None
    record: NodeRecord | None = None
    safe_to_bootstrap: bool = False
    unmendable: bool = False
    pause: float = 0.0
    again_at: float = 0.0
    epoch: str = ""
    epoch_at: float = 0.0
    answers: tuple[str, ...] = ()
    report: PositionReport | None = None
    told: PositionReport | None = None
    has_token: bool = False
    plan: Plan | None = None
    forming_since: float = 0.0
    came_with: History | None = None
    why: str = ""
    revive_refused: str = ""
    halted: str = ""
    telling: Telling = Telling()
    giving_up: str = ""
    permanent: bool = False
    decision: Decision | None = None
    refused: bool = False
    primary_at: float = 0.0
    calm_since: float = 0.0
    phase: Phase = Phase.RECOVERING
    ready: bool | None = None
    writer: WriterMemory = WriterMemory()
    stall: StallMemory = StallMemory()

    # --- the server

    @property
    def state(self) -> State:
        """How far the server is, for the report."""
        if self.server is None:
            return State.STOPPED
        if self.reading is not None and is_serving(self.reading):
            return State.PRIMARY
        joined = self.served or self.launched is None
        if (
            joined
            and self.reading is not None
            and (self.reading.status.wsrep_cluster_status != "Primary" or self.has_left)
        ):
            return State.NON_PRIMARY
        restoring = self.launched is not None and self.launched.phase is Phase.RESTORING
        return State.RESTORING if restoring else State.STARTING

    @property
    def is_pending(self) -> bool:
        """Whether a server runs that is in no component yet."""
        return self.state in (State.STARTING, State.RESTORING)

    @property
    def is_ready(self) -> bool:
        """Whether applications may use it: in a Primary component, and the server says so itself."""
        return self.state is State.PRIMARY and self.reading is not None and self.reading.status.wsrep_ready is True

    @property
    def position(self) -> Position:
        """Where the data of the running server end, by its last reading."""
        return reading_position(self.reading)

    @property
    def is_stopping(self) -> bool:
        """Whether the server is being stopped."""
        return self.child is not None and isinstance(self.child.act, Stop)

    @property
    def has_left(self) -> bool:
        """Whether the running server has left its group for good, as after a state transfer that failed."""
        return self.reading is not None and has_left_group(self.reading.status)

    @property
    def server_identity(self) -> tuple[int, int]:
        """The pid and the start time of the server, zeros for none."""
        return (self.server.pid, self.server.started) if self.server else (0, 0)

    def is_proven(self, now: float) -> bool:
        """Return whether the storage of this evicted server took a write just now."""
        stall = self.stall
        known = stall.proven_at > 0 and stall.proven == self.server_identity != (0, 0)
        return known and now - stall.proven_at <= PROVEN_SECONDS

    # --- the data

    @property
    def is_looking(self) -> bool:
        """Whether where the data end is being found out, for the first time since the server ran."""
        return self.child is not None and isinstance(self.child.act, Recover) and self.standing is None

    @property
    def is_unknown(self) -> bool:
        """Whether somebody has looked at the data of the stopped server, in vain."""
        return self.standing is not None and self.standing.kind is Kind.UNKNOWN

    def is_due(self, now: float) -> bool:
        """Whether to look at the data now: nobody has yet, or nobody could and the pause is over."""
        return self.standing is None or (self.is_unknown and now >= self.again_at)

    # --- what is under way

    def without_server(self) -> Memory:
        """Return the memory with nothing of the server, nor of the data before it ran: it holds no more."""
        return self._replace(
            server=None,
            newcomer=False,
            launched=None,
            standing=None,
            reading=None,
            verdict=None,
            transfer=None,
            served=False,
            answered_at=0.0,
            asked_at=0.0,
            stall=self.stall.without_server(),
        )

    @property
    def is_forming(self) -> bool:
        """Whether a Primary is being formed here, or a member evicted, so that the token has to be kept.

        The Primary is planned, or about to begin; or a server starts, of which nobody knows yet what it comes to, and
        which may be a dead keeper's; or a survivor was told to be a Primary.
        """
        if self.plan is not None or self.server is None or self.stall.evicting is not None:
            return self.plan is not None or self.launching is not None or self.stall.evicting is not None
        return self.state is State.STARTING or (self.state is State.NON_PRIMARY and self.forming_since > 0)

    @property
    def is_calm(self) -> bool:
        """Whether the server serves, and nothing is to be decided.

        Where a person has to decide, the grant is looked for at each look.
        """
        settled = self.plan is None and self.child is None and not self.forming_since and not self.refused
        settled = settled and self.stall.told is None
        return settled and self.state is State.PRIMARY

    @property
    def server_phase(self) -> Phase:
        """What the server, or its absence, is called in a status. One that is being stopped ends, and not by itself.

        Where nobody has looked at the data since a server ran, nobody knows where they end.
        """
        if self.server is None:
            creates = self.child is not None and isinstance(self.child.act, Create)
            if self.is_looking or creates:
                return Phase.RECOVERING if self.is_looking else Phase.FORMING
            return Phase.UNKNOWN if self.standing is None else Phase.WAITING
        if not self.is_pending:
            return Phase.WAITING if self.is_stopping else Phase.RUNNING
        return self.launched.phase if self.launched else Phase.STARTING
