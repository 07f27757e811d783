"""What a keeper can do to the world, as values, each with what must hold at the moment it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from ..election.facts import Token
    from ..election.position_report import PositionReport
    from ..election.stall import Eviction, StallReport
    from ..election.writer import WriterPost
    from ..galera.known_servers import ServerProcess
    from ..galera.lineage import Generation
    from ..galera.node_record import NodeRecord
    from ..galera.position import Position
    from ..monitor.keeper_status import KeeperStatus, Phase
    from ..monitor.start_failures import Failure
    from ..pacemaker.guards import Guard

# --- what is said


@dataclass(frozen=True)
class Say:
    """Write the status, and the log and the attribute for people where it changed. It never fails."""

    keeper_status: KeeperStatus


@dataclass(frozen=True)
class LogLine:
    """Write a line of the log."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class SetReady:
    """Set the attribute by which rules of other resources know whether this node serves."""

    ready: bool


@dataclass(frozen=True)
class TellWriter:
    """Tell of the writer: the others (says), this host's responder (writes), rules of other resources (shows).

    closes: end idle clients of a former writer; the result's value is how many others are left, -1 unknown. takes: this
    node becomes the writer by a claim that nobody else has heard of: the others are told before it goes by it.
    """

    post: WriterPost
    says: bool = True
    writes: bool = True
    shows: bool = True
    closes: bool = False
    takes: bool = False


@dataclass(frozen=True)
class Publish:
    """Publish this node's report."""

    report: PositionReport


@dataclass(frozen=True)
class Retract:
    """Take this node's report away."""


@dataclass(frozen=True)
class PublishStall:
    """Tell the others how a stall looks from here, None: that there is none any more."""

    report: StallReport | None


# --- the cluster's configuration


@dataclass(frozen=True)
class TakeToken:
    """Take the one right to form a Primary, or to evict a member. It fails where the token is there already."""

    token: Token
    evicts: Eviction | None = None


@dataclass(frozen=True)
class VoidToken:
    """Remove the token of a node that a person gave up, if it is this one still."""

    token: Token


@dataclass(frozen=True)
class ReleaseToken:
    """Give the token back, if it is this node's. It is tried whatever failed before it."""


@dataclass(frozen=True)
class ConsumeGrants:
    """Use up the grants of these kinds. It fails where there is none any more."""

    kinds: tuple[str, ...]


@dataclass(frozen=True)
class RecordLine:
    """Record the generations, None to leave them, and the UUID of the history that the cluster stands in."""

    line: tuple[Generation, ...] | None
    cluster: str


@dataclass(frozen=True)
class DeleteStop:
    """Remove the record of this node's last clean stop."""


@dataclass(frozen=True)
class Evict:
    """Record the eviction, then have the group shut that server out (evs.evict). Its value is "", or the refusal."""

    eviction: Eviction


@dataclass(frozen=True)
class TellFailure:
    """Tell Pacemaker that this server has ended, if nobody has. Its value is "", or why its monitor tells it.

    server: its process, as name_process names it.
    """

    server: str


@dataclass(frozen=True)
class ForgetDegraded:
    """Have Pacemaker forget that this node was not at its best."""


# --- the data directory, and what is kept under /run


@dataclass(frozen=True)
class WriteRecord:
    """Write the record beside the data."""

    record: NodeRecord


@dataclass(frozen=True)
class WriteJoining:
    """Keep the record that holds once a donor's data are here; None: they are."""

    record: NodeRecord | None


@dataclass(frozen=True)
class WriteFailures:
    """Write down the failed starts."""

    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class NoteServer:
    """Remember that this server uses the data directory, None: that none does. It is tried whatever failed before."""

    server: ServerProcess | None


@dataclass(frozen=True)
class SetViewAside:
    """Rename gvwstate.dat, so that no server restores that view."""


@dataclass(frozen=True)
class WriteGrastate:
    """Write grastate.dat with the position, and with safe_to_bootstrap set."""

    position: Position


@dataclass(frozen=True)
class Discard:
    """Give up the data: nothing is deleted, the next join replaces them."""


# --- children: each is begun, and a later observation has what it comes to. seconds: how long it may take.


@dataclass(frozen=True)
class CheckHost:
    """Begin to find out whether validate-all calls anything here an error of this host."""

    seconds: float


@dataclass(frozen=True)
class CheckStorage:
    """Begin to find out whether the account of an evicted server can write where the server does."""

    seconds: float
    directories: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Create:
    """Begin to create a database in the empty data directory."""

    seconds: float


@dataclass(frozen=True)
class Recover:
    """Begin to find out where the data of the stopped server end."""

    seconds: float


@dataclass(frozen=True)
class Stop:
    """Begin to stop the server, by SIGKILL before the seconds are over. behind: what is done once it has ended."""

    seconds: float
    behind: tuple[Discard | RecordLine, ...] = ()


@dataclass(frozen=True)
class EndChild:
    """End the child with all that it started. It is tried whatever failed before it."""


# --- the server


@dataclass(frozen=True)
class Launch:
    """Start the server. position: where its data end, None: it finds that itself. copied: it gets a full copy."""

    phase: Phase
    position: Position | None
    bootstrap: bool = False
    copied: bool = False


@dataclass(frozen=True)
class MakePrimary:
    """Set pc.bootstrap in the running server. Its value is "", or why the server refused."""


@dataclass(frozen=True)
class End:
    """End the keeper. It is done whatever failed before it."""


_Said = Union[Say, LogLine, SetReady, TellWriter, Publish, Retract, PublishStall, TellFailure, ForgetDegraded]
_Configured = Union[VoidToken, TakeToken, ReleaseToken, ConsumeGrants, RecordLine, DeleteStop, Evict]
_Written = Union[WriteRecord, WriteJoining, WriteFailures, NoteServer, SetViewAside, WriteGrastate, Discard]
_Begun = Union[CheckHost, CheckStorage, Create, Recover, Stop]
Act = Union[_Said, _Configured, _Written, _Begun, EndChild, Launch, MakePrimary, End]
# What is tried also where an effect before it failed.
ALWAYS = (NoteServer, EndChild, ReleaseToken, End)


@dataclass(frozen=True)
class Effect:
    """One thing to do, and what must hold when it is done."""

    act: Act
    guards: tuple[Guard, ...] = ()
