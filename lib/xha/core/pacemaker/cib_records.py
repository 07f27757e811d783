"""The records that xha keeps of a resource in the cluster's configuration: two property sets in crm_config.

`xha-RSC` holds the records, `xha.token-RSC` the token. Creating a set that exists fails, so only one node gets the
token. A record that does not parse is an error that names the record: a record that is skipped could be a clean stop
that is overlooked. Each grant has a record of its own, so that using up one grant never loses or restores another.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..election.facts import Grant, GrantKind, Records, Token
from ..election.stall import Eviction
from ..galera.json_fields import parse_flag, parse_known_position, parse_line, parse_number, parse_text, parse_view
from ..galera.lineage import History, StopRecord
from ..text.numbers import parse_json, parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = 1
_STOP, _GRANT = "stop-", "grant-"
# So the records of one resource cannot have the id of another resource's token.
_PREFIX, _TOKEN = "xha-", "xha.token-"
TOKEN, LINE, CLUSTER, LAST_GRANT, EVICTION = "token", "line", "cluster", "last-grant", "eviction"
# Characters that an XML id may not have. The name of a node may have them.
_NO_ID = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)


class BadRecord(ValueError):
    """A record that cannot be read. The text names it, and says how to remove it."""


class Book(NamedTuple):
    """All records of a resource: the grants that are not used yet, the last one that was used, the last eviction."""

    records: Records = Records()
    grants: tuple[Grant, ...] = ()
    last_grant: Grant | None = None
    eviction: Eviction | None = None


def set_id(resource: str) -> str:
    """Return the id of the property set that holds the records of a resource."""
    return f"{_PREFIX}{resource}"


def token_id(resource: str) -> str:
    """Return the id of the property set that is the token, by its existence."""
    return f"{_TOKEN}{resource}"


def record_name(resource: str, record: str) -> str:
    """Return the name of a record's property, such as `xha-p_mysql-line`."""
    return f"{_PREFIX}{resource}-{record}"


def pair_id(resource: str, record: str) -> str:
    """Return the XML id of a record."""
    return _NO_ID.sub(".", record_name(resource, record))


def stop_name(node: str) -> str:
    """Return the name of the record of a node's clean stop."""
    return f"{_STOP}{node}"


def grant_name(grant: Grant) -> str:
    """Return the name of a grant's record. There is one for each kind and node, and a later grant replaces it."""
    return f"{_GRANT}{grant.kind.value}-{grant.node}"


def resource_of(own_id: str) -> str:
    """Return the resource that a property set with this id belongs to, "" if the set is not xha's."""
    prefix = next((one for one in (_PREFIX, _TOKEN) if own_id.startswith(one)), None)
    return own_id[len(prefix) :] if prefix else ""


def parse_book(resource: str, properties: Mapping[str, str]) -> Book:
    """Return the records in the properties. :raises BadRecord: for one that is torn or of another schema."""
    prefix = record_name(resource, "")
    said = {name[len(prefix) :]: text for name, text in properties.items() if name.startswith(prefix) and text}
    stops: dict[str, StopRecord] = {}
    grants: list[Grant] = []
    values: dict[str, Any] = {}
    for name, text in said.items():
        try:
            if name.startswith(_STOP):
                stops[name[len(_STOP) :]] = _parse_stop(_open(text))
            elif name.startswith(_GRANT):
                grants.append(_parse_grant(_open(text)))
            elif name in _PARSERS:
                values[name] = _PARSERS[name](_open(text))
        except (ValueError, KeyError, TypeError):
            full = prefix + name
            raise BadRecord(
                f"the record {full} cannot be read: another version of xha, or a hand, wrote it; look at it, then "
                f"crm_attribute --type crm_config --name {full} --delete"
            ) from None
    records = Records(stops, values.get(LINE, ()), values.get(TOKEN), values.get(CLUSTER, ""))
    return Book(records, tuple(sorted(grants, key=lambda one: one.at)), values.get(LAST_GRANT), values.get(EVICTION))


def render_line(line: Sequence[Any]) -> str:
    """Return the text of the record `line`."""
    return _close([generation._asdict() for generation in line])


def render_cluster(uuid: str) -> str:
    """Return the text of the record `cluster`."""
    return _close(uuid)


def render_stop(stop: StopRecord) -> str:
    """Return the text of the record of a stop. clean stands there only where it is not: other versions lack it."""
    line = [generation._asdict() for generation in stop.history.line]
    view = stop.view and stop.view._asdict()
    value: dict[str, object] = {
        "position": str(stop.history.position),
        "line": line,
        "boot_id": stop.boot_id,
        "view": view,
    }
    return _close(value if stop.clean else {**value, "clean": False})


def render_token(token: Token) -> str:
    """Return the text of the token."""
    return _close(token._asdict())


def render_grant(grant: Grant) -> str:
    """Return the text of a grant, whether it is pending or the last one used."""
    return _close(grant._asdict())


def render_eviction(eviction: Eviction) -> str:
    """Return the text of the record of the last eviction."""
    return _close(eviction._asdict())


def _close(value: object) -> str:
    return json.dumps({"schema": SCHEMA, "value": value}, separators=(",", ":"))


def _open(text: str) -> Any:
    document = parse_json(text)
    if parse_number(document["schema"]) != SCHEMA:
        raise ValueError("another schema")
    return document["value"]


def _parse_stop(value: Any) -> StopRecord:
    history = History(parse_known_position(value["position"]), parse_line(value["line"]))
    clean = parse_flag(value["clean"]) if "clean" in value else True
    return StopRecord(history, parse_text(value["boot_id"]), parse_view(value["view"]), clean)


def _parse_token(value: Any) -> Token:
    return Token(parse_text(value["node"]), parse_text(value["epoch"]), parse_text(value["digest"]))


def _parse_grant(value: Any) -> Grant:
    texts = {name: parse_text(value[name]) for name in ("node", "digest", "by", "why")}
    return Grant(GrantKind(value["kind"]), at=parse_moment(value["at"]), **texts)


def _parse_eviction(value: Any) -> Eviction:
    texts = {name: parse_text(value[name]) for name in ("node", "uuid", "by")}
    return Eviction(**texts, at=parse_moment(value["at"]))


_PARSERS = {
    TOKEN: _parse_token,
    LINE: parse_line,
    CLUSTER: parse_text,
    LAST_GRANT: _parse_grant,
    EVICTION: _parse_eviction,
}
