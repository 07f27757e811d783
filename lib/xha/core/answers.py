"""What each path of port 49000 answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .clustercheck import Body, render_clustercheck
from .http import FORBIDDEN, METHOD_NOT_ALLOWED, NOT_FOUND, OK, UNAVAILABLE, Request, render_response
from .report import NodeReport, node_document, render_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from .verdict import Verdict

_METHODS = ("GET", "HEAD", "OPTIONS")
_PATHS = ("/", "/ready", "/live")
_DETAIL_PATHS = ("/node", "/metrics")


class Peer(NamedTuple):
    """What a client's address may do: ask at all, see details, and whether the answer leaves this host."""

    allowed: bool
    detailed: bool
    remote: bool


def refuse(request: Request, peer: Peer) -> bytes | None:
    """Return the answer to a request that needs no reading, None for one that does."""
    detail = request.path in _DETAIL_PATHS
    if not (peer.detailed if detail else peer.allowed):
        return _error(FORBIDDEN, "this address may not ask", request)
    if not detail and request.path not in _PATHS:
        return _error(NOT_FOUND, f"there are {', '.join(_PATHS + _DETAIL_PATHS)}", request)
    if request.method not in _METHODS:
        methods = ", ".join(_METHODS)
        return _error(METHOD_NOT_ALLOWED, f"there are {methods}", request, f"Allow: {methods}\r\n")
    return None


def _error(status: str, text: str, request: Request, headers: str = "") -> bytes:
    return render_response(status, f"{text}\n", head=request.method == "HEAD", headers=headers)


class Answer(NamedTuple):
    """What an answer is made of. age in seconds; report and counters are asked for only where they show."""

    verdict: Verdict
    age: float
    body: Body
    report: Callable[[], NodeReport]
    counters: Callable[[], Mapping[str, tuple[str, int]]]


def render_answer(request: Request, peer: Peer, answer: Answer) -> bytes:
    """Return the whole response to a request that was not refused."""
    head = request.method == "HEAD"
    if request.path == "/":
        return render_clustercheck(answer.verdict, answer.body, head)
    if request.path == "/node":
        import json

        text = json.dumps(node_document(answer.report(), remote=peer.remote)) + "\n"
        return render_response(OK, text, head=head, content_type="application/json")
    if request.path == "/metrics":
        text = render_metrics(answer.report(), dict(answer.counters()))
        return render_response(OK, text, head=head, content_type="text/plain; version=0.0.4; charset=utf-8")
    good = answer.verdict.live if request.path == "/live" else answer.verdict.available
    line = f"{answer.verdict.code.value} {round(answer.age * 1000)} ms\n"
    return render_response(OK if good else UNAVAILABLE, line, head=head)
