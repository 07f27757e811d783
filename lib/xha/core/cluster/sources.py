"""What one source knows of one member: this host's SQL, the member's own responder, or what its keeper published.

Each answer is a claim of that member about itself, or what this host saw of it. It has an age, and where it does not
decide, a cause. Nothing that one member says is an answer about another.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..galera.reading import Reading
from ..node.verdict import Code, NagiosCode, Unreadable

if TYPE_CHECKING:
    from ..node.verdict import Verdict


class Source(str, Enum):
    """Who knows something of a member, in the order in which they are believed."""

    SQL = "sql"
    RESPONDER = "responder"
    KEEPER = "keeper"


class SourceAnswer(NamedTuple):
    """What one source came to.

    code: one of docs/verdicts.md, perhaps one that this version does not know, or a keeper's state; "" for no answer.
    available: whether the member is in service by this source, None where it does not say.
    age: seconds since the source looked, None where nobody can tell.
    cause: why this answer does not decide, "" where it does.
    reading: what the source read of the server, as far as it tells. component: the ids of the members that it sees.
    warnings: what is to be mended there, and changes no answer.
    """

    source: Source
    code: str = ""
    available: bool | None = None
    exit_code: NagiosCode = NagiosCode.UNKNOWN
    age: float | None = None
    message: str = ""
    remedy: str = ""
    cause: str = ""
    reading: Reading | None = None
    component: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether it says if the member is in service, and can be believed."""
        return self.available is not None and not self.cause


# Codes with which a check says that it could not look. They say nothing about the node (docs/verdicts.md, exit 3).
COULD_NOT_LOOK = tuple(code.value for code in Code if code.rule.exit_code is NagiosCode.UNKNOWN)
# The server itself answered so, in the place of a reading.
_SAID_BY_THE_SERVER = (Code.NOT_READY,)


def judge_sql(
    reading: Reading | Unreadable, verdict: Verdict, age: float, warnings: tuple[str, ...] = ()
) -> SourceAnswer:
    """Return what SQL from this host came to. That it got no reading says nothing about the member by itself.

    From here a dead server, a broken network and a missing account differ only in what this host has to mend.
    """
    answer = SourceAnswer(
        Source.SQL,
        verdict.code.value,
        verdict.available,
        verdict.exit_code,
        age,
        verdict.message,
        verdict.remedy,
        warnings=warnings,
    )
    if isinstance(reading, Reading):
        return answer._replace(reading=reading)
    if reading.code in _SAID_BY_THE_SERVER:
        return answer
    return answer._replace(available=None, cause=verdict.message)
