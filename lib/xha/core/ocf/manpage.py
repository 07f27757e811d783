"""Renders an agent's man page as roff (man macros, groff_man(7)), from the tables of its meta-data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.roff import escape, header, paragraphs, term, text, title, verbatim

if TYPE_CHECKING:
    from .api import Action
    from .galera_parameters import Parameter
    from .metadata import Description


def render_manpage(version: str, about: Description, date: str = "") -> str:
    """Return the man page as roff. version is the agent's own, date that of its last change (YYYY-MM-DD)."""
    name = about.agent.replace(":", "_")
    lines = [
        f'.\\" Made of {about.table}; do not edit.',
        *header(name, 7, version, "OCF resource agents", date),
        *title(name, about.short),
        ".SH SYNOPSIS",
        f".B {escape(about.agent)}",
        ".RI [ parameter = value \\&...]",
        ".SH DESCRIPTION",
        *paragraphs(about.long),
    ]
    lines += [".SH PARAMETERS", *text("Durations are a number of seconds, or as 100ms, 10s, 5m, 2h.")]
    lines += [line for one in about.parameters for line in _parameter(one, about.restarted)]
    lines += [".SH ACTIONS", *text("pcs copies these time-outs and intervals into the configuration.")]
    lines += [line for one in about.actions for line in _action(one)]
    lines += [".SH EXIT STATUS"]
    lines += [line for code, meaning in about.exit_codes for line in term("B", str(code), meaning)]
    lines += [".SH FILES"]
    lines += [line for path, meaning in about.files for line in term("I", path, meaning)]
    lines += [".SH EXAMPLES", *verbatim(about.example)]
    lines += [".SH SEE ALSO", *text(about.see_also)]
    return "\n".join(lines) + "\n"


def _parameter(one: Parameter, restarted: str) -> list[str]:
    told = [f"default {one.default}" if one.default else "", "" if one.reloadable else f"a change restarts {restarted}"]
    if one.retired:
        told = ["no effect"]
    said = "; ".join(filter(None, told))
    return term("B", one.name, f"{one.long} ({said})" if said else one.long)


def _action(one: Action) -> list[str]:
    interval = "" if one.interval is None else f", interval {one.interval} s"
    depth = "" if one.depth is None else f", depth {one.depth}"
    return term("B", one.name, f"timeout {one.timeout} s{interval}{depth}")
