"""What a member's own responder says on its port: `/ready`, one line, and `/node`, JSON for addresses of detail_from.

The bytes come from another host. They are a claim of that member about itself: bounded by who reads them
(adapters/http/ask.py), parsed here, and cleaned before anybody sees them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..galera.reading import Reading, Variables, WsrepStatus
from ..node.verdict import Code, NagiosCode
from ..text.escape import clean
from ..text.numbers import parse_json
from .sources import COULD_NOT_LOOK, Source, SourceAnswer

if TYPE_CHECKING:
    from typing import Any

# In seconds. A responder that works answers from a reading that is at most as old as its deadline.
STALE_SECONDS = 30.0
# Codes by which a responder says that its server takes writes in and commits none, or none of the whole cluster.
STALLS = ("stalling", "cannot-commit")
# As long as wsrep_incoming_addresses of 100 members.
_MOST_CHARACTERS = 4000
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r?(?=\n)", re.IGNORECASE)
_READY = re.compile(r"([a-z][a-z0-9-]{0,39}) ([0-9]{1,9}) ms\n?")
_FORBIDDEN, _GOOD, _DRAINED, _BAD = 403, 200, 404, 503
_REMEDY = "xha-check node on that host says more"


class HttpAnswer(NamedTuple):
    """The status and the body of a response."""

    status: int
    body: str


class ReadyLine(NamedTuple):
    """The line of `/ready`: the verdict's code, and the age of its reading in seconds."""

    code: str
    age: float


class NodeClaim(NamedTuple):
    """What `/node` tells: the reading, as far as the responder tells it to this address, and its age in seconds."""

    reading: Reading
    age: float


def parse_response(data: bytes) -> HttpAnswer | None:
    """Return the complete response to a request with `Connection: close`, None for anything else."""
    head, blank, body = data.partition(b"\r\n\r\n")
    status = _STATUS_LINE.match(head + b"\r\n")
    length = _LENGTH.search(head + b"\r\n")
    if status is None or not blank or (length is not None and len(body) != int(length[1])):
        return None
    return HttpAnswer(int(status[1]), body.decode("utf-8", "replace"))


def parse_ready_line(text: str) -> ReadyLine | None:
    """Return the code and the age of `synced 12 ms`, None for any other text."""
    match = _READY.fullmatch(text)
    return ReadyLine(match[1], int(match[2]) / 1000) if match else None


def parse_node_claim(text: str) -> NodeClaim | None:
    """Return the reading in a document of kind node (docs/schema-1.json), None for any other text.

    A value of another type than that of its field is left out, as one that the server did not send.
    """
    try:
        document = parse_json(text)
        if document["kind"] != "node" or not isinstance(document["reading"], dict):
            return None
        values, age = document["reading"], document["age_ms"]
        if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age < 10**12:
            return None
        errno = _value("int", values.get("probe_errno"))
    except (ValueError, KeyError, TypeError):
        return None
    status, variables = (
        kind(**{name: _value(kind.__annotations__[name].partition(" ")[0], values.get(name)) for name in kind._fields})
        for kind in (WsrepStatus, Variables)
    )
    return NodeClaim(Reading(status, variables, errno or 0), age / 1000)  # type: ignore[arg-type]


def _value(kind: str, value: Any) -> Any:
    if kind == "str":
        return clean(value, _MOST_CHARACTERS) if isinstance(value, str) else None
    if kind in ("bool", "ReadOnly"):
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind == "float" else int):
        return None
    return value


def judge_responder(ready: HttpAnswer | None, port: int, claim: NodeClaim | None = None) -> SourceAnswer:
    """Return what a responder's answers come to. claim: what `/node` told.

    A code that this version does not know counts by its status: 200 is a warning, 404 drained, 503 a fault.
    """
    if ready is None:
        return absent_responder(f"what answers on port {port} is no responder", "find out what listens there")
    if ready.status == _FORBIDDEN:
        return absent_responder(
            f"the responder on port {port} refuses this host", "add this host to allow_from in its [responder]"
        )
    line = parse_ready_line(ready.body)
    if line is None or ready.status not in (_GOOD, _DRAINED, _BAD):
        return absent_responder(
            f"port {port} answers {ready.status}, and not as xha-responder does", "find out what listens there"
        )
    known = next((code for code in Code if code.value == line.code), None)
    message = known.rule.message if known else f"{line.code}, a code that this version of xha does not know"
    answer = SourceAnswer(
        Source.RESPONDER,
        line.code,
        ready.status == _GOOD,
        _exit_code(known, ready.status),
        line.age,
        f"its responder says: {message}",
        (known.rule.remedy if known else "") or _REMEDY,
        reading=claim.reading if claim and claim.reading.status.wsrep_local_state is not None else None,
    )
    if line.code in COULD_NOT_LOOK:
        return answer._replace(
            cause=f"its responder could not look, and answers {ready.status} {line.code}",
            remedy="make the check's account on that host (docs/installation.md, One account)",
        )
    if line.age > STALE_SECONDS:
        return answer._replace(cause=f"its responder's answer, {line.code}, is older than {STALE_SECONDS:g} s")
    return answer


def absent_responder(cause: str, remedy: str) -> SourceAnswer:
    """Return the answer of a responder that told nothing."""
    return SourceAnswer(Source.RESPONDER, cause=cause, remedy=remedy)


def _exit_code(known: Code | None, status: int) -> NagiosCode:
    if known is not None and (status == _GOOD or known.rule.exit_code):
        return known.rule.exit_code
    # `synced` with 503 contradicts itself: what load balancers see is the status.
    return NagiosCode.CRITICAL if status == _BAD else NagiosCode.WARNING
