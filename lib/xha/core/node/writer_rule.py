"""What port 49000 answers at /writer: 200 on one node, by the last claim that this host's keeper has written down.

The keeper (root) writes RUN/writer.json at each change, and the responder reads it. So the answer outlives the keeper;
but what a dead keeper has not written down makes nobody a writer. Times are seconds of the system-wide monotonic clock.
"""

from __future__ import annotations

from ..text.escape import clean
from ..text.json_types import parse_flag, parse_text, parse_texts
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from ..text.numbers import parse_json, parse_moment, parse_number
from .codes import Code

if TYPE_CHECKING:
    from .balancers import Balancers
    from .verdict import Verdict

SCHEMA = 1
MAX_BYTES = 4096


class WriterRecord(NamedTuple):
    """The last claim, as this node's keeper knows it: counter and writer; node is this node.

    until: of a node that drains or was the writer before, until when it still answers 200, so that the next one is in
    service before; 0.0: a writer that drains is waited for, and any other node answers no 200. leaves: until when a
    former writer answers 404, with which HAProxy ends no session. former: this node was the writer, and has drained
    since.
    """

    counter: int
    writer: str
    node: str
    until: float = 0.0
    leaves: float = 0.0
    former: bool = False


def render_writer_record(record: WriterRecord) -> str:
    """Return the record as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, **record._asdict()})


def parse_writer_record(text: str) -> WriterRecord | None:
    """Return the record, or None for a text that is torn, of another schema, or has a value of another type."""
    try:
        said = parse_json(text)
        if parse_number(said["schema"]) != SCHEMA:
            return None
        counter = parse_number(said["counter"])
        writer, node = parse_text(said["writer"]), parse_text(said["node"])
        until, leaves = parse_moment(said["until"]), parse_moment(said["leaves"])
        if counter < 1 or not writer or not node:
            return None
        return WriterRecord(counter, writer, node, until, leaves, parse_flag(said["former"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class WriterStanding(NamedTuple):
    """What is known here of the writer. unknown: why nothing is, as the end of a sentence."""

    record: WriterRecord | None = None
    unknown: str = ""


def judge_writer(verdict: Verdict, standing: WriterStanding, now: float) -> Verdict:
    """Return the verdict for /writer. verdict: that of this node."""
    record = standing.record
    if record is None:
        return _refuse(verdict, Code.NO_WRITER_KNOWN, standing.unknown)
    draining = verdict.code is Code.DRAINING
    if record.writer == record.node:
        waits = draining and (not record.until or now < record.until)
        return verdict._replace(available=True) if waits else verdict
    if now < record.until and (verdict.available or draining):
        return verdict._replace(available=True)
    if record.former and draining:
        return verdict
    if now < record.leaves and verdict.available:
        return _refuse(verdict, Code.DRAINING, f"the writer is {record.writer}")
    return _refuse(verdict, Code.NOT_WRITER, f"it is {record.writer}")


def _refuse(verdict: Verdict, code: Code, detail: str) -> Verdict:
    rule = code.rule
    message = f"{rule.message}: {detail}" if detail else rule.message
    return verdict._replace(
        code=code, available=False, live=verdict.live, exit_code=rule.exit_code, message=message, remedy=rule.remedy
    )


class WriterReport(NamedTuple):
    """What /node tells of the writer. verdict: that of /writer. takers: who asks there, and whom it was told 200."""

    standing: WriterStanding
    verdict: Verdict
    takers: Balancers | None = None


class Takers(NamedTuple):
    """What a responder says of those that ask at /writer. all_take: each sends writes here; none_takes: none does.

    None: that is not known.
    """

    all_take: bool | None = None
    none_takes: bool | None = None


def parse_takers(text: str) -> Takers:
    """Return what a responder's /node tells of them. Any other text tells nothing."""
    try:
        said = parse_json(text)["writer"]["balancers"]
        asking, untold, unknown = parse_number(said["asking"]), parse_texts(said["untold"]), said["unknown"]
        if unknown is not None:
            return Takers()
        return Takers(not untold, len(untold) >= asking)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Takers()


class WriterOrder(NamedTuple):
    """What a person wants of this host's keeper: RUN/switchover.json, root's. It counts for ORDER_SECONDS.

    target: who is to be the writer after the claim with this counter; "": everybody is only to say how it is.
    """

    counter: int
    target: str
    at: float


ORDER_SECONDS = 30.0


def render_writer_order(order: WriterOrder) -> str:
    """Return the order as one line of JSON."""
    import json

    return json.dumps({"schema": SCHEMA, **order._asdict()})


def parse_writer_order(text: str, now: float) -> WriterOrder | None:
    """Return the order; None for one that is too old, and for any other text."""
    try:
        said = parse_json(text)
        if parse_number(said["schema"]) != SCHEMA:
            return None
        order = WriterOrder(parse_number(said["counter"]), clean(parse_text(said["target"])), parse_moment(said["at"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return order if 0 <= now - order.at <= ORDER_SECONDS else None
