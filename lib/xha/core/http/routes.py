"""What each path of port 49000 answers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..node.codes import Code
from ..node.report import NodeReport, node_document, render_metrics, whole_ms
from .clustercheck_body import Body, render_clustercheck
from .message import FORBIDDEN, METHOD_NOT_ALLOWED, NOT_FOUND, OK, UNAVAILABLE, Request, render_response

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Callable

    from ..node.verdict import Verdict
    from ..text.values import Network

_METHODS = ("GET", "HEAD", "OPTIONS")
WRITER_PATH, HISTORY_PATH = "/writer", "/history"
_PATHS = ("/", "/ready", "/live", WRITER_PATH)
_DETAIL_PATHS = ("/node", "/metrics", HISTORY_PATH)
SERVICE_PATH = "/service/"


class Permission(NamedTuple):
    """What a client's address permits. allowed: to ask at all. detailed: to see details. remote: it is another host."""

    allowed: bool
    detailed: bool
    remote: bool


@lru_cache(maxsize=256)
def judge_peer(host: str, allow_from: tuple[Network, ...], detail_from: tuple[Network, ...]) -> Permission:
    """Return what a client may do. An empty allow_from allows everybody; an empty detail_from allows this host.

    An IPv4 client of a dual-stack socket counts as IPv4 (RFC 4291, 2.5.5.2).
    """
    plain = host[7:] if host.startswith("::ffff:") and "." in host else host
    loopback = plain.startswith("127.") or plain == "::1"
    if not allow_from and not detail_from:
        return Permission(True, loopback, not loopback)  # without importing ipaddress
    from ipaddress import ip_address

    address = ip_address(plain.partition("%")[0])
    allowed = not allow_from or any(address in network for network in allow_from)
    detailed = any(address in network for network in detail_from) if detail_from else loopback
    return Permission(allowed, detailed, not loopback)


def refuse(request: Request, peer: Permission, services: Container[str] | None = ()) -> bytes | None:
    """Return the response to a request that is not permitted, or None if it is permitted.

    services: the names of the configured services, valid or not. None means that the names are not known.
    """
    detail = request.path in _DETAIL_PATHS
    if not (peer.detailed if detail else peer.allowed):
        return _error(FORBIDDEN, "this address may not ask", request)
    if request.path.startswith(SERVICE_PATH):
        if services is not None and request.path[len(SERVICE_PATH) :] not in services:
            # Not 404, which a balancer with `disable-on-404` takes for a drain: see _refusal.
            return _error(UNAVAILABLE, "not-configured: no [service NAME] of xha.conf has this name", request)
    elif not detail and request.path not in _PATHS:
        return _error(NOT_FOUND, f"there are {', '.join(_PATHS + _DETAIL_PATHS)}, {SERVICE_PATH}NAME", request)
    if request.method not in _METHODS:
        methods = ", ".join(_METHODS)
        return _error(METHOD_NOT_ALLOWED, f"there are {methods}", request, f"Allow: {methods}\r\n")
    return None


def _error(status: str, text: str, request: Request, headers: str = "") -> bytes:
    return render_response(status, f"{text}\n", head=request.method == "HEAD", headers=headers)


class Answer(NamedTuple):
    """The parts of a response. age in seconds. What can be called is called only if a path needs it.

    writer: the verdict for /writer.
    """

    verdict: Verdict
    age: float
    body: Body
    report: Callable[[], NodeReport]
    counters: Callable[[], Mapping[str, tuple[str, int]]]
    services: Callable[[], str] = str
    writer: Callable[[], Verdict] | None = None


def render_answer(request: Request, peer: Permission, answer: Answer) -> bytes:
    """Return the complete response to a request that `refuse` did not refuse."""
    head = request.method == "HEAD"
    if request.path == "/":
        return render_clustercheck(answer.verdict, answer.body, head, _refusal(answer.verdict))
    if request.path == "/node":
        import json

        text = json.dumps(node_document(answer.report(), remote=peer.remote)) + "\n"
        return render_response(OK, text, head=head, content_type="application/json")
    if request.path == "/metrics":
        text = render_metrics(answer.report(), dict(answer.counters())) + answer.services()
        return render_response(OK, text, head=head, content_type="text/plain; version=0.0.4; charset=utf-8")
    verdict = answer.writer() if request.path == WRITER_PATH and answer.writer else answer.verdict
    line = f"{verdict.code.value} {whole_ms(answer.age)} ms\n"
    if request.path == "/live":
        return render_response(OK if verdict.live else UNAVAILABLE, line, head=head)
    return render_response(OK if verdict.available else _refusal(verdict), line, head=head)


def render_history(request: Request, tail: str | None) -> bytes:
    """Return the response to `/history`, which `refuse` did not refuse. tail: the newest lines, None without any."""
    head = request.method == "HEAD"
    if tail is None:
        return _error(UNAVAILABLE, "no history is kept here: the responder's log says why", request)
    return render_response(OK, tail, head=head, content_type="application/x-ndjson")


def _refusal(verdict: Verdict) -> str:
    """Return the status of a node out of service: 503, or 404 while it drains.

    404 is what `http-check disable-on-404` takes for "no new connections, the old ones live on" (HAProxy configuration
    manual). Nothing else that is said of a node or a service is 404.
    """
    return NOT_FOUND if verdict.code is Code.DRAINING else UNAVAILABLE
