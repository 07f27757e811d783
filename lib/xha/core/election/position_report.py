"""What one member tells the others before an election: the JSON of the attribute xha-RSC-report."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..galera.json_fields import (
    parse_flag,
    parse_known_position,
    parse_line,
    parse_number,
    parse_text,
    parse_texts,
    parse_view,
)
from ..galera.lineage import Generation, History
from ..galera.position import Kind, Position, View
from ..text.numbers import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

SCHEMA = 1


class State(str, Enum):
    """What runs on the node: nothing, or a server and how far it is."""

    STOPPED = "stopped"
    STARTING = "starting"
    RESTORING = "restoring"
    NON_PRIMARY = "non-primary"
    PRIMARY = "primary"


class Ballot(NamedTuple):
    """One member's report.

    position: of a stopped node what recovery found, of a running one its last applied write set, read with an empty
    receive queue, of a starting one where it starts from. view is the last Primary view that it was in, view_seqno a
    position that was read with an empty receive queue after view had begun, -1 where the server ended before that.
    component is the view that a running server is in now, own_uuid its group UUID there, or in view. restorable:
    gvwstate.dat is in place and names own_uuid. superseded: what an empty node held was given up for a newer history,
    by a state transfer or a grant. epochs are the ids that it answers, opens is the one that it wants answered.
    trouble: in words, why a person has to look at the node: it cannot say where its data end, its keeper gave up, or
    its server does not replicate.
    """

    node: str
    state: State = State.STOPPED
    kind: Kind = Kind.UNKNOWN
    position: Position = Position()
    line: tuple[Generation, ...] = ()
    safe_to_bootstrap: bool = False
    inconsistent: bool = False
    superseded: bool = False
    own_uuid: str = ""
    view: View | None = None
    view_seqno: int = -1
    restorable: bool = False
    component: View | None = None
    boot_id: str = ""
    addresses: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    epochs: tuple[str, ...] = ()
    opens: str = ""
    trouble: str = ""

    @property
    def history(self) -> History:
        """The position with its generations."""
        return History(self.position, self.line)


class Unread(NamedTuple):
    """A report that this version cannot judge. schema is None where the text is no report at all."""

    schema: int | None = None


def render_ballot(ballot: Ballot) -> str:
    """Return the attribute's text, on one line."""
    import json

    fields = ballot._asdict()
    fields["position"] = str(ballot.position)
    fields["view"], fields["component"] = (view and view._asdict() for view in (ballot.view, ballot.component))
    fields["line"] = [generation._asdict() for generation in ballot.line]
    return json.dumps({"schema": SCHEMA, **fields}, separators=(",", ":"))


def parse_ballot(text: str) -> Ballot | Unread:
    """Return the report. One of another schema, or with a field missing or misshapen, is Unread: never guessed at."""
    try:
        document = parse_json(text)
        schema = document["schema"]
        if type(schema) is not int:
            return Unread()
        if schema != SCHEMA:
            return Unread(schema)
        names = (name for name in Ballot._fields if name in document or name not in _LATER)
        return Ballot(**{name: _PARSERS.get(name, parse_text)(document[name]) for name in names})
    except (ValueError, KeyError, TypeError):
        return Unread()


# What a report of this schema did not always have.
_LATER = {"trouble"}
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "state": State,
    "kind": Kind,
    "position": parse_known_position,
    "line": parse_line,
    "safe_to_bootstrap": parse_flag,
    "inconsistent": parse_flag,
    "superseded": parse_flag,
    "view": parse_view,
    "view_seqno": parse_number,
    "restorable": parse_flag,
    "component": parse_view,
    "addresses": parse_texts,
    "members": parse_texts,
    "epochs": parse_texts,
}


def digest(ballots: Iterable[Ballot]) -> str:
    """Return a number in hexadecimal that changes with whatever a grant or a token was given for.

    The seqno of a Primary is no part of it, nor is what changes while a decision is carried out, nor who does not know
    what he holds. FNV-1a of 64 bits: it meets accidents, not enemies, for grants and tokens are root's.
    """
    parts = []
    for ballot in sorted((one for one in ballots if one.kind is not Kind.UNKNOWN), key=lambda one: one.node):
        running = ballot.state is State.PRIMARY
        where = ballot.position.uuid if running else str(ballot.position)
        parts.append(f"{ballot.node} {ballot.kind.value} {where} {ballot.history.generation} {running}")
    number = 0xCBF29CE484222325
    for byte in "\n".join(parts).encode("utf-8", "surrogatepass"):
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return f"{number:016x}"
