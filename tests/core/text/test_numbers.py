"""Numbers that other programs wrote: each is finite and of a plausible size, or the text is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kept import KEPT
from xha.core.pacemaker.cib import parse_cib
from xha.core.services.daemons.haproxy import HaproxySettings
from xha.core.services.daemons.haproxy_stat import judge_info
from xha.core.services.daemons.memcached import parse_stats
from xha.core.services.model.result import Level
from xha.core.services.workers.oslo_config import parse_messaging
from xha.core.text.numbers import LATEST, parse_count, parse_float, parse_int, parse_json, parse_moment, parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4", 4),
        ("-1", -1),
        ("18446744073709551615", 18446744073709551615),
        ("184467440737095516150", None),
        ("", None),
        ("-", None),
        ("--1", None),
        ("4.0", None),
        ("0x4", None),
        ("1_000", None),
        (" 4", None),
        ("٤", None),
        ("²", None),
        pytest.param("9" * 5000, None, id="more digits than int() takes"),
    ],
)
def test_an_integer_is_digits(text: str, number: int | None) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.000012", 1.2e-05),
        ("1.2e-05", 1.2e-05),
        ("0", 0.0),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e999", None),
        ("x", None),
    ],
)
def test_a_number_survives_as_json(text: str, number: float | None) -> None:
    assert parse_float(text) == number


# Python's own json.loads reads all of these, except the long one, for which int() raises in some versions.
SPOILT = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "what a float cannot hold": "1e999",
    "what a float cannot hold, negative": "-1e999",
    "a whole number that a float cannot hold": "9" * 400,
    "64 KB of digits": "9" * 65536,
    "true": "true",
    "a text of digits": '"12"',
    "null": "null",
    "a list": "[1]",
    "a document in documents": "[" * 500 + "]" * 500,
    "a document in documents that Python refuses": "[" * 50_000 + "]" * 50_000,
}
# Values that a file may have in place of a time or a count.
OF_THE_WRONG_SIZE = {"a negative one": "-1", "in 30,000 years": "1e13", "a part of one": "0.5"}


def spoil(text: str, value: str) -> list[str]:
    """The document with each of its numbers replaced in turn. Numbers within its texts stay."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', text)
    spoilt = []
    for place, piece in enumerate(pieces):
        for number in re.finditer(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", piece) if place % 2 == 0 else ():
            changed = piece[: number.start()] + value + piece[number.end() :]
            spoilt.append("".join([*pieces[:place], changed, *pieces[place + 1 :]]))
    return spoilt


@pytest.mark.parametrize("document", KEPT)
def test_the_documents_are_good_before_they_are_spoilt(document: str) -> None:
    kept = KEPT[document]
    assert not kept.is_none(kept.parse(kept.text))
    assert spoil(kept.text, "0")


@pytest.mark.parametrize("value", SPOILT)
@pytest.mark.parametrize("document", KEPT)
def test_a_document_with_a_number_that_is_none_is_not_used(document: str, value: str) -> None:
    kept = KEPT[document]
    for text in spoil(kept.text, SPOILT[value]):
        assert kept.is_none(kept.parse(text)), text[:300]


@pytest.mark.parametrize("value", OF_THE_WRONG_SIZE)
@pytest.mark.parametrize("document", ["a service's record"])
def test_a_time_or_a_count_has_its_size(document: str, value: str) -> None:
    kept = KEPT[document]
    allowed = {"a part of one": 2, "in 30,000 years": 0, "a negative one": 0}[value]  # at and time may be fractions
    read = [kept.parse(text) for text in spoil(kept.text, OF_THE_WRONG_SIZE[value])]
    assert sum(not kept.is_none(one) for one in read) == allowed


@pytest.mark.parametrize("text", ['"\\ud800"', '{"a": ["\\uDFFF"]}', '"\ud800"'], ids=ascii)
def test_half_a_surrogate_pair_is_no_text(text: str) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        parse_json(text)
    assert parse_json('"\\ud83d\\ude00 \\\\ud800"') == "\U0001f600 \\ud800"


def test_a_document_is_nested_in_at_most_64_levels() -> None:
    assert parse_json("[" * 64 + "]" * 64)
    assert parse_json(json.dumps(["[" * 100, [{}] * 100]))  # brackets in texts, and lists side by side, are no levels
    with pytest.raises(ValueError, match="64 levels"):
        parse_json("[" * 65 + "]" * 65)
    with pytest.raises(ValueError, match="64 levels"):
        parse_json('{"a":' * 65 + "1" + "}" * 65)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**127), 2**127) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(JSON, st.booleans())
def test_every_document_of_finite_numbers_is_read_as_json_reads_it(document: Any, plain: bool) -> None:
    text = json.dumps(document, ensure_ascii=plain)
    assert parse_json(text) == json.loads(text) == document


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_any_other_text_is_a_value_error(text: str) -> None:
    try:
        json.dumps(parse_json(text), allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return


@pytest.mark.parametrize("value", [True, None, "1", 1.0, [1], float("nan")], ids=repr)
def test_what_is_no_whole_number(value: object) -> None:
    for parse in (parse_number, parse_count):
        with pytest.raises(TypeError, match="is no number"):
            parse(value)


@pytest.mark.parametrize("value", [-1, 2**63, -0.5, float("nan"), float("inf"), LATEST * 2, 10**400], ids=str)
def test_what_is_no_count_and_no_moment(value: Any) -> None:
    if isinstance(value, int):
        with pytest.raises(ValueError, match="is no count"):
            parse_count(value)
    if value != 2**63:
        with pytest.raises(ValueError, match="is no time"):
            parse_moment(value)


@pytest.mark.parametrize("value", [True, None, "1", [1]], ids=repr)
def test_what_is_no_number_is_no_moment(value: object) -> None:
    with pytest.raises(TypeError, match="is no number"):
        parse_moment(value)


# --- digits on which str.isdigit() and int() disagree, or of which there are too many

ODD = ["²", "٤" * 3, "9" * 5000, "+-5", "--5"]


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:4])
def test_odd_digits_in_what_daemons_say_are_no_numbers(text: str) -> None:
    assert parse_stats(f"STAT curr_connections {text}\r\nSTAT max_connections 9\r\nEND\r\n")[:2] == (None, 9)
    settings = HaproxySettings("haproxy", "^x", 5.0)
    assert judge_info(settings, Level.PROTOCOL, {"Uptime_sec": "1", "CurrConns": text, "Maxconn": text}).blame is None
    with pytest.raises(ValueError, match="rabbit_hosts"):
        parse_messaging({("DEFAULT", "rabbit_hosts"): "a", ("DEFAULT", "rabbit_port"): text})
    score = f'<cluster_property_set id="x" score="{text}"/>'
    parse_cib(f"<cib><configuration><crm_config>{score}</crm_config><nodes/></configuration></cib>", "db")
