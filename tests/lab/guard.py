"""The process that outlives the laboratory's owner: `python -m lab.guard NAME` sweeps when its standard input ends.

If it reads `keep` before that, the owner wants the laboratory to stay.
"""

from __future__ import annotations

import signal
import sys

from lab.place import Place
from lab.sweep import locked, sweep


def main() -> None:
    # Ctrl-C, or a closing terminal, is meant for the owner. The pipe tells us when the owner ends.
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
