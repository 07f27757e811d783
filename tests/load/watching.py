"""What the responders answered, asked ten times a second each, as HAProxy would."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import NamedTuple

from loopback.responder import Address
from responder.client import ask

PAUSE_SECONDS = 0.1


class Answered(NamedTuple):
    """One answer. code is "no answer" where there was none."""

    at: float
    status: int
    code: str


class Watcher(threading.Thread):
    """Asks one responder until `stop` is set, and keeps what it answered."""

    def __init__(self, number: int, address: Address, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number, self.address, self.stop_asked = number, address, stop
        self.answers: list[Answered] = []

    def run(self) -> None:
        while not self.stop_asked.wait(PAUSE_SECONDS):
            now = time.monotonic()
            try:
                answer = ask(self.address, "/ready")
                self.answers.append(Answered(now, answer.status, answer.code))
            except (OSError, ValueError, IndexError):
                self.answers.append(Answered(now, 0, "no answer"))

    def red(self, since: float, until: float) -> Counter[str]:
        """Count the answers that were no 200, by code."""
        return Counter(one.code for one in self.answers if since <= one.at <= until and one.status != 200)
