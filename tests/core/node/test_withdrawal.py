"""The file by which an operator takes a node out of service. If its content is in doubt, the node stays out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xha.core.node.withdrawal import Withdrawal, parse_instant, parse_withdrawal, render_withdrawal
from xha.core.text.escape import LINE, clean

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("fields", "disabled"),
    [
        pytest.param(
            {"by": "ann", "why": "disk", "until": None}, Withdrawal("ann", "disk"), id="until somebody enables it"
        ),
        pytest.param({}, Withdrawal(), id="an empty object says no more than that"),
        pytest.param({"by": "ann", "note": 1}, Withdrawal("ann"), id="fields of a later version are passed over"),
        pytest.param(
            {"until": "2023-11-14T22:13:21Z"}, Withdrawal(until="2023-11-14T22:13:21Z"), id="a second is left"
        ),
        pytest.param({"until": "2023-11-14T22:13:20Z"}, None, id="it has just run out"),
        pytest.param({"until": "2023-11-14T23:13:20+01:00"}, None, id="in any zone"),
        pytest.param({"by": 7, "why": ["x"]}, Withdrawal("7", "['x']"), id="what is no text is shown as it is"),
        pytest.param(
            {"why": "a\r\nb\x1b[31m\u202e"}, Withdrawal(why="a  b [31m"), id="control characters are stripped"
        ),
    ],
)
def test_a_disabled_file_is_one_json_object(fields: dict[str, Any], disabled: Withdrawal | None) -> None:
    assert parse_withdrawal(json.dumps(fields), NOW) == disabled


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file, as touch makes it"),
        pytest.param("maintenance, back at noon\n", id="a sentence"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param('{"by": "ann"', id="half an object"),
        pytest.param("[" * 100_000, id="very deep"),
        pytest.param("9" * 5000, id="a very long number"),
        pytest.param('{"until": "tomorrow"}', id="a time that is none"),
        pytest.param('{"until": "2023-01-01T00:00:00"}', id="a time without a zone, even a past one"),
        pytest.param('{"until": 5}', id="a number as time"),
        pytest.param('{"until": {}}', id="an object as time"),
        pytest.param('{"until": []}', id="a list as time"),
        pytest.param('{"until": "0001-01-01T00:00:00+23:59"}', id="a time before time"),
    ],
)
def test_a_file_that_does_not_parse_still_disables(text: str) -> None:
    disabled = parse_withdrawal(text, NOW)
    assert text.startswith('{"until": "0001') or disabled is not None


@given(st.binary(max_size=300))
def test_any_bytes_disable(data: bytes) -> None:
    assert isinstance(parse_withdrawal(data.decode("utf-8", "replace"), NOW), Withdrawal)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2023-11-14T22:13:20Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["by", "why", "until"]), JSON))
@example({"until": {}})
def test_any_object_disables_unless_its_time_has_run_out(fields: dict[str, Any]) -> None:
    disabled = parse_withdrawal(json.dumps(fields), NOW)
    if disabled is None:
        assert parse_instant(fields["until"]) <= NOW
        return
    for text in disabled[:3]:
        assert text is None or (text.isprintable() and len(text) <= LINE and text == text.strip())


@given(st.text(max_size=400), st.integers(1, 300))
def test_clean_text_is_one_printable_line_of_limited_length(text: str, limit: int) -> None:
    line = clean(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    line.encode()


WORDS = st.none() | st.text(max_size=300).map(clean)


ENDS = st.sampled_from([None, "2026-01-31T22:00:00+01:00", "2099-01-01T00:00:00Z"])


@given(st.builds(Withdrawal, WORDS, WORDS, ENDS, st.booleans()))
def test_what_is_written_is_what_is_read(withdrawal: Withdrawal) -> None:
    assert parse_withdrawal(render_withdrawal(withdrawal), NOW, withdrawal.drains) == withdrawal


def test_a_drain_file_that_does_not_parse_still_drains() -> None:
    why = "the drain file is not one JSON object {by, why, until}; it counts as draining"
    assert parse_withdrawal("{", NOW, drains=True) == Withdrawal(why=why, drains=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:00z", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T00:00:01.500+00:00", 1.5),
        ("1969-12-31 19:00-05:00", 0.0),
    ],
)
def test_an_instant_has_a_zone(text: str, seconds: float) -> None:
    assert parse_instant(text) == seconds


@pytest.mark.parametrize("text", ["", "Z", "2h", "2026-01-31", "2026-01-31T22:00:00", "2026-13-01T00:00:00Z", "x" * 99])
def test_any_other_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601") as refusal:
        parse_instant(text)
    assert repr(text) in str(refusal.value)


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)", fullmatch=True))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_instant(text), float)
