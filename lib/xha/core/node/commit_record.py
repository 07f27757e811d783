"""What the resident responder has found out about this node's commits, as a file for the other programs of the host."""

from __future__ import annotations

from ..text.escape import clean
from ..text.light_typing import NamedTuple
from .codes import Code
from .commits import Commits

MAX_BYTES = 16384
# A record is believed for so long, in seconds.
FRESH_SECONDS = 5.0
_LONGEST, _MOST_WARNINGS = 500, 16


class CommitRecord(NamedTuple):
    """What was found, at which moment of the host's monotonic clock, and of which server (wsrep_gcomm_uuid)."""

    commits: Commits
    at: float
    server: str


def render_commit_record(record: CommitRecord) -> str:
    """Return the text of the file."""
    import json

    commits = record.commits
    document = {
        "at": record.at,
        "server": record.server,
        "code": commits.code and commits.code.value,
        "detail": commits.detail,
        "warnings": list(commits.warnings),
        "unknown": commits.unknown,
    }
    return json.dumps(document) + "\n"


def parse_commit_record(text: str) -> CommitRecord:
    """Return the record in a file's text. :raises ValueError: saying what is wrong, for anything else."""
    from ..text.numbers import parse_json, parse_moment

    fields = parse_json(text)
    if not isinstance(fields, dict):
        raise ValueError("it is not one JSON object")
    names = {None: None, Code.CANNOT_COMMIT.value: Code.CANNOT_COMMIT, Code.STALLING.value: Code.STALLING}
    said, warnings = fields.get("code"), fields.get("warnings")
    if not (said is None or isinstance(said, str)) or said not in names:
        raise ValueError("code has another value than null, cannot-commit and stalling")
    if not isinstance(warnings, list):
        raise ValueError("warnings is no list")
    commits = Commits(
        names[said],
        _text(fields.get("detail"), "detail"),
        tuple(_text(one, "warnings") for one in warnings[:_MOST_WARNINGS]),
        _text(fields.get("unknown"), "unknown"),
    )
    try:
        at = parse_moment(fields.get("at"))
    except (TypeError, ValueError):
        raise ValueError("at is no time") from None
    return CommitRecord(commits, at, _text(fields.get("server"), "server"))


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return clean(value, _LONGEST)


def believe(record: CommitRecord, server: str | None, now: float) -> Commits:
    """Return what a record says of the server that was read; `commits: not known` if it is old, or of another server.

    now: seconds of the host's monotonic clock. server: wsrep_gcomm_uuid, which each start of a node has anew.
    """
    if not server or record.server != server:
        return Commits(unknown="the responder of this host looks at another server")
    if not 0 <= now - record.at <= FRESH_SECONDS:
        return Commits(unknown="the responder has not looked for 5 s: nobody asks it")
    return record.commits
