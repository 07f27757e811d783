"""xha-check list: which services can be checked, and what each level proves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ....core.node.verdict import NagiosCode
from ....core.services.catalogue import CATALOGUE
from ...terminal.table import columns
from ..options import add_output_options
from .results import require_kind

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Tells which services can be checked, a line each. With NAMEs, or with --json,
it tells what each level of their checks proves, misses and needs.
"""
EXIT_CODES = {0: "told", 3: "there is no service of that name"}
EXAMPLES = {
    "xha-check list": "a line each",
    "xha-check list rabbitmq": "what its levels prove, and need",
    "xha-check list --json": "for programs",
}


class ListRequest(NamedTuple):
    """How to tell it: text or json. names empty: all."""

    output: str = "text"
    names: tuple[str, ...] = ()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the services' names, and the forms of an answer."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="as keystone or rabbitmq")
    add_output_options(parser, "json")


def read(said: argparse.Namespace) -> ListRequest:
    """Return the request."""
    return ListRequest(said.output, tuple(said.names))


def run(request: ListRequest) -> int:
    """Print what can be checked, or what each level proves and misses, and what it needs; return the exit code.

    :raises ConfigError: for a name that the catalogue does not have.
    """
    names = tuple(map(require_kind, request.names)) or tuple(CATALOGUE)
    if request.output == "json":
        print(json.dumps({"schema": 1, "kind": "catalogue", "services": [_row(name) for name in names]}, indent=2))
        return NagiosCode.OK
    if not request.names:
        rows = [
            (name, "/".join(level.word for level in CATALOGUE[name].levels), CATALOGUE[name].title) for name in names
        ]
        print("\n".join(columns(rows)))
        print("xha-check list NAME says what each level proves and needs (docs/services.md).")
        return NagiosCode.OK
    for name in names:
        row = CATALOGUE[name]
        print(f"{name}: {row.title}")
        for level, proof in row.levels.items():
            mark = "*" if level is row.default_level else " "
            print(f"  {mark} {level.word:<8}  proves: {proof.proves}")
            if proof.misses:
                print(f"              misses: {proof.misses}")
            if proof.needs:
                print(f"              needs:  {proof.needs}")
    print("\n* the level without --level; xha.conf has [service NAME] sections for everything else (docs/services.md)")
    return NagiosCode.OK


def _row(name: str) -> dict[str, object]:
    row = CATALOGUE[name]
    levels = [{"level": level.word, **proof._asdict()} for level, proof in row.levels.items()]
    return {"name": name, "title": row.title, "default_level": row.default_level.word, "levels": levels}
