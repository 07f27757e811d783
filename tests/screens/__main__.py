"""Writes docs/screens/NAME.svg for each of SCREENS: `make screens`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from loopback import MissingProgram, claim
from screens.drawing import draw
from screens.scene import DOCS, FLEET, Scene
from shell.terminal import CONTROL_C, Terminal


class Shot(NamedTuple):
    """A command, and the size of its terminal. lines: how much of its output is drawn."""

    words: tuple[str, ...]
    columns: int
    rows: int
    lines: int = 40


SCREENS = {
    "cluster": Shot(("cluster",), 100, 24),
    "services": Shot(("services",), 100, 24),
    "fleet": Shot(("fleet", FLEET), 100, 24),
    "doctor": Shot(("doctor",), 100, 40, 24),
}


def take(scene: Scene, shot: Shot) -> str:
    """Return what a command shows on a terminal of that size when it has ended, or at its first picture."""
    with Terminal(scene.show(*shot.words), shot.columns, shot.rows) as terminal:
        if "--watch" in shot.words:
            terminal.wait_for("Ctrl-C ends")
            shown = terminal.picture()
            terminal.press(CONTROL_C)
        terminal.wait_end(120)
        if "--watch" not in shot.words:
            shown = terminal.text.replace("\r", "")
    return shown


def main() -> int:
    directory = DOCS / "screens"
    directory.mkdir(exist_ok=True)
    try:
        with claim() as net, Scene(net) as scene:
            for name, shot in SCREENS.items():
                if name == "doctor":
                    scene.look_at_lone()
                write(directory / f"{name}.svg", shot, take(scene, shot))
    except MissingProgram as missing:
        print(f"screens: {missing}", file=sys.stderr)
        return 1
    return 0


def write(path: Path, shot: Shot, shown: str) -> None:
    lines = shown.rstrip("\n").split("\n")
    if len(lines) > shot.lines:
        lines = [*lines[: shot.lines - 1], "..."]
    path.write_text(draw(f"xha-check {' '.join(shot.words)}", "\n".join(lines), shot.columns), encoding="utf-8")
    print(f"screens: docs/screens/{path.name} is written, {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
