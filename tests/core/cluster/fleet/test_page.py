"""The fleet's page, read by a parser: what is in it, and that nobody's text is more than text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cluster.fleet.fleets import member
from core.cluster.fleet.pages import HOSTILE, NOW, cluster, hostile_page, usual_page
from xha.core.cluster.fleet.page import render_page
from xha.core.cluster.fleet.samples import GAP, MINUTES, ClusterSamples, add_look, parse_samples, render_samples
from xha.core.node.codes import Code
from xha.core.text.escape import clean

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "p", "time", "ul", "li", "main", "details", "summary"),
    *("span", "div", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "datetime", "class", "open", "data-of", "role", "width"),
    *("height", "viewbox", "aria-label", "x", "y"),
}


class Reader(HTMLParser):
    """The elements, the attributes, and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.style = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "every element is closed in its turn"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(data)

    @property
    def policy(self) -> str:
        return next(value for name, value in self.attributes if name == "content" and "default-src" in value)


PAGES = {"a usual fleet": usual_page, "hostile texts in every field": hostile_page}


@pytest.mark.parametrize("title", PAGES)
def test_the_page_is_complete_in_itself_and_has_no_script(title: str) -> None:
    page = PAGES[title]()
    read = Reader(page)
    assert read.open == []
    assert set(read.elements) <= ELEMENTS
    assert {name for name, _ in read.attributes} <= ATTRIBUTES
    assert read.elements.count("style") == 1
    assert not re.search(r"url\(|@import|https?:", read.style)


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    read = Reader(usual_page())
    digest = base64.b64encode(hashlib.sha256(read.style.encode()).digest()).decode()
    assert read.policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is_and_steers_nothing(text: str) -> None:
    texts = "".join(Reader(hostile_page()).texts)
    assert clean(text) in texts
    assert "\u202e" not in texts
    assert "\x1b" not in texts


@given(st.text(max_size=80))
def test_no_name_is_more_than_a_text(name: str) -> None:
    read = Reader(render_page([cluster(name, member(1))], {name: ClusterSamples("o" * MINUTES, 1)}, NOW))
    assert set(read.elements) <= ELEMENTS
    assert {name for name, _ in read.attributes} <= ATTRIBUTES


def test_what_it_says_of_a_cluster() -> None:
    texts = " ".join("".join(Reader(usual_page()).texts).split())
    for said in (
        "5 of 6 clusters need a look",
        "1 out1 split1 unknown2 degraded1 ok",
        "outeu-3",
        "0/3 in",
        "Why: 10.0.0.2:49000 unknown: port 49000: connection refused",
        "To do: start xha-responder there, or let this host reach its port",
        "for 7 min",
        "for 5 h at least",
        "since when is not known",
        "2026-11-27 10:00:00 UTC",
        "Written at 2026-11-30 00:53:20 UTC",
    ):
        assert said in texts, said
    assert texts.index("eu-3") < texts.index("us-2") < texts.index("us-1") < texts.index("eu-1") < texts.index("eu-2")


def test_the_last_hour_is_told_in_words_too_and_a_minute_without_a_look_is_a_gap() -> None:
    labels = [value for name, value in Reader(usual_page()).attributes if name == "aria-label"]
    assert labels[0] == ("the last hour: 7 min out, 5 min unknown, 5 min degraded, 33 min ok, 10 min not looked at")
    assert "the last hour: 60 min not looked at" in labels


WELL, ILL = cluster("a", member(1)), cluster("a", member(1, Code.HUNG))
LOOKS = {
    "the first look": ([(100, WELL)], "o", 100, False),
    "the same again": ([(100, WELL), (101, WELL)], "oo", 100, False),
    "it changed": ([(100, WELL), (101, ILL), (102, ILL)], "oxx", 101, True),
    "nobody looked for two minutes": ([(100, WELL), (103, WELL)], "o..o", 100, False),
    "twice in one minute": ([(100, WELL), (101, WELL), (101, ILL)], "ox", 101, True),
    "nobody looked for more than an hour: since when is not known": ([(100, WELL), (200, WELL)], "o", 200, False),
    "the clock was set back": ([(100, WELL), (50, ILL)], "x", 50, False),
}


@pytest.mark.parametrize("case", LOOKS)
def test_a_look_is_a_letter_a_minute(case: str) -> None:
    looks, letters, since, seen = LOOKS[case]
    last, samples = 0, {}
    for minute, one in looks:
        samples = add_look(samples, last, minute, [one])
        last, samples = parse_samples(render_samples(minute, samples))
    assert samples == {"a": ClusterSamples(letters.rjust(MINUTES, GAP), since, seen)}


@pytest.mark.parametrize("text", ["", "[]", '{"minute": 1}', '{"minute": 1, "clusters": {"a": {"minutes": "o"}}}'])
def test_anything_else_is_no_file_of_samples(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_samples(text)
