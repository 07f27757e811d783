"""HAProxy's sections as they are read: what `no option` takes back, whoever wrote it."""

from __future__ import annotations

import time

import pytest

from xha.core.config.haproxy_cfg import parse_haproxy_cfg

OPTIONS = {
    "its own option counts": ("", "option tcpka", ["tcpka"]),
    "an inherited option counts": ("option tcpka", "", ["tcpka"]),
    "an inherited option is taken back": ("option tcpka", "no option tcpka", []),
    "a later option counts again": ("option tcpka", "no option tcpka\n option tcpka", ["tcpka"]),
    "a later `no` takes that back, too": ("", "option tcpka\n no option tcpka", []),
    "another option stays": ("option tcpka\n option redispatch", "no option tcpka", ["redispatch"]),
    "`no option` without a name takes nothing back": ("option tcpka", "no option", ["tcpka"]),
}


@pytest.mark.parametrize(("defaults", "own", "left"), OPTIONS.values(), ids=list(OPTIONS))
def test_no_option_takes_back_what_stands_before_it(defaults: str, own: str, left: list[str]) -> None:
    (section,) = parse_haproxy_cfg(f"defaults\n {defaults}\nlisten l\n {own}\n")
    assert [line.words[1] for line in section.having("option")] == left


def test_a_long_list_of_options_is_read_in_time() -> None:
    """A loop that looks through all lines for each `no option` needs minutes for these (quadratic)."""
    began = time.process_time()
    parse_haproxy_cfg("listen l\n" + " option tcpka\n" * 40_000 + " no option redispatch\n" * 40_000)
    assert time.process_time() - began < 8
