"""A minute of `make fuzz`: the parsers, and the responder's socket."""

from __future__ import annotations

import os
from typing import Callable

import pytest

from fuzz.corpus import STARTS
from fuzz.parsers import find_parsers, fuzz_parsers
from fuzz.wire import fuzz_wire
from loopback import Net
from responder.process import BUSY_MACHINE

# The inputs are the same each time, so that a failed run means a faulty commit. make fuzz looks for others.
SEED = int(os.environ.get("FUZZ_SEED") or 49000)
PARSERS_SECONDS, WIRE_SECONDS = 36.0, 24.0


def test_every_parser_of_the_house_is_fuzzed() -> None:
    """A new parser needs a line in corpus.py with valid inputs."""
    assert sorted(STARTS) == sorted(find_parsers())


@pytest.mark.filterwarnings("ignore")  # re warns about odd patterns
def test_a_parser_raises_what_its_docstring_says_and_nothing_else(tell: Callable[[str], None]) -> None:
    tell(f"seed {SEED}, {PARSERS_SECONDS:g} s: the same again with FUZZ_SEED={SEED}")
    parsers = fuzz_parsers(SEED, PARSERS_SECONDS)
    tell(f"{len(parsers)} parsers, {sum(one.tried for one in parsers):,} inputs")
    assert min(one.tried for one in parsers) > 100


def test_nothing_that_a_client_sends_ends_the_responder(net: Net, tell: Callable[[str], None]) -> None:
    tell(f"seed {SEED}, {WIRE_SECONDS:g} s")
    wire = fuzz_wire(net, SEED, WIRE_SECONDS)
    tell(f"{wire.statuses.total():,} requests, the slowest answer took {wire.slowest * 1000:.0f} ms")
    assert {"200", "400", "404", "405", "431", "503"} <= set(wire.statuses)
    assert wire.slowest < BUSY_MACHINE
