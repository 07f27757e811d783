"""What was written is written again at most every ten minutes, with how often it was said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.text.repeats import PERIOD, STANDS, Repeats, parse_repeats


def stamp(now: float) -> str:
    """The local time of a moment of the tests' clock, which begins at 12:00."""
    minutes = 12 * 60 + int(now // 60)
    return f"2027-01-{31 + minutes // 1440} {minutes // 60 % 24:02}:{minutes % 60:02}"


class Log:
    """A log with a clock of its own."""

    def __init__(self, repeats: Repeats | None = None) -> None:
        self.repeats, self.now = repeats or Repeats(), 0.0
        self.lines: list[tuple[float, str]] = []

    def say(self, text: str, at: float | None = None, **how: str) -> str:
        self.now = self.now if at is None else at
        line = self.repeats.admit(text, 6, self.now, stamp(self.now), **how)
        if line:
            self.lines.append((self.now, line))
        return line

    def settle(self, at: float) -> list[str]:
        return [line for line, _ in self.repeats.settle(at, stamp(at))]


def test_a_line_of_a_loop_is_written_every_ten_minutes_with_how_often_it_was_said() -> None:
    log = Log()
    for second in range(0, 1300, 12):
        log.say("well again", second)
    assert log.lines == [
        (0, "well again"),
        (600, "well again (said 51 times since 12:00)"),
        (1200, "well again (said 101 times since 12:00)"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        pytest.param("no answer for 35 s", "no answer for 45 s", True, id="a duration"),
        pytest.param("3.2% free", "3.1% free", True, id="a share"),
        pytest.param("120 MiB free of 5 GiB", "90 MiB free of 5 GiB", True, id="an amount"),
        pytest.param("waiting for node-1", "waiting for node-2", False, id="a node"),
        pytest.param("mysqld, pid 41", "mysqld, pid 42", False, id="a process"),
        pytest.param("n1 holds U:5", "n1 holds U:6", False, id="a position"),
        pytest.param("port 3306", "port 4567", False, id="a port"),
        pytest.param("5 servers", "6 servers", False, id="a number of things"),
    ],
)
def test_a_measured_amount_is_no_news(first: str, second: str, same: bool) -> None:
    log = Log()
    log.say(first)
    assert (log.say(second, 1) == "") is same


def test_what_was_not_said_for_ten_minutes_begins_anew() -> None:
    log = Log()
    assert log.say("x", 0) == "x"
    assert log.say("x", PERIOD) == "x"


def test_texts_of_one_kind_are_one_line_and_the_last_is_told() -> None:
    log = Log()
    assert log.say("192.0.2.1: no request", 0, kind="no request") == "192.0.2.1: no request"
    for number in range(2, 9):
        assert log.say(f"192.0.2.{number}: no request", 60 * number, kind="no request") == ""
    assert log.say("192.0.2.9: no request", 600, kind="no request") == (
        "192.0.2.9: no request (said 9 times since 12:00)"
    )


BOTH = ("in service", "out of service")


class TestAStateThatComesAndGoes:
    def test_is_written_at_once_a_few_times_and_then_where_it_stands(self) -> None:
        log = Log()
        for turn in range(11):
            log.say("in service" if turn % 2 == 0 else "out of service", 2 * turn, about="node")
        written = [line for _, line in log.lines]
        assert written[:2] == ["in service", "out of service"]
        assert written[2:] == [f"{state} (said {often} times since 12:00)" for often in (2, 3) for state in BOTH]
        assert log.settle(20 + STANDS - 1) == []
        assert log.settle(20 + STANDS) == ["in service (said 6 times since 12:00)"], "the log ended with the other one"
        assert log.settle(20 + 2 * STANDS) == []

    def test_is_no_news_where_the_log_ends_with_it(self) -> None:
        log = Log()
        for at, text in ((0, "in"), (1, "out"), (2, "in"), (3, "out")):
            assert log.say(text, at, about="node")
        assert log.say("out", 4, about="node") == ""
        assert log.settle(4 + STANDS) == []

    def test_another_subject_does_not_change_it(self) -> None:
        log = Log()
        log.say("ok", 0, about="nova")
        log.say("down", 1, about="neutron")
        log.say("ok", 2, about="nova")
        assert log.settle(2 + STANDS) == []


def test_the_day_is_told_where_it_is_another() -> None:
    repeats = Repeats()
    repeats.admit("x", 6, 0.0, "2027-01-31 23:59")
    assert repeats.admit("x", 6, 599.0, "2027-02-01 00:08") == ""
    assert repeats.admit("x", 6, 600.0, "2027-02-01 00:09") == "x (said 3 times since 2027-01-31 23:59)"


def test_a_process_goes_on_where_the_one_before_it_ended() -> None:
    """A keeper that cannot begin is launched by each monitor."""
    log = Log()
    log.say("no such option", 0)
    for second in range(10, 600, 10):
        log = Log(parse_repeats(log.repeats.render()))
        assert log.say("no such option", second) == ""
    log = Log(parse_repeats(log.repeats.render()))
    assert log.say("no such option", 600) == "no such option (said 61 times since 12:00)"


def test_what_stands_is_told_although_the_process_before_this_one_said_it_before_something_else() -> None:
    """A keeper waited, ran and was killed. The next one waits, and says so once."""
    log = Log()
    log.say("waiting", 0, about="the keeper")
    log.say("running", 10, about="the keeper")
    log = Log(parse_repeats(log.repeats.render()))
    assert log.say("waiting", 20, about="the keeper") == "waiting (said 2 times since 12:00)"
    log = Log(parse_repeats(log.repeats.render()))
    assert log.say("waiting", 200, about="the keeper") == ""
    assert log.settle(200 + STANDS) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 2, "said": []}', '{"schema": 1, "said": [["a"]]}'])
def test_a_text_that_is_none_says_nothing(text: str) -> None:
    assert parse_repeats(text).render() == Repeats().render()


def test_what_is_remembered_has_a_limit() -> None:
    log = Log()
    for number in range(5000):
        log.say(f"line {number}", number, about=f"subject {number}")
    assert len(json.loads(log.repeats.render())["said"]) == 200


@given(said=st.lists(st.tuples(st.floats(0, 400), st.sampled_from(["a", "b", "c for 5 s", "c for 6 s"])), max_size=60))
def test_no_event_is_written_twice_within_ten_minutes_and_none_is_lost(said: list[tuple[float, str]]) -> None:
    log, counted = Log(), 0
    for pause, text in said:
        log.say(text, log.now + pause)
    written: dict[str, float] = {}
    for at, line in log.lines:
        text = line.partition(" (said ")[0].replace("6 s", "5 s")
        assert at - written.get(text, -PERIOD) >= PERIOD
        written[text] = at
        counted += 1
    assert counted >= len({text.replace("6 s", "5 s") for _, text in said})
