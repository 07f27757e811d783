"""One member by all that is known of it: which source decides, and what is said where none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..node.verdict import Code, NagiosCode
from .sources import Source, SourceAnswer

if TYPE_CHECKING:
    from ..galera.reading import Reading
    from .members import Member

# What SQL sees from another host, too. Everything else is known on the member's own host only: its disabled file, its
# policy, a process that proves what a donor does, how long nothing was committed.
SEEN_BY_SQL = tuple(
    code.value
    for code in (
        Code.SYNCED,
        Code.DONOR,
        Code.DESYNCED,
        Code.READ_ONLY,
        Code.MAINTENANCE,
        Code.REJECTING_QUERIES,
        Code.JOINING,
        Code.JOINED,
        Code.NON_PRIMARY,
        Code.NOT_READY,
        Code.WSREP_OFF,
    )
)
_FAILED = (Code.HUNG.value, Code.SERVER_DOWN.value, Code.STARTING.value)


class MemberView(NamedTuple):
    """One member, and what each source came to. Each source stands once."""

    member: Member
    answers: tuple[SourceAnswer, ...] = ()

    def of(self, source: Source) -> SourceAnswer | None:
        """Return what a source came to, None if it was not asked."""
        return next((one for one in self.answers if one.source is source), None)

    @property
    def chosen(self) -> SourceAnswer | None:
        """The answer that decides, None if nobody knows.

        SQL, then the responder, then the keeper. The responder goes before SQL where it says what SQL cannot see from
        another host, and where both give one code: then the policy of the member's own host decides.
        """
        deciding = sorted((one for one in self.answers if one.decides), key=lambda one: list(Source).index(one.source))
        if not deciding:
            return None
        first, responder = deciding[0], self.of(Source.RESPONDER)
        if first.source is not Source.SQL or responder is None or not responder.decides:
            return first
        same = responder.code == first.code
        if same and responder.available == first.available:
            return first
        return responder if same or responder.code not in (*SEEN_BY_SQL, *_FAILED) else first

    @property
    def service(self) -> str:
        """`in`, `out` or `unknown`: whether load balancers send it traffic."""
        return "unknown" if self.chosen is None else "in" if self.chosen.available else "out"

    @property
    def code(self) -> str:
        """The code of the answer that decides; where none does, why this host's own look failed."""
        return self._first.code

    @property
    def exit_code(self) -> NagiosCode:
        """Its part of the exit code. A member that does not answer at all is CRITICAL; one that is denied UNKNOWN."""
        return self._first.exit_code

    @property
    def message(self) -> str:
        """What is said of it. Where nobody knows, each source's cause."""
        if self.chosen is not None:
            return self.chosen.message
        return "; ".join(f"{one.source.value}: {one.cause}" for one in self.answers if one.cause) or "nobody was asked"

    @property
    def remedy(self) -> str:
        """What to do. Where nobody knows: what lets one of the sources be read."""
        if self.chosen is not None:
            return self.chosen.remedy
        sql = self.of(Source.SQL)
        remedies = [one.remedy for one in self.answers if one.remedy and one.source is not Source.SQL]
        if sql and sql.code == Code.ACCESS_DENIED.value:
            remedies.append("or create an account for TCP (docs/installation.md, One account)")
        elif sql and sql.remedy:
            remedies.insert(0, sql.remedy)
        return "; ".join(remedies)

    @property
    def reading(self) -> Reading | None:
        """The facts to show and to compare: those of the first source that has any."""
        return self.facts.reading if self.facts else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be mended on it, by all of its sources."""
        return tuple(warning for one in self.answers for warning in one.warnings)

    @property
    def facts(self) -> SourceAnswer | None:
        """The first source that tells what the server said, and is not known to be stale."""
        return next((one for one in self.answers if one.reading is not None and not one.cause), None)

    @property
    def component(self) -> frozenset[str]:
        """The group UUIDs of the members that its server sees, which only its keeper tells; empty if it does not."""
        keeper = self.of(Source.KEEPER)
        return keeper.component if keeper is not None and not keeper.cause else frozenset()

    @property
    def _first(self) -> SourceAnswer:
        return self.chosen or self.of(Source.SQL) or SourceAnswer(Source.SQL, Code.CONFIG_ERROR.value)
