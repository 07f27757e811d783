"""From a snapshot to the bytes of a reply: what the resident responder and the forked one share."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from ..core.answers import Answer, judge_peer, refuse, render_answer
from ..core.haproxy import parse_last_server
from ..core.verdict import LastNode, judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from ..adapters.reader import Reader, Snapshot
    from ..core.config import Responder
    from ..core.http import Request

    Counters = Callable[[], Mapping[str, tuple[str, int]]]


def reply_once(reader: Reader) -> Callable[[Request, str, float], bytes]:
    """Return who answers the one request of a process that xinetd started for it, from a reading taken then."""

    def answer(request: Request, host: str, now: float) -> bytes:
        snapshot = reader.take()
        age = time.monotonic() - now
        return refusal(request, host, snapshot.config.responder) or reply(request, host, snapshot, age, dict)

    return answer


def refusal(request: Request, host: str, responder: Responder) -> bytes | None:
    """Return the response to a request that needs no reading, None for one that does."""
    return refuse(request, judge_peer(host, responder.allow_from, responder.detail_from))


def reply(request: Request, host: str, snapshot: Snapshot, age: float, counters: Counters) -> bytes:
    """Return the response that a snapshot gives. age in seconds."""
    responder, policy = snapshot.config.responder, snapshot.config.policy
    if request.server_state is not None and policy.last_node is LastNode.HAPROXY:
        last = parse_last_server(request.server_state)
        snapshot = snapshot._replace(verdict=judge(snapshot.reading, policy, snapshot.disabled, last))
    answer = Answer(snapshot.verdict, age, responder.body, lambda: snapshot.report(socket.gethostname(), age), counters)
    return render_answer(request, judge_peer(host, responder.allow_from, responder.detail_from), answer)
