"""Reads the procedures of docs/operations.md, and carries them out word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.host import Host
from lab.laboratory import Laboratory
from lab.place import REPOSITORY
from lab.shell import CommandFailed
from lab.step import On

PAGE = REPOSITORY / "docs" / "operations.md"
NOT_RUN = "not yet"
BLOCK_SECONDS = 900
_BLOCK = re.compile(r"^```sh\n# on ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^Run in the laboratory: ([^.]+(?:\.\d[^.]*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Commands, and where to type them: `every host`, `one host`, or a host's name."""

    on: str
    text: str


@dataclass(frozen=True)
class Procedure:
    """A section of the page. `run`: yes (and what replaced what), or `not yet`; empty if there is nothing to run."""

    title: str
    run: str
    blocks: tuple[Block, ...]


def parse_page(text: str) -> tuple[Procedure, ...]:
    """Every section of the second level, in order. A block without a place is an error."""
    found = []
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        blocks = tuple(Block(on, commands) for on, commands in _BLOCK.findall(body))
        if len(blocks) != body.count("```sh\n"):
            raise ValueError(f"{title}: a block does not begin with `# on ...`")
        said = _RUN.search(body)
        found.append(Procedure(title, " ".join(said[1].split()) if said else "", blocks))
    return tuple(found)


def procedure(title: str) -> Procedure:
    """The section with that heading. Raises CommandFailed, naming the headings, if there is none that can be run."""
    found = {one.title: one for one in parse_page(PAGE.read_text(encoding="utf-8")) if one.blocks}
    if title not in found:
        raise CommandFailed(f"no procedure {title!r}; there are: {'; '.join(found)}")
    return found[title]


def carry_out(lab: Laboratory, wanted: Procedure) -> None:
    """Type every block at its place. Raises CommandFailed at the first command that fails."""
    for block in wanted.blocks:
        text = f"set -e\n{block.text}"

        def type_on(host: Host, text: str = text) -> None:
            host.sh(text, timeout=BLOCK_SECONDS)

        if block.on == On.EVERY.value:
            lab.on_all(type_on)
        else:
            type_on(lab["h1" if block.on == "one host" else block.on])
        lab.say(f"{wanted.title}: {block.on}")
