"""What a node records about its own history beside its data: DATADIR/xha-node.json.

Galera's own files say where the data end. They do not say which of two histories with one UUID the data belong to, nor
what xha did with them. The record is in the data directory, so that it moves with the data and is lost with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_json
from .json_fields import parse_flag, parse_known_position, parse_line, parse_number, parse_text, parse_view
from .lineage import Generation
from .position import NO_SEQNO, Position, View

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SCHEMA = 1


class NodeRecord(NamedTuple):
    """What this node knows about its data.

    line: the generations that lead to the data, newest first.
    view: the last Primary view that the node was in. own_uuid: the node's group UUID in it.
    view_seqno: a position read with an empty receive queue after that view had begun.
    clean_stop: where a clean stop by xha left the data. The next start sets it to None.
    superseded: newer data of the cluster replaced, or were about to replace, what was here.
    discarded: a grant gave up the data.
    inconsistent: the cluster voted this node out, its rows differ.
    """

    line: tuple[Generation, ...] = ()
    view: View | None = None
    view_seqno: int = NO_SEQNO
    own_uuid: str = ""
    clean_stop: Position | None = None
    superseded: bool = False
    discarded: bool = False
    inconsistent: bool = False


def render_node_record(record: NodeRecord) -> str:
    """Return the file's text: one line of JSON."""
    import json

    fields = record._asdict()
    fields["line"] = [generation._asdict() for generation in record.line]
    fields["view"] = record.view and record.view._asdict()
    fields["clean_stop"] = record.clean_stop and str(record.clean_stop)
    return json.dumps({"schema": SCHEMA, **fields}) + "\n"


def parse_node_record(text: str) -> NodeRecord | None:
    """Return the record, or None for a text that is torn, of another schema, or has a missing or invalid field."""
    try:
        document = parse_json(text)
        if parse_number(document["schema"]) != SCHEMA:
            return None
        return NodeRecord(**{name: _PARSERS[name](document[name]) for name in NodeRecord._fields})
    except (ValueError, KeyError, TypeError):
        return None


def _clean_stop(value: object) -> Position | None:
    return None if value is None else parse_known_position(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "line": parse_line,
    "view": parse_view,
    "view_seqno": parse_number,
    "own_uuid": parse_text,
    "clean_stop": _clean_stop,
    "superseded": parse_flag,
    "discarded": parse_flag,
    "inconsistent": parse_flag,
}
