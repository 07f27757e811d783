"""Where a stopped node's data end: grastate.dat, gvwstate.dat, and the position that mysqld --wsrep-recover logs.

A parser returns None for a text that it cannot parse to the end. A saved state that is only half understood would elect
the wrong node.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

NO_UUID = "00000000-0000-0000-0000-000000000000"
NO_SEQNO = -1

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GTID = r"\d{1,10}-\d{1,10}-\d{1,20}"
# The layouts of a position: plain; MariaDB with wsrep_gtid_mode, where the GTID stands behind or before the seqno;
# Codership 8.0.27 and later.
_POSITION = re.compile(
    rf"(?P<uuid>{_UUID}):(?:{_GTID},)?(?P<seqno>-?\d{{1,20}})(?:,{_GTID}|/\d{{1,10}}/\d{{1,10}}/{_UUID})?", re.ASCII
)
# MariaDB and PXC end the words with a colon, mysqld_safe's own line does not. 8.0 writes [WSREP] before them.
_RECOVERED = re.compile(r"WSREP(?::|\])(?: mysqld_safe:)? Recovered position(?::|(?= ))[ \t]*(.*)")
_MAX_SEQNO = 2**63 - 1
# -1 as C prints it with an unsigned format.
_UNSIGNED_NO_SEQNO = 2**64 - 1
_PRIMARY_VIEW = "3"


class Position(NamedTuple):
    """A point in a history: its UUID in lower case, and the number of its last write set."""

    uuid: str = NO_UUID
    seqno: int = NO_SEQNO

    @property
    def real(self) -> bool:
        """Whether this position names data at all."""
        return self.uuid != NO_UUID and self.seqno >= 0

    def __str__(self) -> str:
        return f"{self.uuid}:{self.seqno}"


class GraState(NamedTuple):
    """The content of grastate.dat. safe_to_bootstrap is None in files of servers before Galera 25.3.19."""

    uuid: str
    seqno: int
    safe_to_bootstrap: bool | None = None


class View(NamedTuple):
    """A component of the group: its id `UUID SEQ`, and the group UUIDs of its members, which change at every start."""

    id: str
    members: tuple[str, ...]


class GvwState(NamedTuple):
    """The content of gvwstate.dat: the last Primary view that this node was in, and the node's own UUID in it."""

    own_uuid: str
    view: View

    @property
    def restorable(self) -> bool:
        """Whether pc.recovery can form this view again with this node."""
        return self.own_uuid in self.view.members


class Kind(str, Enum):
    """What a node's data are worth in an election. UNKNOWN: nobody has looked, or nobody could."""

    INTACT = "intact"
    IN_DOUBT = "in-doubt"
    FOREIGN = "foreign"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class Standing(NamedTuple):
    """What a node's data are worth and where they end. cause: why nobody could look (UNKNOWN), in words."""

    kind: Kind
    position: Position = Position()
    cause: str = ""


def parse_position(text: str) -> Position | None:
    """Return the position in the layout of any server (MariaDB, PXC 8, Codership 8: taken from their logs)."""
    match = _POSITION.fullmatch(text)
    seqno = _parse_seqno(match["seqno"]) if match else None
    return None if match is None or seqno is None else Position(match["uuid"].lower(), seqno)


def _parse_seqno(text: str) -> int | None:
    if re.fullmatch(r"-?\d{1,20}", text, re.ASCII) is None:
        return None
    number = int(text)
    if number == _UNSIGNED_NO_SEQNO:
        return NO_SEQNO
    return number if NO_SEQNO <= number <= _MAX_SEQNO else None


def parse_recovered_position(log: str) -> Position | None:
    """Return the position that the last line of its kind names in the log of mysqld --wsrep-recover.

    None means not known: there is no such line (for example behind `skipping position recovery`), or the last one does
    not parse. An older line in the same file is not used, because it is the position of an older start. A position that
    is not real means that the server looked for one and there is none.
    """
    from .error_log import plain

    found = [match[1].strip() for match in _RECOVERED.finditer(plain(log))]
    return parse_position(found[-1]) if found else None


def parse_grastate(text: str) -> GraState | None:
    """Return the saved state (galera/src/saved_state.cpp), or None for a file that is empty, torn or ambiguous."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.strip(" \t\r").partition(":")
        if not name or name.startswith("#"):
            continue
        if not colon or name in fields:
            return None
        fields[name] = value.strip()
    uuid, seqno = fields.get("uuid", ""), _parse_seqno(fields.get("seqno", ""))
    flag = {None: None, "0": False, "1": True}.get(fields.get("safe_to_bootstrap"), ...)
    if re.fullmatch(_UUID, uuid) is None or seqno is None or flag is ...:
        return None
    return GraState(uuid.lower(), seqno, flag)


def render_grastate(position: Position, safe_to_bootstrap: bool) -> str:
    """Return the text of grastate.dat as Galera writes it (saved_state.cpp, write_file)."""
    return (
        "# GALERA saved state\nversion: 2.1\n"
        f"uuid:    {position.uuid}\nseqno:   {position.seqno}\nsafe_to_bootstrap: {int(safe_to_bootstrap)}\n"
    )


def parse_gvwstate(text: str) -> GvwState | None:
    """Return the last Primary view (gcomm/src/view.cpp, ViewState).

    None for a file that is empty, torn, or does not describe a Primary view. Galera itself aborts with `invalid UUID`
    on an empty file.
    """
    lines = [line.split() for line in text.split("\n") if line.strip()]
    if len(lines) < 6 or lines[1] != ["#vwbeg"] or lines[-1] != ["#vwend"]:
        return None
    own, view, flag, members = lines[0], lines[2], lines[3], lines[4:-1]
    shapes = [(own, "my_uuid:", 2), (view, "view_id:", 4), (flag, "bootstrap:", 2)]
    shapes += [(member, "member:", 3) for member in members]
    if any(len(words) != length or words[0] != name for words, name, length in shapes):
        return None
    uuids = [own[1], view[2], *(member[1] for member in members)]
    numbers = [view[3], flag[1], *(member[2] for member in members)]
    if not all(re.fullmatch(_UUID, uuid) for uuid in uuids):
        return None
    if view[1] != _PRIMARY_VIEW or not all(re.fullmatch(r"\d{1,10}", number, re.ASCII) for number in numbers):
        return None
    listed = tuple(sorted(member[1].lower() for member in members))
    if len(set(listed)) != len(listed):
        return None
    return GvwState(own[1].lower(), View(f"{view[2].lower()} {view[3]}", listed))


def classify(  # noqa: PLR0913 - each is a fact of its own, and the last three are rare
    grastate: GraState | None,
    recovered: Position | None,
    user_schemas: bool,
    *,
    clean_stop: Position | None = None,
    transfer_begun: bool = False,
    discarded: bool = False,
) -> Standing:
    """Return what the data of a stopped node are worth.

    grastate: None if the file is absent or does not parse.
    recovered: None if no recovery was run. A recovery that ran and named no position found out nothing: the caller
      reports Kind.UNKNOWN and does not call this function.
    clean_stop: the position in xha's own clean-stop record.
    transfer_begun: a state transfer had begun to overwrite the data (sst_in_progress).
    discarded: a grant gave up the data.

    The recovered position counts even if grastate.dat has another seqno: a paused donor writes its seqno there while it
    runs.
    """
    if discarded:
        return Standing(Kind.EMPTY)
    if recovered is None:
        saved = Position(grastate.uuid, grastate.seqno) if grastate else Position()
        recovered = saved if saved.real and saved == clean_stop else Position()
    if recovered.real and grastate and grastate.uuid == recovered.uuid:
        return Standing(Kind.INTACT, recovered)
    # An incomplete copy may carry the donor's position, the highest of all. It must never be a candidate.
    if transfer_begun:
        return Standing(Kind.EMPTY)
    if recovered.real and (grastate is None or grastate.uuid == NO_UUID):
        return Standing(Kind.IN_DOUBT, recovered)
    return Standing(Kind.FOREIGN if user_schemas or recovered.real else Kind.EMPTY)
