"""What /writer answers, by what this host's keeper has written down."""

from __future__ import annotations

import pytest

from core.facts import synced
from xha.core.node.verdict import Code, Policy, Unreadable, judge
from xha.core.node.withdrawal import Withdrawal
from xha.core.node.writer_rule import (
    ORDER_SECONDS,
    Takers,
    WriterOrder,
    WriterRecord,
    WriterStanding,
    judge_writer,
    parse_takers,
    parse_writer_order,
    parse_writer_record,
    render_writer_order,
    render_writer_record,
)

NOW = 100.0
GOOD = judge(synced(), Policy())
DRAINS = judge(synced(), Policy(), Withdrawal(drains=True))
DISABLED = judge(synced(), Policy(), Withdrawal())
HUNG = judge(Unreadable(Code.HUNG), Policy())
MINE, OTHERS = WriterRecord(3, "h1", "h1"), WriterRecord(4, "h2", "h1")
OVERLAP = OTHERS._replace(until=NOW + 1, leaves=NOW + 6, former=True)
TURNED = OVERLAP._replace(until=NOW - 1)
LEFT = TURNED._replace(leaves=NOW - 1)


@pytest.mark.parametrize(
    ("verdict", "record", "expected"),
    [
        pytest.param(GOOD, MINE, (True, "synced"), id="the writer"),
        pytest.param(HUNG, MINE, (False, "hung"), id="the writer hangs"),
        pytest.param(DISABLED, MINE, (False, "disabled"), id="the writer is disabled"),
        pytest.param(DRAINS, MINE, (True, "draining"), id="a writer that drains waits for the next one"),
        pytest.param(DRAINS, MINE._replace(until=NOW + 1), (True, "draining"), id="for a while"),
        pytest.param(DRAINS, MINE._replace(until=NOW), (False, "draining"), id="and not for ever"),
        pytest.param(GOOD, MINE._replace(until=NOW - 9), (True, "synced"), id="it does not drain any more"),
        pytest.param(GOOD, OTHERS, (False, "not-writer"), id="another node is it"),
        pytest.param(HUNG, OTHERS, (False, "not-writer"), id="another node is it, whatever this one is"),
        pytest.param(DRAINS, OTHERS, (False, "not-writer"), id="a node that drains and never was it"),
        pytest.param(GOOD, OVERLAP, (True, "synced"), id="handed over, and the next one comes into service"),
        pytest.param(DRAINS, OVERLAP, (True, "draining"), id="so while it drains"),
        pytest.param(HUNG, OVERLAP, (False, "not-writer"), id="but not when it hangs"),
        pytest.param(GOOD, TURNED, (False, "draining"), id="then its sessions may end"),
        pytest.param(GOOD, LEFT, (False, "not-writer"), id="and have to"),
        pytest.param(DRAINS, LEFT, (False, "draining"), id="not as long as it drains"),
        pytest.param(HUNG, TURNED, (False, "not-writer"), id="a former writer that hangs"),
        pytest.param(GOOD, None, (False, "no-writer-known"), id="no keeper has said"),
        pytest.param(HUNG, None, (False, "no-writer-known"), id="whatever the node is"),
    ],
)
def test_what_the_writer_s_path_answers(verdict: object, record: WriterRecord | None, expected: object) -> None:
    came = judge_writer(verdict, WriterStanding(record), NOW)  # type: ignore[arg-type]
    assert (came.available, came.code.value) == expected


def test_why_no_writer_is_known_is_told() -> None:
    came = judge_writer(GOOD, WriterStanding(unknown="a and b each have a writer"), NOW)
    assert came.message.endswith(": a and b each have a writer")


@pytest.mark.parametrize("record", [MINE, OTHERS, OVERLAP])
def test_a_record_is_read_as_it_was_written(record: WriterRecord) -> None:
    assert parse_writer_record(render_writer_record(record)) == record


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", render_writer_record(MINE._replace(counter=0)), render_writer_record(MINE._replace(writer=""))],
)
def test_what_is_no_record_makes_nobody_the_writer(text: str) -> None:
    assert parse_writer_record(text) is None


def test_an_order_counts_for_a_while() -> None:
    order = WriterOrder(3, "h2", NOW)
    text = render_writer_order(order)
    assert parse_writer_order(text, NOW + ORDER_SECONDS) == order
    assert parse_writer_order(text, NOW + ORDER_SECONDS + 1) is None
    assert parse_writer_order(text, NOW - 1) is None  # of another boot
    assert parse_writer_order("{", NOW) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"asking": 2, "untold": [], "unknown": null}', Takers(True, False)),
        ('{"asking": 2, "untold": ["a"], "unknown": null}', Takers(False, False)),
        ('{"asking": 2, "untold": ["a", "b"], "unknown": null}', Takers(False, True)),
        ('{"asking": 0, "untold": [], "unknown": null}', Takers(True, True)),
        ('{"asking": 0, "untold": [], "unknown": "too young"}', Takers()),
        ('{"asking": 2, "untold": null, "unknown": null}', Takers()),
        ("null", Takers()),
    ],
)
def test_what_a_responder_says_of_its_balancers(text: str, expected: Takers) -> None:
    assert parse_takers(f'{{"writer": {{"balancers": {text}}}}}') == expected
