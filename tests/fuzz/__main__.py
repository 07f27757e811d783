"""make fuzz: fuzzes the parsers and the responder's socket for FUZZ_SECONDS, from FUZZ_SEED on. Exits 1 for a fault."""

from __future__ import annotations

import os
import random
import sys
import warnings

from fuzz.parsers import fuzz_parsers
from fuzz.wire import fuzz_wire
from loopback import claim

# The share of the time. The parsers need no process of their own, so the same time finds more there.
PARSERS_SHARE = 0.6


def main() -> int:
    seconds = float(os.environ.get("FUZZ_SECONDS") or 600)
    number = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed {number}, {seconds:g} s: the same again with FUZZ_SEED={number}", flush=True)
    warnings.simplefilter("ignore")  # re warns about odd patterns
    try:
        parsers = fuzz_parsers(number, seconds * PARSERS_SHARE)
        slowest = max(parsers, key=lambda one: one.slowest)
        print(
            f"{len(parsers)} parsers, {sum(one.tried for one in parsers):,} inputs; the slowest took "
            f"{slowest.slowest * 1000:.0f} ms in {slowest.name}",
            flush=True,
        )
        with claim() as net:
            wire = fuzz_wire(net, number, seconds * (1 - PARSERS_SHARE))
    except AssertionError as error:
        print(f"fuzz: seed {number}: {error}", file=sys.stderr)
        return 1
    answers = ", ".join(f"{count:,} {status}" for status, count in wire.statuses.most_common())
    print(f"{wire.statuses.total():,} requests: {answers}; the slowest answer took {wire.slowest * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
