"""xha-check list: which services can be checked, and what each level proves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ....core.node.verdict import NagiosCode
from ....core.services.catalogue import CATALOGUE
from ..options import add_output_options

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Tells which services can be checked, and what each level of a check proves,
misses and needs.
"""
EXIT_CODES = {0: "always"}
EXAMPLES = {"xha-check list": "for people", "xha-check list --json": "for programs"}


class ListRequest(NamedTuple):
    """How to tell it: text or json."""

    output: str = "text"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the forms of an answer."""
    add_output_options(parser, "json")


def read(said: argparse.Namespace) -> ListRequest:
    """Return the request."""
    return ListRequest(said.output)


def run(request: ListRequest) -> int:
    """Print what can be checked, what each level proves and misses, and what it needs; return the exit code."""
    if request.output == "json":
        print(json.dumps({"schema": 1, "kind": "catalogue", "services": [_row(name) for name in CATALOGUE]}, indent=2))
        return NagiosCode.OK
    for name, row in CATALOGUE.items():
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
