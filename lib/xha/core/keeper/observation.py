"""What one look of a keeper sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..node.commits import NOT_KNOWN, Commits
from ..node.writer_rule import Takers, WriterOrder, WriterRecord
from ..ocf.galera_settings import Settings
from ..pacemaker.cib import Cib

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..election.facts import Probed
    from ..election.position_report import PositionReport, Unread
    from ..election.stall import StallReport
    from ..election.writer import WriterWord
    from ..galera.known_servers import ServerProcess, StateTransfer
    from ..galera.node_record import NodeRecord
    from ..galera.position import GraState, GvwState
    from ..galera.reading import Reading
    from ..galera.server_options import Ports
    from ..monitor.start_failures import Failure
    from ..node.verdict import Policy, Verdict
    from ..node.withdrawal import Withdrawal
    from .outcomes import EffectOutcome, EffectResult, FailureCause, Recovered


class ServerSeen(NamedTuple):
    """The server. server: the one that the keeper knows, while it lives, or else one that was found; None: none is.

    ours: the environment of one that was found names this resource's notify socket. errors: what a server complained
    of that has ended, or has left its group. asked: it was asked now; verdict and reading are its answer, reading None
    where it gave none. free: the room on its disk now, in bytes, 0 where nobody looked. weight: its votes in the group,
    None where nobody asked. told: what distinguishes the file that the server wrote of itself before it was asked from
    the next one (core/galera/status_file.py), () where there is none.
    """

    server: ServerProcess | None = None
    ours: bool = True
    errors: tuple[str, ...] = ()
    transfer: StateTransfer | None = None
    asked: bool = False
    verdict: Verdict | None = None
    reading: Reading | None = None
    free: int = 0
    weight: int | None = None
    told: tuple[int, ...] = ()


class ChildSeen(NamedTuple):
    """The child that this keeper began last, until what it came to is known. outcome: that, None while it runs.

    directory: the data directory's device and inode now, None where they are unknown.
    """

    number: int
    outcome: EffectOutcome | None = None
    directory: tuple[int, int] | None = None


class DataSeen(NamedTuple):
    """The data directory, read after the server was.

    trouble: why it cannot be read, "" if it can; unread: why the record in it, which is there, cannot be. created: a
    database was created here, and to the end; server/looks.py says when that is looked at, and recovered: what the
    keeper before this one found out, where nothing has written there since. joining: the record of a join under way,
    kept under /run.
    """

    record: NodeRecord | None = None
    gvwstate: GvwState | None = None
    grastate: GraState | None = None
    created: bool = False
    trouble: str = ""
    unread: str = ""
    failures: tuple[Failure, ...] = ()
    joining: NodeRecord | None = None
    recovered: Recovered | None = None


class ClusterSeen(NamedTuple):
    """The cluster, looked at after this host was.

    reports: the others', and what the cluster hands back of this node's. members: in the order of the list;
    ambiguous: what is wrong where a name stands for two. probes, arbitrators: what their ports answered. clock: seconds
    since 1970, which grants are dated by. addresses, ports: this host's own, and its server's. stalls: what the others
    publish of a stall, read only while one lasts here.
    """

    me: str
    reports: Mapping[str, PositionReport | Unread] = {}
    cib: Cib = Cib()
    members: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    probes: Mapping[str, Probed] = {}
    arbitrators: Mapping[str, Probed] = {}
    addresses: tuple[str, ...] = ()
    clock: float = 0.0
    ports: Ports | None = None
    stalls: Mapping[str, StallReport] = {}


class WriterSeen(NamedTuple):
    """What the cluster, and this host's own files, say of the writer.

    words: each keeper's. policy: the operator's, None where xha.conf is wrong. withdrawal, commits: as the responder
    judges by them. takers: its load balancers, asked while a handover is under way. order: what a person wants.
    record: what this host's responder was told last, looked at until this keeper has told it something itself.
    """

    words: Mapping[str, WriterWord] = {}
    policy: Policy | None = None
    withdrawal: Withdrawal | None = None
    commits: Commits = NOT_KNOWN
    takers: Takers = Takers()
    order: WriterOrder | None = None
    record: WriterRecord | None = None


class Fresh(NamedTuple):
    """Ids that nobody has used yet: for an epoch that is opened, for the token's own one, and for a generation."""

    epoch: str
    token: str
    generation: str


class Trouble(NamedTuple):
    """Looking itself failed."""

    cause: FailureCause
    text: str


class Observation(NamedTuple):
    """One look, and what came of the effects before it. now is the monotonic clock's.

    server, data, cluster and writer are None where nobody looked: after an effect failed, and with a trouble. child is
    seen each time, None where there is none. in_charge: the lock that stands in /run is this keeper's. ending: the
    process ends, and this is its last step. reloaded: settings were stored again since the last look. run: the
    directory under /run; datadir, socket: the server's. keeper: this process, as its status names it.
    """

    now: float
    fresh: Fresh
    settings: Settings = Settings()
    results: tuple[EffectResult, ...] = ()
    child: ChildSeen | None = None
    in_charge: bool = True
    ending: bool = False
    reloaded: bool = False
    trouble: Trouble | None = None
    server: ServerSeen | None = None
    data: DataSeen | None = None
    cluster: ClusterSeen | None = None
    writer: WriterSeen | None = None
    run: str = ""
    datadir: str = ""
    socket: str = ""
    boot_id: str = ""
    keeper: str = ""
