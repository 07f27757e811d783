"""What a keeper does about a stall, on either side: it has the culprit evicted, and restarts an evicted server.

Of those who are well one acts: it takes the token, looks once more, and evicts whom it took it for, or gives it back.
An evicted server is not ended before its storage takes writes again: a thread that waits for a frozen file system
ignores SIGKILL, and Pacemaker would have the host fenced for a stop that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.facts import EVICTS, Host, Token
from ..election.position_report import PositionReport, State
from ..election.stall import (
    TELL_SECONDS,
    Eviction,
    HeardStall,
    StallFacts,
    StallReport,
    hear_stalls,
    judge_stall,
)
from ..galera.reading import LocalState, count_data_members
from ..node.commit_rules import find_standing, is_stopped
from ..node.commit_rules import judge_stall as judge_own_stall
from ..pacemaker.guards import Allowed, HoldsToken
from .children import say_evicted
from .effects import CheckStorage, Evict, PublishStall, TakeToken, VoidToken
from .server.ending import stop_server

if TYPE_CHECKING:
    from ..election.stall import StallDecision
    from ..galera.reading import Variables
    from .turn import Turn

# How long a queue and a position stand until a node is called stalling (docs/commits.md).
STALL_SECONDS = 5.0
# One write waits for as long as its file system is frozen, and no second one is sent meanwhile.
STORAGE_SECONDS = 3600.0
_RESTART = Allowed("restarting the evicted server")


def attend_stall(turn: Turn) -> bool:
    """Do what a stall, or this server's eviction, asks for; return False where nothing else is to be done."""
    memory = turn.memory
    if memory.server is not None and memory.stall.shut_out:
        _withdraw(turn)
        _leave(turn)
        return False
    _void(turn)
    if memory.state is State.PRIMARY and is_stopped(memory.stall.looks):
        _watch(turn)
    else:
        _withdraw(turn)
    return True


def _void(turn: Turn) -> None:
    """Remove the token of a keeper that took it to evict somebody, and whose host is down: it forms nothing."""
    cib = turn.cluster.cib
    token = cib.book.records.token
    if token is None or not token.evicts or token.node == turn.me or cib.forbidden(turn.me):
        return
    if cib.hosts.get(token.node) in (Host.FENCED, Host.CLEAN_DOWN):
        turn.log(f"{token.node} took the token to evict a member, and is down: the token is void", warning=True)
        turn.do(VoidToken(token), Allowed("removing the token"))


# --- a member of the group


def _withdraw(turn: Turn) -> None:
    stall = turn.memory.stall
    if stall.told is not None:
        turn.do(PublishStall(None))
    if stall.evicting is not None:
        turn.log(f"the stall is over: {stall.evicting.node} is not evicted")
    turn.note(stall=stall._replace(since=0.0, weight=None, heard={}, evicting=None, words=""))


def _watch(turn: Turn) -> None:
    """Tell the others how a stall looks from here, and name who stalls; evict it where the rule says so."""
    report = _tell(turn)
    stall = turn.memory.stall
    heard = hear_stalls(stall.heard, turn.cluster.stalls, turn.now)
    # Its own is true of now, whoever has seen it.
    decision = judge_stall(_facts(turn, {**heard, turn.me: HeardStall(report, turn.now, alive=True)}))
    words = f"{decision.culprit} stops all commits: {decision.reason}" if decision.culprit else ""
    if words and words != stall.words:
        turn.log(words, warning=True)
    turn.note(stall=stall._replace(heard=heard, words=words))
    _act(turn, decision, heard)


def _tell(turn: Turn) -> StallReport:
    """Return this node's report, and publish it where it is due: at once when it begins or ceases to stall."""
    stall, reading = turn.memory.stall, turn.memory.reading
    assert reading is not None
    stalls, _ = judge_own_stall(stall.looks, STALL_SECONDS)
    since = (stall.since or find_standing(stall.looks)[0].at) if stalls else 0.0
    status = reading.status
    synced = status.wsrep_local_state == LocalState.SYNCED and bool(status.wsrep_ready)
    report = StallReport(
        number=(stall.told.number if stall.told else 0) + 1,
        uuid=(status.wsrep_gcomm_uuid or "").lower(),
        applied=-1 if status.wsrep_last_committed is None else status.wsrep_last_committed,
        synced=synced and turn.memory.transfer is None,
        requested=bool(status.wsrep_flow_control_requested),
        stalled=turn.now - since if since else 0.0,
        weight=stall.weight,
    )
    turn.note(stall=stall._replace(since=since))
    changed = stall.told is None or bool(stall.told.stalled) != bool(since)
    if changed or turn.now - stall.told_at >= TELL_SECONDS:
        turn.do(PublishStall(report))
    return report


def _facts(turn: Turn, heard: dict[str, HeardStall]) -> StallFacts:
    cluster, reading, saved = turn.cluster, turn.memory.reading, turn.data.gvwstate
    assert reading is not None
    own = (reading.status.wsrep_gcomm_uuid or "").lower()
    token = cluster.cib.book.records.token
    joining = (State.STARTING, State.RESTORING)
    reports = cluster.reports.items()
    return StallFacts(
        turn.me,
        cluster.members,
        heard,
        turn.now,
        turn.seen.settings.evict_stalled,
        view=saved.view.members if saved is not None and saved.own_uuid == own else (),
        size=reading.status.wsrep_cluster_size,
        data_members=count_data_members(reading.status),
        weight=reading.status.wsrep_cluster_weight,
        joining=tuple(node for node, one in reports if isinstance(one, PositionReport) and one.state in joining),
        forbidden={node: cluster.cib.forbidden(node) for node in cluster.members},
        quorum=cluster.cib.quorum,
        holder=token.node if token is not None else "",
        last=cluster.cib.book.eviction,
        clock=cluster.clock,
    )


def _act(turn: Turn, decision: StallDecision, heard: dict[str, HeardStall]) -> None:
    stall, token = turn.memory.stall, turn.cluster.cib.book.records.token
    report = heard[decision.culprit].report if decision.evict else None
    now = Eviction(decision.culprit, report.uuid, turn.me, turn.cluster.clock) if report is not None else None
    what = Allowed(f"evicting {decision.culprit}")
    if stall.evicting is not None:
        turn.note(stall=stall._replace(evicting=None))
        same = now is not None and (now.node, now.uuid) == (stall.evicting.node, stall.evicting.uuid)
        if now is not None and same and token is not None and token.node == turn.me:
            seconds = report.stalled if report is not None else 0.0
            turn.log(f"evicting {now.node}: it has applied nothing for {seconds:.0f} s, and stops all", warning=True)
            turn.do(Evict(now), HoldsToken(token.epoch), what)
        else:
            turn.log(f"another look, under the token, does not say the same: {stall.evicting.node} is not evicted")
    elif now is not None and token is None and turn.may(what.what):
        turn.do(TakeToken(Token(turn.me, turn.seen.fresh.token, f"{EVICTS}{now.uuid}"), now), what)


# --- a server that was shut out


def _leave(turn: Turn) -> None:
    memory, stall = turn.memory, turn.memory.stall
    turn.publish()
    if memory.is_proven(turn.now):
        if turn.may(_RESTART.what):
            say_evicted(turn)
            stop_server(turn, _RESTART)
        return
    say_evicted(turn)
    if turn.now >= stall.again_at and memory.reading is not None:
        turn.do(CheckStorage(STORAGE_SECONDS, name_directories(memory.reading.variables)))


def name_directories(variables: Variables) -> tuple[tuple[str, str], ...]:
    """Return the directories that a commit may write to, each with the name of its variable."""
    datadir, redo = variables.datadir or "", variables.innodb_log_group_home_dir or ""
    found = [("datadir", datadir), ("log_bin", (variables.log_bin_basename or "").rpartition("/")[0])]
    if redo not in ("", ".", "./"):
        found.append(("innodb_log_group_home_dir", redo if redo.startswith("/") else f"{datadir}/{redo}"))
    found += [("tmpdir", path) for path in (variables.tmpdir or "").split(":")]
    return tuple((name, path) for name, path in found if path.startswith("/"))
