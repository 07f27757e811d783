"""What a terminal shows, as an SVG that loads nothing: rich draws it, without its fonts from elsewhere."""

from __future__ import annotations

import io

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

# Of rich's own format: no @font-face, because that would fetch fonts, and no id that differs in each run.
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<!-- Made by `make screens` with rich; do not edit. -->
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
THEME = TerminalTheme(
    (24, 26, 31),
    (214, 217, 224),
    [
        (24, 26, 31),
        (240, 113, 120),
        (127, 200, 127),
        (229, 192, 90),
        (110, 165, 240),
        (199, 146, 234),
        (90, 200, 210),
        (214, 217, 224),
    ],
)


def draw(command: str, text: str, columns: int) -> str:
    """Return the drawing of a command line and what it has printed, with its colours (ANSI), as SVG."""
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="standard")
    shown = f"$ {command}\n{text.rstrip()}"
    for line in shown.split("\n"):
        console.print(Text.from_ansi(line), overflow="fold", no_wrap=False, crop=False)
    drawing = console.export_svg(title=command, theme=THEME, code_format=FORMAT, unique_id="screen")
    return "".join(f"{line.rstrip()}\n" for line in drawing.splitlines() if line.strip())
