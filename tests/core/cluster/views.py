"""Members as the sources know them, for tests."""

from __future__ import annotations

from xha.core.cluster.keeper_word import KeeperRecord, judge_keeper
from xha.core.cluster.member_view import MemberView
from xha.core.cluster.members import Member
from xha.core.cluster.responder_word import HttpAnswer, NodeClaim, judge_responder
from xha.core.cluster.sources import SourceAnswer, judge_sql
from xha.core.galera.reading import Reading
from xha.core.node.verdict import Policy, Unreadable, judge

NOW = 1.8e9


def sql(reading: Reading | Unreadable, **policy: bool) -> SourceAnswer:
    return judge_sql(reading, judge(reading, Policy(**policy)), 0.02)


def responder(line: str, status: int = 200, reading: Reading | None = None) -> SourceAnswer:
    """What `/ready` says, and `/node` where a reading is given."""
    claim = NodeClaim(reading, 0.01) if reading is not None else None
    return judge_responder(HttpAnswer(status, f"{line}\n"), 49000, claim)


def keeper(**record: object) -> SourceAnswer:
    """What a keeper published that spoke 5 s ago, unless another time is given."""
    return judge_keeper(KeeperRecord(**{"node": "h1", "at": str(int(NOW - 5)), **record}), NOW)  # type: ignore[arg-type]


def view(host: str, *answers: SourceAnswer) -> MemberView:
    return MemberView(Member(host, 3306), answers)


def by_sql(host: str, reading: Reading | Unreadable) -> MemberView:
    return view(host, sql(reading))
