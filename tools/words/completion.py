"""Completion of xha-check's command line for bash and zsh, made of the parsers of its subcommands.

The files name no path of xha and start no process of it: a shell completes at once, whatever Python does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xha.core.election.facts import GrantKind
from xha.core.services.catalogue import CATALOGUE
from xha.core.services.model.result import Level
from xha.doors.check import command
from xha.doors.check.subcommands import SUBCOMMANDS

FILES, HOSTS = "files", "hosts"
# What completes a value, by its metavar: a kind of name, or the words that there are.
VALUES: dict[str, Sequence[str] | str] = {
    "FILE": FILES,
    "PATH": FILES,
    "DIR": FILES,
    "HOST": HOSTS,
    "LEVEL": [level.word for level in Level],
    "WHAT=NODE": [f"{kind.value}=" for kind in GrantKind],
}
# Operands of the same metavar in other subcommands, as --resource NAME, are other names.
OPERANDS = {"NAME": sorted(CATALOGUE)}


class Word(NamedTuple):
    """An option, or an operand (name is ""). values: None for a text, which nothing completes."""

    name: str
    takes_value: bool
    metavar: str
    values: Sequence[str] | str | None
    many: bool
    help: str


def list_words(parser: argparse.ArgumentParser) -> Iterator[Word]:
    """Return what may stand behind a subcommand."""
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        metavar = str(action.metavar or action.dest.upper())
        values = list(action.choices) if action.choices else VALUES.get(metavar)
        if not action.option_strings:
            many = action.nargs in ("*", "+")
            yield Word("", True, metavar, OPERANDS.get(metavar, values), many, action.help or "")
        for name in action.option_strings:
            if name.startswith("--"):
                yield Word(name, action.nargs != 0, metavar, values, False, action.help or "")


def bash() -> str:
    """Return the file for bash-completion, which also works when it is sourced without it."""
    lines = [
        "# Completion of xha-check for bash. Made of its parsers by tools/words/completion.py; do not edit.",
        "_xha_check() {",
        '    local cur=${COMP_WORDS[COMP_CWORD]} previous="" name="" kind="" words="" index',
        "    COMPREPLY=()",
        '    if [ "$COMP_CWORD" -eq 1 ]; then',
        f"        COMPREPLY=($(compgen -W '{' '.join(SUBCOMMANDS)} --help --version' -- \"$cur\"))",
        "        return",
        "    fi",
        "    name=${COMP_WORDS[1]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
        "    # bash splits --level=deep at its =, and so does it what is completed",
        '    if [ "$previous" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi',
        '    if [ "$cur" = = ]; then cur="" previous=${COMP_WORDS[COMP_CWORD - 1]}; fi',
        '    case "$name $previous" in',
    ]
    for name, row in SUBCOMMANDS.items():
        for word in list_words(command.subcommand_parser(row)):
            if word.name and word.takes_value:
                lines.append(f"    '{name} {word.name}') {_bash_values(word.values)} ;;")
    lines += ["    *)", '        case "$name" in']
    for name, row in SUBCOMMANDS.items():
        all_words = list(list_words(command.subcommand_parser(row)))
        options = " ".join(word.name for word in all_words if word.name)
        operands = [_bash_values(word.values) for word in all_words if not word.name]
        lines += [
            f"        {name})",
            *(f"            {one}" for one in operands),
            f'            words="$words {options}" ;;',
        ]
    lines += [
        "        esac ;;",
        "    esac",
        '    if [ -n "$kind" ] && [ "${cur#-}" = "$cur" ]; then',
        '        while IFS= read -r index; do COMPREPLY+=("$index"); done < <(compgen -A "$kind" -- "$cur")',
        '        if [ "$kind" = file ]; then compopt -o filenames 2>/dev/null; fi',
        "    fi",
        '    COMPREPLY+=($(compgen -W "$words" -- "$cur"))',
        '    case "${COMPREPLY[0]:-}" in *=) compopt -o nospace 2>/dev/null ;; esac',
        "    return 0",
        "}",
        "complete -F _xha_check xha-check",
    ]
    return "\n".join(lines) + "\n"


def _bash_values(values: Sequence[str] | str | None) -> str:
    if values is None:
        return ":"
    if isinstance(values, str):
        return {FILES: "kind=file", HOSTS: "kind=hostname"}[values]
    return f"words='{' '.join(values)}'"


def zsh() -> str:
    """Return the file for zsh's completion system."""
    lines = [
        "#compdef xha-check",
        "# Completion of xha-check for zsh. Made of its parsers by tools/words/completion.py; do not edit.",
        "local -a subcommands",
        "local curcontext=$curcontext state line",
        "subcommands=(",
        *(f"    {_quote(f'{name}:{row.summary}')}" for name, row in SUBCOMMANDS.items()),
        ")",
        "_arguments -C '(- *)--help[how to call it]' '(- *)--version[the version]' '1: :->subcommand' '*:: :->words'",
        "case $state in",
        "subcommand) _describe -t subcommands subcommand subcommands ;;",
        "words)",
        "    case $words[1] in",
    ]
    for name, row in SUBCOMMANDS.items():
        specs = [_zsh_spec(word) for word in list_words(command.subcommand_parser(row))]
        lines += [
            f"    {name}) _arguments \\",
            *(f"        {spec} \\" for spec in specs[:-1]),
            f"        {specs[-1]} ;;",
        ]
    lines += ["    esac ;;", "esac"]
    return "\n".join(lines) + "\n"


def _zsh_spec(word: Word) -> str:
    values = {FILES: "_files", HOSTS: "_hosts", None: " "}.get(
        word.values if word.values in (FILES, HOSTS, None) else ""
    )
    if values is None:
        values = f"({' '.join(word.values or ())})"
    told = word.help.translate(str.maketrans({"[": "(", "]": ")", ":": "\\:"}))
    if not word.name:
        return _quote(f"{'*' if word.many else ''}:{word.metavar}:{values}")
    return _quote(f"{word.name}=[{told}]:{word.metavar}:{values}" if word.takes_value else f"{word.name}[{told}]")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS = {"bash": bash, "zsh": zsh}
