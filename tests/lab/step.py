"""A step of the document: its own commands, and the commands that do the same today."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class On(Enum):
    """Where a step is carried out."""

    EVERY = "every host"
    ONE = "any one host"


@dataclass(frozen=True)
class Step:
    """One step.

    `said`: the document's lines. `today`: the shell commands that are run, or with `path` the text of that file. In a
      file ``{address}`` and ``{name}`` stand for the host's own. `why` tells a reader why the two differ.
    """

    title: str
    on: On
    said: str
    today: str
    why: str = ""
    path: str = ""
