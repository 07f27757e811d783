"""The process that outlives the laboratory's owner: `python -m lab.guard NAME` sweeps when its standard input ends.

Reading `keep` first means the owner wants the laboratory to stay.
"""

from __future__ import annotations

import signal
import sys

from lab.place import Place
from lab.sweep import locked, sweep


def main() -> None:
    # A person's Ctrl-C, or a terminal that closes, is meant for the owner; its end reaches us through the pipe.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.readline().strip() == "keep":
        return
    place = Place(sys.argv[1])
    with locked(place, wait=True):
        if not place.kept.exists():
            sweep(place)


if __name__ == "__main__":
    main()
