"""The position report: what one member tells the others before an election, as the JSON of attribute xha-RSC-report."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..galera.json_fields import (
    parse_flag,
    parse_known_position,
    parse_line,
    parse_number,
    parse_ports,
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

    from ..galera.server_options import Ports

SCHEMA = 1


# How the trouble of a node begins that is not in trouble: it only has not found out yet.
LOOKING = "it is finding out where its data end"


def is_looking(trouble: str) -> bool:
    """Return whether the trouble of a node is only that its recovery has not ended yet."""
    return trouble.startswith(LOOKING)


class State(str, Enum):
    """What runs on the node: no server, or how far its server has come."""

    STOPPED = "stopped"
    STARTING = "starting"
    RESTORING = "restoring"
    NON_PRIMARY = "non-primary"
    PRIMARY = "primary"


class PositionReport(NamedTuple):
    """The report of one member.

    position: for a stopped node, what recovery found. For a running node, its last applied write set, read with an
      empty receive queue. For a starting node, the position that it starts from.
    view: the last Primary view that the node was in. view_seqno: a position that was read with an empty receive queue
      after that view had begun, -1 if the server ended before such a reading.
    component: the view that a running server is in now. own_uuid: the node's group UUID in component, or else in view.
    restorable: gvwstate.dat is in place and names own_uuid.
    superseded: the node is empty because its data were given up for a newer history, by a state transfer or by a grant.
    epochs: the ids that this report answers. opens: the id that this node wants answered.
    ports: those that the node's server listens on, by its own options; None in a report of an older version.
    keeper: the process that made it, as `KeeperStatus.keeper`; "" in a report of an older version, or of none.
    trouble: why a person has to look at the node, in words. The node cannot say where its data end, its keeper gave up,
      or its server does not replicate.
    evicted: the server runs and has left its group for good. Until it is restarted it is in no component, and its data
      end at position or later: what waits for its storage is not applied. An older version sends no such report.
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
    ports: Ports | None = None
    keeper: str = ""
    evicted: bool = False

    @property
    def history(self) -> History:
        """The position together with its generations."""
        return History(self.position, self.line)


class Unread(NamedTuple):
    """A report that this version cannot read. schema: its schema, None if the text is no report at all."""

    schema: int | None = None


def render_position_report(report: PositionReport) -> str:
    """Return the text of the attribute, on one line."""
    import json

    fields = report._asdict()
    fields["position"] = str(report.position)
    fields["view"], fields["component"] = (view and view._asdict() for view in (report.view, report.component))
    fields["line"] = [generation._asdict() for generation in report.line]
    return json.dumps({"schema": SCHEMA, **fields}, separators=(",", ":"))


def parse_position_report(text: str) -> PositionReport | Unread:
    """Return the report. A report of another schema, or with a missing or invalid field, is Unread."""
    try:
        document = parse_json(text)
        schema = document["schema"]
        if type(schema) is not int:
            return Unread()
        if schema != SCHEMA:
            return Unread(schema)
        names = (name for name in PositionReport._fields if name in document or name not in _LATER)
        return PositionReport(**{name: _PARSERS.get(name, parse_text)(document[name]) for name in names})
    except (ValueError, KeyError, TypeError):
        return Unread()


# Fields that older reports of this schema lack.
_LATER = {"trouble", "ports", "keeper", "evicted"}
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
    "ports": parse_ports,
    "evicted": parse_flag,
}


def digest(reports: Iterable[PositionReport]) -> str:
    """Return a hexadecimal number that changes when the facts change that a grant or a token depends on.

    It does not contain the seqno of a Primary, what changes while a decision is carried out, or reports of nodes that
    do not know their data. It is a 64-bit FNV-1a hash. That suffices against accidents; it does not need to withstand
    an attacker, because only root writes grants and tokens.
    """
    parts = []
    for report in sorted((one for one in reports if one.kind is not Kind.UNKNOWN), key=lambda one: one.node):
        running = report.state is State.PRIMARY
        where = report.position.uuid if running else str(report.position)
        parts.append(f"{report.node} {report.kind.value} {where} {report.history.generation} {running}")
    number = 0xCBF29CE484222325
    for byte in "\n".join(parts).encode("utf-8", "surrogatepass"):
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return f"{number:016x}"
