"""Limits the lines of a log: what was written is written again at most every ten minutes, with how often it was said.

A loop says the same again and again, and each line pushes another one out of a log that has a limit. The first time is
news. So is a change of state, although both of its lines may have been written before: at once a few times, because who
reads the log must not take what is over for what is; of a state that goes on changing, once it has stood for a minute.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from .numbers import parse_json, parse_moment, parse_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1
# In seconds: how long a line is not written again, and how long a state has to stand to be news.
PERIOD, STANDS = 600.0, 60.0
# How often in this time a state that comes back is written at once.
RETURNS = 3
# So many lines, and subjects, are remembered: each at most as long as a line of a log.
_MOST = 200
# A measured amount is no news: `no answer for 35 s`, `3.2% free`. A number without a unit may be a node, a pid, a port.
_AMOUNT = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?= ?(?:m?s|min|[KMGT]i?B|%|bytes|seconds|minutes|hours)(?!\w))")


class Said(NamedTuple):
    """A line that was said. text, level: as it was last. since: the local time of the first of these times, as
    `2027-01-31 12:01`. written_at, at: when it was last written, and last said, in seconds.
    """

    text: str
    level: int
    since: str
    written_at: float
    at: float
    times: int = 1


class Repeats:
    """Remembers what was said. now: seconds of a clock that never goes back; stamp: the local time, as in Said."""

    def __init__(self, said: Mapping[tuple[str, str], Said] = {}) -> None:
        self._said = dict(said)
        # For each subject what it said last (the last key of its own: they are in the order in which they were said),
        # and since when that stands though it was not written.
        self._last = {key[0]: key for key in self._said if key[0]}
        self._withheld: dict[str, tuple[tuple[str, str], float]] = {}

    def admit(  # noqa: PLR0913 - what is said, when, and of what
        self, text: str, level: int, now: float, stamp: str, *, about: str = "", kind: str = ""
    ) -> str:
        """Return the line to write, "" for none.

        about: the subject whose state the text is, "" for an event. kind: texts of one kind are the same line; without
        it, texts that differ in measured amounts only are.
        """
        key = (about, kind or _AMOUNT.sub("#", text))
        before = self._said.pop(key, None)
        if before is None or now - before.at >= PERIOD:
            said, line = Said(text, level, stamp, now, now), text
        else:
            said = before._replace(text=text, level=level, at=now, times=before.times + 1)
            comes_back = bool(about) and self._last.get(about) != key and said.times <= RETURNS
            line = _tell(said, stamp) if comes_back or now - said.written_at >= PERIOD else ""
            said = said._replace(written_at=now) if line else said
        self._said[key] = said
        self._note_state(about, key, now, written=bool(line))
        for memory in (self._said, self._last):
            while len(memory) > _MOST:
                memory.pop(next(iter(memory)))  # type: ignore[call-overload]
        return line

    def _note_state(self, about: str, key: tuple[str, str], now: float, *, written: bool) -> None:
        if not about:
            return
        changed = self._last.pop(about, key) != key
        self._last[about] = key
        if changed or written:
            self._withheld.pop(about, None)
        if changed and not written:
            self._withheld[about] = (key, now)

    def settle(self, now: float, stamp: str) -> list[tuple[str, int]]:
        """Return the lines that are news by now, each with its level: states that stand and were not written."""
        told = []
        for about, (key, since) in list(self._withheld.items()):
            if now - since < STANDS:
                continue
            del self._withheld[about]
            said = self._said.get(key)
            if said is not None:
                self._said[key] = said._replace(written_at=now)
                told.append((_tell(said, stamp), said.level))
        return told

    def render(self) -> str:
        """Return what was said as one line of JSON, for a process that follows this one."""
        return json.dumps({"schema": SCHEMA, "said": [[*key, list(said)] for key, said in self._said.items()]})


def parse_repeats(text: str) -> Repeats:
    """Return what render told; nothing that was said for a text that is torn or of another schema."""
    try:
        document = parse_json(text)
        if parse_number(document["schema"]) != SCHEMA:
            return Repeats()
        found = {_parse_key(about, key): _parse_said(*fields) for about, key, fields in document["said"][-_MOST:]}
    except (ValueError, KeyError, TypeError):
        return Repeats()
    return Repeats(found)


def _parse_key(about: Any, key: Any) -> tuple[str, str]:
    return _text(about), _text(key)


def _parse_said(text: Any, level: Any, since: Any, written_at: Any, at: Any, times: Any) -> Said:  # noqa: PLR0913, PLR0917
    moments = parse_moment(written_at), parse_moment(at)
    return Said(_text(text), parse_number(level), _text(since), *moments, parse_number(times))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _tell(said: Said, stamp: str) -> str:
    day, _, clock = said.since.partition(" ")
    since = clock if clock and day == stamp.partition(" ")[0] else said.since
    return f"{said.text} (said {said.times} times since {since})"
