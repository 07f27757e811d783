"""Asks a member's own responder: `/ready`, and `/node` where this host may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.http.ask import NoHttpAnswer, ask
from ...adapters.network.channel import Allowance
from ...core.cluster.responder_word import absent_responder, judge_responder, parse_node_claim

if TYPE_CHECKING:
    from ...core.cluster.sources import SourceAnswer

_OK = 200
_START = "start xha-responder there, or let this host reach its port"


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
