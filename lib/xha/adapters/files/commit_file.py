"""The file by which the responder tells the other programs of its host what it knows of the node's commits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.node.commit_record import MAX_BYTES, believe, parse_commit_record, render_commit_record
from ...core.node.commits import Commits
from ..host.login_name import server_uids
from .whole_file import read_text

if TYPE_CHECKING:
    from ...core.node.commit_record import CommitRecord

_ACCOUNT = "xha"


def write_commit_file(path: str, record: CommitRecord) -> None:
    """Replace the file. :raises OSError: as open does."""
    from .atomic_write import replace_text

    replace_text(path, render_commit_record(record), 0o644)


def read_commit_file(path: str | None, server: str | None) -> Commits:
    """Return what the file says of the server; `commits: not known` with its cause where it cannot be believed.

    It is believed only of root, of the responder's account and of this process's own: no other can write it.
    """
    if path is None:
        return Commits(unknown="another host's responder knows it")
    try:
        record = parse_commit_record(read_text(path, MAX_BYTES, server_uids(_ACCOUNT)))
    except FileNotFoundError:
        return Commits(unknown=f"no responder of this host has written {path}")
    except OSError as error:
        return Commits(unknown=f"{path}: {(error.strerror or 'unreadable').lower()}")
    except ValueError as error:
        return Commits(unknown=f"{path}: {error}")
    return believe(record, server, time.monotonic())
