"""What a keeper does for the one writer: hears the others' words, asks `elect_writer`, and tells what follows.

It is the last thing of a step, and decides nothing of the rest. A planned handover overlaps: the next writer answers
200 at once; the one before it goes on until every load balancer sends writes to the next one, OVERLAP_SECONDS at most,
then answers 404 until its clients have gone, and then 503. A writer that fails has nothing to hand over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..election.position_report import PositionReport, State
from ..election.writer import (
    FRESH_SECONDS,
    NO_CLAIM,
    Claim,
    Heard,
    WriterFacts,
    WriterPost,
    WriterWord,
    choose_claim,
    elect_writer,
    tells_nothing,
)
from ..node.verdict import Code, judge
from ..node.writer_rule import Takers, WriterRecord
from ..pacemaker.guards import HasQuorum
from .effects import TellWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .observation import WriterSeen
    from .turn import Turn

# How long the one before stays in service beside the next writer, and how long a draining one waits for the next.
OVERLAP_SECONDS, TAKEOVER_SECONDS = 3.0, 3.0
# How long the clients of a former writer that never pause may go on there (drain_timeout, if that is less).
LEAVE_SECONDS = 5.0
# When a load balancer that nobody knows of has seen 404: a check each second, as fast as most are.
KNOWN_SECONDS = 2.0
# How often a word is repeated while somebody waits for it, in seconds.
BEAT_SECONDS = 1.0


class _Own(NamedTuple):
    """What this node is worth as the writer. serves: in a Primary component."""

    serves: bool = False
    fit: bool = False
    drains: bool = False

    @property
    def can(self) -> bool:
        """Whether its load balancers could send writes here."""
        return self.fit or self.drains


def attend_writer(turn: Turn) -> None:
    """Take note of what the others say of the writer, and tell what follows from it."""
    memory, seen = turn.memory, turn.seen
    if seen.ending or memory.giving_up or not seen.in_charge or seen.writer is None or seen.cluster is None:
        return
    before = memory.writer.post
    inherited = before if before.record is not None else _inherit(turn, seen.writer.record)
    unasked = memory.server is not None and memory.reading is None
    if before.record is None and unasked and turn.now < max(inherited.until, inherited.leaves):
        return  # a new keeper within a handover: what its server can do, it does not know yet
    own = _look_at_own(turn, seen.writer)
    heard = _hear(memory.writer.heard, seen.writer.words, turn.now)
    present = choose_claim((memory.writer.post.claim, *(one.word.claim for one in heard.values())), _order(turn))
    uuids = _remember_uuids(turn)
    facts = _gather(turn, own, heard, present, uuids)
    choice = elect_writer(facts)
    claim = choice.claim or _ordered(seen.writer, present, facts) or present
    post = _follow(turn, own, inherited if inherited.claim.counter <= claim.counter else before, heard, claim)
    asked = seen.writer.order is not None or any(
        one.word.asks and turn.now - one.at < FRESH_SECONDS for node, one in heard.items() if node != turn.me
    )
    hurries = choice.doubtful or asked or _is_open(post, own, turn)
    post, says = _speak(turn, own, post, hurries, heard)
    doubt_since = (memory.writer.doubt_since or turn.now) if choice.doubtful else 0.0
    turn.note(writer=memory.writer._replace(heard=heard, uuids=uuids, doubt_since=doubt_since, hurries=hurries))
    writes, shows = post.record != before.record, post.shown != before.shown
    # A client whose connection is closed must not come back here: first its load balancer has to know.
    closes = own.fit and post.until <= turn.now < post.leaves
    closes = closes and (post.settled or turn.now - post.until >= KNOWN_SECONDS)
    if says or writes or shows or closes:
        takes = claim != present and claim.node == turn.me
        turn.do(TellWriter(post, says, writes, shows, closes, takes), *([HasQuorum()] if claim != present else []))
    if claim != present:
        turn.log(f"{claim.node} is the writer from now on: {choice.why or 'a person wants it'}")
        if present.node in _find_mute(turn, heard):
            turn.log(f"{present.node} has an older version of xha, which tells nothing of the writer", warning=True)


def _look_at_own(turn: Turn, seen: WriterSeen) -> _Own:
    """Return whether load balancers would be sent here, by the rule of this host's responder."""
    memory = turn.memory
    serves = memory.state is State.PRIMARY and not memory.is_stopping
    silent = memory.asked_at > memory.answered_at
    if not serves or silent or memory.reading is None or seen.policy is None:
        return _Own(serves)
    verdict = judge(memory.reading, seen.policy, seen.withdrawal, commits=seen.commits)
    return _Own(serves, verdict.available, verdict.code is Code.DRAINING)


def _hear(before: Mapping[str, Heard], words: Mapping[str, WriterWord], now: float) -> dict[str, Heard]:
    """Return each node's word, and since when it is known.

    Only a word that replaces another one is known to be new. How old one is that comes where none was, is not known:
    Pacemaker hands the last word of a host that it had lost back, however old it is.
    """
    heard = {}
    for node, word in words.items():
        last = before.get(node)
        if last is None or last.word != word:
            last = Heard(word, now if last is not None else 0.0)
        heard[node] = last
    return heard


def _order(turn: Turn) -> tuple[str, ...]:
    """Return the members in an order that all have: where their lists differ, by name."""
    reports = turn.cluster.reports.values()
    said = {one.members for one in reports if isinstance(one, PositionReport) and one.members}
    members = turn.cluster.members
    return members if said <= {members} else tuple(sorted(members))


def _remember_uuids(turn: Turn) -> dict[str, str]:
    """Return each node's group UUID by its last report of a Primary."""
    reports = ((node, one) for node, one in turn.cluster.reports.items() if isinstance(one, PositionReport))
    told = {node: one.own_uuid for node, one in reports if one.state is State.PRIMARY and one.own_uuid}
    return {**turn.memory.writer.uuids, **told}


def _is_inside(
    turn: Turn, node: str, view: tuple[str, ...] | None, heard: Mapping[str, Heard], uuids: Mapping[str, str]
) -> bool | None:
    """Return whether Galera counts a node among the members of this server's view; None where that is not known.

    Without its report, the last UUID proves that its server is inside. That the view has it no more proves that the
    node is gone only where Pacemaker has lost the node as well: one that speaks may have another UUID.
    """
    if not view:
        return None
    report = turn.cluster.reports.get(node)
    if isinstance(report, PositionReport) and report.own_uuid:
        return report.own_uuid in view
    if uuids.get(node) in view:
        return True
    lost = node in uuids and node not in heard and report is None
    return False if lost else None


def _find_mute(turn: Turn, heard: Mapping[str, Heard]) -> set[str]:
    """Return the other nodes whose keepers are of a version that tells nothing of the writer: none can be it."""
    reports = ((node, one) for node, one in turn.cluster.reports.items() if isinstance(one, PositionReport))
    words = {node: one.word for node, one in heard.items()}
    return {node for node, one in reports if node != turn.me and tells_nothing(words.get(node), one.keeper)}


def _gather(turn: Turn, own: _Own, heard: Mapping[str, Heard], claim: Claim, uuids: Mapping[str, str]) -> WriterFacts:
    now, since = turn.now, turn.memory.writer.doubt_since
    others = {node: one for node, one in heard.items() if node != turn.me}
    view = turn.view.view.members if turn.view is not None and own.serves else None
    mute = _find_mute(turn, heard)
    inside: dict[str, bool | None] = {
        turn.me: own.serves,
        **{node: _is_inside(turn, node, view, others, uuids) for node in {*others, claim.node} - {turn.me, ""}},
    }
    return WriterFacts(
        turn.me,
        _order(turn),
        claim,
        own.serves,
        inside,
        {**{node: one.word.fit for node, one in others.items()}, **dict.fromkeys(mute, False), turn.me: own.fit},
        frozenset(node for node, one in others.items() if one.at and now - one.at < FRESH_SECONDS),
        turn.cluster.cib.quorum,
        now - since if since else 0.0,
    )


def _ordered(seen: WriterSeen, present: Claim, facts: WriterFacts) -> Claim | None:
    """Return the claim that a person wants, if nobody has made another one since, and it can be made."""
    order = seen.order
    if order is None or not order.target or order.counter != present.counter or not facts.quorum:
        return None
    target = order.target
    known = target in facts.fresh and facts.inside.get(target) is not False
    can = facts.fit.get(target) is True and (known or target == facts.me)
    # A writer whose keeper is dead would go on beside the next one.
    hears = present.node in facts.fresh or present.node == facts.me or facts.inside.get(present.node) is False
    can = can and hears
    return Claim(present.counter + 1, target) if can and target != present.node else None


def _inherit(turn: Turn, record: WriterRecord | None) -> WriterPost:
    """Return what the keeper before this one has told of the writer last; nothing, where that is not known."""
    if record is None or record.node != turn.me:
        return WriterPost()
    claim = Claim(record.counter, record.writer)
    return WriterPost(claim, turn.now, record.until, record.leaves, record.former, settled=False)


def _follow(turn: Turn, own: _Own, post: WriterPost, heard: Mapping[str, Heard], claim: Claim) -> WriterPost:
    """Return what this node is from now on, with this claim. post: what it was."""
    now, me = turn.now, turn.me
    takers = turn.seen.writer.takers if turn.seen.writer is not None else Takers()
    if claim != post.claim:
        lost = post.claim.node == me != claim.node
        takes = claim.node == me and post.claim.node != me
        post = post._replace(claim=claim, since=now, settled=False)
        if lost:  # the next one comes into service first
            until = now + OVERLAP_SECONDS if own.can else now
            leaves = until + min(LEAVE_SECONDS, turn.seen.settings.drain_timeout) if own.can else 0.0
            post = post._replace(until=until, leaves=leaves, former=own.can)
        elif takes:
            post = post._replace(until=0.0, leaves=0.0, former=False, clients=-1)
    if claim.node == me:
        takeover = TAKEOVER_SECONDS + OVERLAP_SECONDS
        post = post._replace(until=(post.until or now + takeover) if own.drains else 0.0, shown=own.can)
        settled = post.settled or takers.all_take is True or now - post.since >= OVERLAP_SECONDS
        return _record(post._replace(settled=settled), me)
    writer = heard.get(claim.node)
    told = writer is not None and writer.word.claim == claim and writer.word.settled
    if post.until > now and (told or not own.can):
        post = post._replace(until=now, leaves=post.leaves - (post.until - now))
    turned = now >= post.until
    if post.clients == 0 and post.former and not own.drains and turned:
        post = post._replace(leaves=min(post.leaves, now))
    former = post.former and own.can and (own.drains or now < post.leaves)
    gone = not former or (turned and takers.none_takes is True)
    post = post._replace(former=former, settled=gone, shown=former and not turned)
    return _record(post if former else post._replace(until=0.0, leaves=0.0, clients=-1), me)


def _record(post: WriterPost, me: str) -> WriterPost:
    if not post.claim.node:
        return post
    record = WriterRecord(post.claim.counter, post.claim.node, me, post.until, post.leaves, post.former)
    return post._replace(record=record)


def _is_open(post: WriterPost, own: _Own, turn: Turn) -> bool:
    """Return whether a handover is under way: the others wait for this node's word, or this one for theirs."""
    if post.claim == NO_CLAIM:
        return False
    if turn.now - post.since < OVERLAP_SECONDS and post.since > 0:
        return True
    return post.former and not own.drains


def _speak(
    turn: Turn, own: _Own, post: WriterPost, hurries: bool, heard: Mapping[str, Heard]
) -> tuple[WriterPost, bool]:
    """Return the word, and whether it is to be told: where it changed, was lost, or is waited for."""
    status = turn.memory.reading.status if turn.memory.reading and own.serves else None
    word = WriterWord(
        post.claim,
        own.fit,
        own.drains,
        post.settled,
        turn.seen.writer is not None and turn.seen.writer.order is not None,
        **{field: _number(getattr(status, name, None)) for field, name in _TELLING.items()},
        keeper=turn.seen.keeper,
    )
    before = post.word
    lost = before is not None and turn.me not in heard
    changed = before is None or before.lasting != word.lasting
    due = hurries and turn.now - post.word_at >= BEAT_SECONDS
    if not (changed or due or lost):
        return post, False
    beat = before.beat + 1 if before is not None else int(turn.now * 10)
    return post._replace(word=word._replace(beat=beat), word_at=turn.now), True


_TELLING = {
    "queue": "wsrep_local_recv_queue",
    "lowest": "wsrep_local_cached_downto",
    "last": "wsrep_last_committed",
}


def _number(value: int | None) -> int:
    return -1 if value is None else value
