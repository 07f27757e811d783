"""Asks a member's own responder: `/ready`, and `/node` where this host may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...adapters.http.ask import NoHttpAnswer, ask
from ...adapters.network.channel import Allowance
from ...core.cluster.responder_word import absent_responder, judge_responder, parse_node_claim
from ...core.cluster.sources import COULD_NOT_LOOK, SourceAnswer
from ...core.node.verdict import Code, Verdict

if TYPE_CHECKING:
    from ...core.config.xha_conf import Config
    from ..node.reader import Snapshot

_OK = 200
_START = "start xha-responder there, or let this host reach its port"


class Believed(NamedTuple):
    """What is told of another host. answer: its responder's, None where SQL from here is told."""

    snapshot: Snapshot
    answer: SourceAnswer | None = None


def believe_where_denied(snapshot: Snapshot, host: str) -> Believed:
    """Return what a host's own responder says, where this host could not look by SQL and the responder could.

    That nobody answers here, or too late, was seen from here and stays: a responder that says otherwise mends no port.
    Without an answer, what SQL came to says what was tried.
    """
    verdict, config = snapshot.verdict, snapshot.config
    if verdict.code.value not in COULD_NOT_LOOK:
        return Believed(snapshot)
    answer = ask_responder(host, responder_port(config), config.responder.deadline)
    known = next((code for code in Code if code.value == answer.code), None)
    here = f"SQL from here: {verdict.code.value}, {verdict.message}"
    if not answer.decides or known is None:
        cause = answer.cause or f"its responder says {answer.code}, a code that this version of xha does not know"
        return Believed(snapshot._replace(verdict=verdict._replace(message=f"{verdict.message}; {cause}")))
    told = Verdict(
        known, bool(answer.available), known.rule.live, answer.exit_code, f"{answer.message}; {here}", answer.remedy
    )
    return Believed(snapshot._replace(verdict=told, reading=answer.reading or snapshot.reading), answer)


def responder_port(config: Config) -> int:
    """Return the port of the members' responders: that of this host's own."""
    return config.responder.port


def ask_responder(host: str, port: int, seconds: float) -> SourceAnswer:
    """Return what the responder of a host says within `seconds`. `/node` has what `/ready` leaves of them."""
    allowance = Allowance(seconds)
    try:
        ready = ask(host, port, "/ready", allowance)
    except NoHttpAnswer as error:
        return absent_responder(str(error), _START)
    answer = judge_responder(ready, port)
    if not answer.decides:
        return answer
    try:
        node = ask(host, port, "/node", allowance)
    except NoHttpAnswer:
        return answer
    claim = parse_node_claim(node.body) if node is not None and node.status == _OK else None
    return judge_responder(ready, port, claim)
