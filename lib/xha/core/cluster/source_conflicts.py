"""Where two sources of one member contradict each other: both cannot be right, or load balancers see something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..election.position_report import State
from ..node.verdict import Code
from .member_view import SEEN_BY_SQL
from .sources import COULD_NOT_LOOK, Source, SourceAnswer

if TYPE_CHECKING:
    from .member_view import MemberView

_DOWN = (Code.SERVER_DOWN.value,)
# A server that answers with one of these runs.
_RUNS = tuple(code for code in SEEN_BY_SQL if code != Code.WSREP_OFF.value)


def find_conflict(view: MemberView) -> str:
    """Return the contradiction between a member's sources in words, "" for none. The most certain one is told.

    What SQL from another host cannot see (a disabled node, a stall, a host's own policy) contradicts nothing.
    """
    sql, responder, keeper = (view.of(source) for source in Source)
    between = _between_sql_and_responder(sql, responder)
    return between or _of_keeper(keeper, [one for one in (sql, responder) if one is not None and one.decides])


def _between_sql_and_responder(sql: SourceAnswer | None, responder: SourceAnswer | None) -> str:
    if sql is None or responder is None or responder.available is None:
        return ""
    said = f"its responder says {responder.code}"
    if sql.code == Code.UNREACHABLE.value and responder.decides and responder.available:
        return f"{said}, but its SQL port does not answer this host: {sql.cause}"
    if not sql.decides or responder.available == sql.available or responder.code == sql.code:
        return ""
    if responder.code in COULD_NOT_LOOK:
        return f"SQL says {sql.code}, but {said}: load balancers that ask it send no traffic there"
    if not responder.decides or responder.code not in (*SEEN_BY_SQL, *_DOWN, Code.HUNG.value):
        return ""
    return f"SQL says {sql.code}, but {said}"


def _of_keeper(keeper: SourceAnswer | None, others: list[SourceAnswer]) -> str:
    """Return where a keeper that speaks contradicts one that has looked at the server now."""
    if keeper is None or not keeper.decides:
        return ""
    for other in others:
        stopped = keeper.code == State.STOPPED.value and other.code in _RUNS
        gone = keeper.code == State.PRIMARY.value and other.code in (*_DOWN, Code.NON_PRIMARY.value)
        apart = keeper.code == State.NON_PRIMARY.value and bool(other.available)
        if stopped or gone or apart:
            return f"its keeper says {keeper.code}, but its {_NAMES[other.source]} says {other.code}"
    return ""


_NAMES = {Source.SQL: "server, by SQL,", Source.RESPONDER: "responder", Source.KEEPER: "keeper"}
