"""Each script of scripts/ against the real step, as etcd's raft does it in testdata/.

A script that changes on purpose is written anew by KEEPER_SCRIPTS=write; what it says then is to be read and judged.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.keeper.scene import Scene

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.txt"))
INDENT = "    "


def events_of(text: str) -> list[str]:
    """Return the lines that are no effects."""
    return [line for line in text.split("\n") if not line.startswith(INDENT)]


def play(text: str, scene: Scene) -> str:
    """Return the script with the effects as they are."""
    told: list[str] = []
    for line in events_of(text):
        told.append(line)
        if line and not line.startswith("#"):
            told += [INDENT + effect for effect in scene.play(line)]
    return "\n".join(told)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SCRIPTS])
def test_the_step_does_what_the_script_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    played = play(text, Scene())
    if os.environ.get("KEEPER_SCRIPTS") == "write":
        path.write_text(played, encoding="utf-8")
    assert played.split("\n") == text.split("\n")
