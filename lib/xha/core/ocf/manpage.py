"""Renders an agent's man page as roff (man macros, groff_man(7)), from the tables of its meta-data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import Action
    from .galera_parameters import Parameter
    from .metadata import Description


def render_manpage(version: str, about: Description) -> str:
    """Return the man page as roff. version is the agent's own."""
    name = about.agent.replace(":", "_")
    lines = [
        f'.\\" Made of {about.table}; do not edit.',
        f'.TH {name.upper()} 7 "" "xha {_escape(version)}" "OCF resource agents"',
        ".nh",  # no hyphenation: a broken name cannot be searched for or copied
        ".ad l",
        ".SH NAME",
        f"{name} \\- {_escape(about.short)}",
        ".SH SYNOPSIS",
        f".B {_escape(about.agent)}",
        ".RI [ parameter = value \\&...]",
        ".SH DESCRIPTION",
    ]
    for paragraph in about.long:
        lines += [".PP", _text(paragraph)]
    lines += [".SH PARAMETERS", _text("Durations are a number of seconds, or as 100ms, 10s, 5m, 2h.")]
    lines += [line for one in about.parameters for line in _parameter(one, about.restarted)]
    lines += [".SH ACTIONS", _text("pcs copies these time-outs and intervals into the configuration.")]
    lines += [line for one in about.actions for line in _action(one)]
    lines += [".SH EXIT STATUS"]
    for code, meaning in about.exit_codes:
        lines += [".TP", f".B {code}", _text(meaning)]
    lines += [".SH FILES"]
    for path, meaning in about.files:
        lines += [".TP", f".I {_escape(path)}", _text(meaning)]
    lines += [".SH EXAMPLES", ".nf", *(_text(line) for line in about.example), ".fi"]
    lines += [".SH SEE ALSO", _text(about.see_also)]
    return "\n".join(lines) + "\n"


def _parameter(one: Parameter, restarted: str) -> list[str]:
    told = [f"default {one.default}" if one.default else "", "" if one.reloadable else f"a change restarts {restarted}"]
    if one.retired:
        told = ["no effect"]
    said = "; ".join(filter(None, told))
    return [".TP", f".B {_escape(one.name)}", _text(f"{one.long} ({said})" if said else one.long)]


def _action(one: Action) -> list[str]:
    interval = "" if one.interval is None else f", interval {one.interval} s"
    depth = "" if one.depth is None else f", depth {one.depth}"
    return [".TP", f".B {_escape(one.name)}", _text(f"timeout {one.timeout} s{interval}{depth}")]


def _text(text: str) -> str:
    escaped = _escape(text)
    # At the beginning of a line these two characters would start a request.
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _escape(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
