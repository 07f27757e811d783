"""What one member tells the others before an election: the JSON of the attribute xha-RSC-report."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from .lineage import Generation, History
from .position import Kind, Position, View, parse_position

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
    by a state transfer or a grant. epochs are the ids that it answers.
    """

    node: str
    state: State = State.STOPPED
    kind: Kind = Kind.EMPTY
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
    import json

    try:
        document = json.loads(text)
        schema = document["schema"]
        if type(schema) is not int:
            return Unread()
        if schema != SCHEMA:
            return Unread(schema)
        return Ballot(**{name: _PARSERS.get(name, _text)(document[name]) for name in Ballot._fields})
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unread()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no number")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(_text(word) for word in value)


def _position(value: object) -> Position:
    position = parse_position(_text(value))
    if position is None:
        raise ValueError(f"{value!r} is no position")
    return position


def _view(value: Any) -> View | None:
    return None if value is None else View(_text(value["id"]), _texts(value["members"]))


def _line(value: object) -> tuple[Generation, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    line = tuple(
        Generation(_text(one["id"]), _text(one["parent"]), _number(one["position"]), _texts(one["founders"]))
        for one in value
    )
    if any(newer.parent != older.id for newer, older in zip(line, line[1:])):
        raise ValueError("the generations are no line")
    return line


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "state": State,
    "kind": Kind,
    "position": _position,
    "line": _line,
    "safe_to_bootstrap": _flag,
    "inconsistent": _flag,
    "superseded": _flag,
    "view": _view,
    "view_seqno": _number,
    "restorable": _flag,
    "component": _view,
    "addresses": _texts,
    "members": _texts,
    "epochs": _texts,
}


def digest(ballots: Iterable[Ballot]) -> str:
    """Return a number in hexadecimal that changes with whatever a grant or a token was given for.

    The seqno of a Primary is no part of it, nor is what changes while a decision is carried out. FNV-1a of 64 bits:
    it meets accidents, not enemies, for grants and tokens are root's.
    """
    parts = []
    for ballot in sorted(ballots, key=lambda one: one.node):
        running = ballot.state is State.PRIMARY
        where = ballot.position.uuid if running else str(ballot.position)
        parts.append(f"{ballot.node} {ballot.kind.value} {where} {ballot.history.generation} {running}")
    number = 0xCBF29CE484222325
    for byte in "\n".join(parts).encode("utf-8", "surrogatepass"):
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return f"{number:016x}"
