"""From the lines of a ledger to spans: what is known, what is not, and why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.cluster.history.ledger_lines import (
    MARK_BYTES,
    LedgerLine,
    LineKind,
    NodeState,
    is_planned,
    keep_newest,
    parse_ledger_line,
    render_ledger_line,
    without_addresses,
)
from xha.core.cluster.history.timeline import (
    BEFORE,
    LINES_LOST,
    NOBODY_ASKED,
    NOBODY_RAN,
    SINCE_THEN,
    SUSPENDED,
    NodeHistory,
    Span,
    clip,
    merge_nodes,
    parse_ledger,
    without_own,
)
from xha.core.node.codes import Code

NUL = "\0\0\0"
UP, DOWN, DRAIN = NodeState(True, "synced"), NodeState(False, "server-down"), NodeState(False, "draining", True)
# The clock shows 1000 more than the monotonic clock does.
NOON = 1000.0


def line(kind: str, mono: float, state: NodeState | None = None, gap: float = 0.0, at: float | None = None) -> str:
    found = LedgerLine(LineKind(kind), NOON + mono if at is None else at, mono, run="r", state=state, gap=gap)
    return render_ledger_line(found)


def spans(*rows: str) -> list[tuple[float, float, NodeState | str | None]]:
    """Each span as its begin, its end, and its state or why that is not known."""
    return [(one.start, one.end, one.state or one.cause) for one in parse_ledger("\n".join(rows), "db1").spans]


LEDGERS = {
    "a node that goes and comes back": (
        [line("run", 0), line("state", 0, UP), line("state", 50, DOWN, 1), line("state", 80, UP), line("mark", 90)],
        [(1000, 1050, UP), (1050, 1080, DOWN), (1080, 1090, UP)],
    ),
    "time in which nobody asked is not known, although the node was the same before and after": (
        [line("run", 0), line("state", 0, UP), line("blind", 20), line("state", 100, UP), line("mark", 110)],
        [(1000, 1020, UP), (1020, 1100, NOBODY_ASKED), (1100, 1110, UP)],
    ),
    "time in which no responder ran is not known: from its last mark to the next run": (
        [
            line("run", 0),
            line("state", 0, UP),
            line("mark", 30),
            line("run", 70),
            line("state", 75, UP),
            line("mark", 80),
        ],
        [(1000, 1030, UP), (1030, 1070, NOBODY_RAN), (1070, 1075, NOBODY_ASKED), (1075, 1080, UP)],
    ),
    "a responder that was killed has told nothing since its last mark": (
        [line("run", 0), line("state", 0, UP), line("mark", 30)],
        [(1000, 1030, UP)],
    ),
    "a host that has booted: its monotonic clock begins anew": (
        [
            line("run", 500),
            line("state", 500, UP),
            line("mark", 600),
            line("run", 5, at=1700.0),
            line("mark", 6, at=1701.0),
        ],
        [(1500, 1600, UP), (1600, 1700, NOBODY_RAN), (1700, 1701, NOBODY_ASKED)],
    ),
    "a line that cannot be read: what was since the line before is not known": (
        [
            line("run", 0),
            line("state", 0, UP),
            line("state", 40, DOWN),
            "\0\0\0",
            line("state", 60, UP),
            line("mark", 70),
        ],
        [(1000, 1040, UP), (1040, 1060, LINES_LOST), (1060, 1070, UP)],
    ),
    "changes that could not be written": (
        [line("run", 0), line("state", 0, UP), line("lost", 40), line("state", 60, UP), line("mark", 70)],
        [(1000, 1040, UP), (1040, 1060, LINES_LOST), (1060, 1070, UP)],
    ),
    "a state that was seen at the last look alone ends an outage": (
        [line("run", 0), line("state", 0, DOWN), line("state", 50, UP), line("mark", 50)],
        [(1000, 1050, DOWN), (1050, 1050, UP)],
    ),
    "a file whose begin was cut off: its first lines have no state": (
        [line("mark", 10), line("state", 20, UP), line("mark", 30)],
        [(1010, 1020, BEFORE), (1020, 1030, UP)],
    ),
    "a clock that was set while the responder ran makes no outage longer": (
        [line("run", 0, at=9000.0), line("state", 0, UP, at=9000.0), line("state", 50, DOWN), line("mark", 60)],
        [(1000, 1050, UP), (1050, 1060, DOWN)],
    ),
    "a host that was suspended: the leap is not known, and what was before it keeps its time of day": (
        [
            line("run", 0),
            line("state", 0, UP),
            line("state", 50, DOWN),
            line("state", 80, UP),
            line("blind", 90),
            line("state", 91, UP, at=4691.0),
            line("mark", 100, at=4700.0),
        ],
        [(1000, 1050, UP), (1050, 1080, DOWN), (1080, 1090, UP), (1090, 4691, SUSPENDED), (4691, 4700, UP)],
    ),
    "a leap between two marks, of which the first is overwritten: where it was between the lines, nobody knows": (
        [line("run", 0), line("state", 0, DOWN), line("state", 50, UP), line("mark", 100, at=4700.0)],
        [(1000, 1050, DOWN), (1050, 1050, UP), (1050, 4700, SUSPENDED), (4700, 4700, UP)],
    ),
    "a clock that gains less than a leap, and is set back later": (
        [line("run", 0), line("state", 0, UP), line("state", 50, DOWN, at=1054.0), line("mark", 60, at=1058.0)],
        [(998, 1048, UP), (1048, 1058, DOWN)],
    ),
    "the begin of a run is torn, and the host has booted since": (
        [
            line("run", 500),
            line("state", 500, UP),
            line("mark", 600),
            "\0\0\0",
            line("state", 5, UP, at=1700.0),
            line("mark", 6, at=1701.0),
        ],
        [(1500, 1600, UP), (1600, 1700, LINES_LOST), (1700, 1701, UP)],
    ),
    "the last lines of a run are torn": (
        [line("run", 0), line("state", 0, UP), "\0\0\0", line("run", 70), line("state", 70, UP), line("mark", 80)],
        [(1000, 1000, UP), (1000, 1070, LINES_LOST), (1070, 1080, UP)],
    ),
    "nothing": ([], []),
    "nothing that can be read": (["rubbish", "{}", "[1]"], []),
}


@pytest.mark.parametrize("case", LEDGERS)
def test_a_ledger_becomes_spans(case: str) -> None:
    rows, wanted = LEDGERS[case]
    assert spans(*rows) == wanted


@pytest.mark.parametrize(
    ("title", "since", "until", "wanted"),
    [
        ("inside", 1010, 1020, [(1010, 1020, UP)]),
        ("before the first line nothing is known", 900, 1010, [(900, 1000, BEFORE), (1000, 1010, UP)]),
        ("the next look is not marked yet", 1040, 1095, [(1040, 1050, UP), (1050, 1095, DOWN)]),
        ("the last mark is old", 1080, 1200, [(1080, 1090, DOWN), (1090, 1200, SINCE_THEN)]),
        ("all of it is later", 900, 950, [(900, 950, BEFORE)]),
        ("all of it is earlier", 2000, 2100, [(2000, 2100, SINCE_THEN)]),
    ],
)
def test_a_window_is_covered_without_a_gap(
    title: str, since: float, until: float, wanted: list[tuple[float, float, object]]
) -> None:
    recorded = (Span(1000, 1050, UP), Span(1050, 1090, DOWN))
    window = clip(NodeHistory("a", recorded), since, until, fresh=30)
    assert [(one.start, one.end, one.state or one.cause) for one in window] == wanted


TORN = {
    "in front of everything": (
        ["rubbish", line("run", 0), line("state", 0, UP), line("mark", 90)],
        (LINES_LOST, UP, UP),
    ),
    "behind everything, where the last change may have been": (
        [line("run", 0), line("state", 0, UP), line("mark", 90), "rubbish"],
        (BEFORE, UP, LINES_LOST),
    ),
    "everything": (["rubbish", "{}"], (LINES_LOST, LINES_LOST, LINES_LOST)),
    "nothing": ([line("run", 0), line("state", 0, UP), line("mark", 90)], (BEFORE, UP, UP)),
}


@pytest.mark.parametrize("where", TORN)
def test_what_a_line_that_cannot_be_read_told_is_lost_and_not_unrecorded(where: str) -> None:
    rows, wanted = TORN[where]
    history = parse_ledger("\n".join(rows), "a")
    window = clip(history, 900, 1100, fresh=30)
    found = [next(one for one in window if one.start <= at < one.end) for at in (950, 1050, 1095)]
    assert tuple(one.state or one.cause for one in found) == wanted
    assert bool(history.cause) is (where == "everything")


def members(at: float, *names: str) -> str:
    return render_ledger_line(LedgerLine(LineKind.MEMBERS, at, at - NOON, node="a", members=names))


@pytest.mark.parametrize(
    ("title", "since", "wanted"),
    [
        ("c left in the window", 1010, ("a", "b", "c")),
        ("c was a member when the window began", 1049, ("a", "b", "c")),
        ("c had left before", 1050, ("a", "b")),
    ],
)
def test_whoever_was_a_member_in_the_window_is_asked(title: str, since: float, wanted: tuple[str, ...]) -> None:
    rows = [line("run", 0), members(1000, "a", "b", "c"), line("state", 0, UP), members(1050, "a", "b")]
    assert parse_ledger("\n".join(rows), "a").members_since(since) == wanted


def run(name: str) -> str:
    return render_ledger_line(LedgerLine(LineKind.RUN, 1000, 0, run=name))


@pytest.mark.parametrize(
    ("title", "told", "names"),
    [
        ("this host's own responder, by another address", [run("old"), run("new")], ["10.0.0.2"]),
        ("a host that was cloned from this one keeps its own row", [run("old"), run("other")], ["db1", "10.0.0.2"]),
        ("a member whose newest run is not told", [line("mark", 0)], ["db1", "10.0.0.2"]),
    ],
)
def test_who_is_this_host_is_told_by_the_newest_run(title: str, told: list[str], names: list[str]) -> None:
    own = parse_ledger("\n".join([run("old"), run("new")]), "db1")
    assert [one.name for one in without_own(own, [parse_ledger("\n".join(told), "10.0.0.2")])] == names


def test_a_clock_that_was_set_back_between_two_runs_counts_no_time_twice() -> None:
    recorded = (Span(1000, 1100, UP), Span(1050, 1080, DOWN))
    assert [one[:3] for one in clip(NodeHistory("a", recorded), 1000, 1080, fresh=0)] == [
        (1000, 1050, UP),
        (1050, 1080, DOWN),
    ]


STATES = st.sampled_from([UP, DOWN, DRAIN, None])
STEPS = st.lists(st.tuples(st.floats(0.1, 50), STATES), min_size=1, max_size=12)


def made(steps: list[tuple[float, NodeState | None]]) -> tuple[Span, ...]:
    at, found = 1000.0, []
    for seconds, state in steps:
        found.append(Span(at, at + seconds, state, "" if state else NOBODY_ASKED))
        at += seconds
    return tuple(found)


@given(st.lists(STEPS, min_size=1, max_size=4), st.floats(900, 1100), st.floats(1, 500))
def test_a_window_has_each_moment_once_and_the_cluster_is_up_only_where_a_member_is_known_to_be(
    nodes: list[list[tuple[float, NodeState | None]]], since: float, length: float
) -> None:
    windows = [clip(NodeHistory("a", made(steps)), since, since + length, fresh=0) for steps in nodes]
    merged = merge_nodes(windows)
    for window in [*windows, merged]:
        assert (window[0].start, window[-1].end) == (since, since + length)
        assert all(one.end == other.start for one, other in zip(window, window[1:]))
    for span in merged:
        middle = (span.start + span.end) / 2
        then = [one.state for window in windows for one in window if one.start < middle < one.end]
        if any(state is not None and state.available for state in then):
            assert span.state is not None
            assert span.state.available
        elif None in then:
            assert span.state is None
        else:
            assert span.state is not None
            assert not span.state.available


LINES = [
    LedgerLine(LineKind.RUN, 1.0, 2.0, run="a1"),
    LedgerLine(LineKind.STATE, 1.0, 2.0, state=DRAIN, gap=1.5),
    LedgerLine(LineKind.BLIND, 1.0, 2.0),
    LedgerLine(LineKind.LOST, 1.0, 2.0),
    LedgerLine(LineKind.MEMBERS, 1.0, 2.0, node="db1", members=("10.0.0.1:3306", "[fd00::1]:3306")),
    LedgerLine(LineKind.MARK, 1796000000.123, 12345678.123),
]


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.kind.value)
def test_a_line_is_read_as_it_was_written(one: LedgerLine) -> None:
    assert parse_ledger_line(render_ledger_line(one)) == one


def test_a_mark_is_always_as_long() -> None:
    assert {len(render_ledger_line(LedgerLine(LineKind.MARK, at, 1e9))) for at in (0.0, 1.5, 1796000000.123)} == {
        MARK_BYTES - 1
    }


WRONG = {
    "no JSON": "state",
    "no object": "[]",
    "no kind": "{}",
    "a kind of another version": '{"kind": "party", "at": 1, "mono": 1}',
    "no time": '{"kind": "mark", "at": "now", "mono": 1}',
    "a time that is none": '{"kind": "mark", "at": -1, "mono": 1}',
    "a state that says nothing": '{"kind": "state", "at": 1, "mono": 1}',
    "a state that is neither": '{"kind": "state", "at": 1, "mono": 1, "available": 1, "code": "x", "planned": false}',
    "no code": '{"kind": "state", "at": 1, "mono": 1, "available": true, "code": " ", "planned": false}',
    "members that are none": '{"kind": "members", "at": 1, "mono": 1, "node": "a", "members": "b"}',
}


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_is_no_line(case: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_ledger_line(WRONG[case])


def test_the_newest_whole_lines_are_kept() -> None:
    assert keep_newest("one\ntwo\nthree\n", 11) == "two\nthree\n"
    assert keep_newest("one\ntwo\n", 100) == "one\ntwo\n"


def test_another_host_is_not_told_addresses() -> None:
    text = "".join(f"{render_ledger_line(one)}\n" for one in LINES)
    assert "10.0.0.1" not in without_addresses(text)
    assert len(without_addresses(text).splitlines()) == len(LINES) - 1


@pytest.mark.parametrize(
    ("title", "code", "withdrawn", "before", "planned"),
    [
        ("a person disabled it", Code.DISABLED, True, UP, True),
        ("its server is stopped while it is drained", Code.SERVER_DOWN, True, DRAIN, True),
        ("the drain of a stop is over, and the server still away", Code.SERVER_DOWN, False, DRAIN, True),
        ("it comes back from a planned stop", Code.JOINING, False, DRAIN, True),
        ("the server's own maintenance", Code.MAINTENANCE, False, UP, True),
        ("nobody announced it", Code.SERVER_DOWN, False, UP, False),
        ("at the first look", Code.SERVER_DOWN, False, None, False),
        ("after a planned stop it lost its group", Code.NON_PRIMARY, False, DRAIN, False),
        ("after an unplanned end", Code.JOINING, False, DOWN, False),
    ],
)
def test_what_is_planned(title: str, code: Code, withdrawn: bool, before: NodeState | None, planned: bool) -> None:
    assert is_planned(code, withdrawn, before) == planned
