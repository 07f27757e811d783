"""What a rule of the doctor is, and what comes of it.

Three outcomes are told apart for every rule: it found something, it found nothing, or it could not look. A fact that is
absent is never a good one: whoever asks for it raises Unlooked, which ends as a finding of its own kind.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable

    from .facts import DoctorFacts


class Weight(Enum):
    """How much a finding matters. UNSEEN: nothing is known, because this look could not see it."""

    ADVICE = "advice"
    HARM = "will hurt"
    UNSEEN = "not looked at"


class Symptom(NamedTuple):
    """What a rule saw. seen: what, and where; write: the exact line, and where it goes."""

    seen: str
    write: str


class Rule(NamedTuple):
    """A row of the table.

    name: the id, which never changes. subject: what it looks at. why: why it hurts.
    examine: yields what it sees; raises Unlooked where it cannot look.
    remote: whether it asks other hosts, and is left out by --host-only.
    """

    name: str
    weight: Weight
    subject: str
    why: str
    examine: Callable[[DoctorFacts], Iterable[Symptom]]
    remote: bool = False


class DoctorFinding(NamedTuple):
    """What came of a rule, or of several that lack the same fact. write: the line to write, or what a look needs."""

    weight: Weight
    rules: tuple[str, ...]
    seen: str
    why: str
    write: str
