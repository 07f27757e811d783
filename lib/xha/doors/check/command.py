"""The command line of xha-check: a subcommand, and what it is asked."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NamedTuple

from .old_spellings import MODES, translate
from .options import Parser, UsageError, add_version
from .subcommands import DEFAULT, GROUPS, SUBCOMMANDS, Subcommand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

DESCRIPTION = f"""\
Tells whether HAProxy may send traffic to a Galera node, and why; shows what a
cluster waits for, and lets a person decide; checks the services of this host.
Without a subcommand it is xha-check {DEFAULT}.
"""
EXIT_CODES = {
    0: "in service",
    1: "in service, or drained, for a reason that will pass",
    2: "broken",
    3: "the check itself could not look (configuration, account, connections); wrong usage, --help and --version",
}
_MORE = """\
xha-check SUBCOMMAND --help has the options and exit codes of each subcommand,
docs/verdicts.md what each answer means. The options of before there were
subcommands (--node [HOST], --cluster --explain, --grant, --all ...) still work.
"""
_WIDTH = 80


class Command(NamedTuple):
    """A parsed command line: which subcommand, and what its file's read() has made of the options."""

    subcommand: Subcommand
    request: Any


def parse_command(arguments: Sequence[str]) -> Command:
    """Parse the command line, in an old spelling, too. Exits 3 where it is wrong, and after --help and --version."""
    if arguments and arguments[0] in ("-h", "--help"):
        top_parser().parse_args(arguments[:1])
    operands: list[str] | None = None
    if arguments and not arguments[0].startswith("-"):
        name, rest = arguments[0], list(arguments[1:])
    else:
        name, operands, rest = translate(arguments)
    if name not in SUBCOMMANDS:
        top_parser().error(_no_subcommand(name))
    subcommand = SUBCOMMANDS[name]
    module = subcommand.load()
    parser = subcommand_parser(subcommand)
    said, left = parser.parse_known_args([*(operands or []), *rest])
    if left:
        parser.error(_unrecognized(left, parser))
    if operands == [] and getattr(said, "member", None):
        # `xha-check --json cluster`: what was meant for a subcommand is never taken for a host's name.
        top_parser().error(f"{str(said.member)!r}: a subcommand comes first, as in xha-check node HOST --json")
    try:
        return Command(subcommand, module.read(said))
    except UsageError as error:
        parser.error(str(error))


def top_parser() -> Parser:
    """Return the parser of what comes without a subcommand: --help and --version."""
    width = max(len(name) for name in SUBCOMMANDS)
    groups = [_table(title, {row.name: row.summary for row in rows}, width) for title, rows in GROUPS.items()]
    parser = Parser(
        prog="xha-check",
        usage="xha-check [SUBCOMMAND] [OPTION ...]",
        description=DESCRIPTION,
        epilog="\n\n".join([*groups, _table("exit codes", EXIT_CODES), _MORE]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    return parser


def subcommand_exit_codes(subcommand: Subcommand) -> dict[int, str]:
    """Return what each exit code of a subcommand means, with what 3 means everywhere."""
    codes = subcommand.load().EXIT_CODES
    return {**codes, 3: "; ".join([*filter(None, [codes.get(3)]), "wrong usage, and --help"])}


def subcommand_parser(subcommand: Subcommand) -> Parser:
    """Return a subcommand's parser, with its help."""
    module = subcommand.load()
    codes = subcommand_exit_codes(subcommand)
    parser = Parser(
        prog=f"xha-check {subcommand.name}",
        description=module.DESCRIPTION,
        epilog="\n\n".join([_table("exit codes", codes), _table("examples", module.EXAMPLES)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_options(parser)
    return parser


def _table(title: str, rows: Mapping[Any, str], width: int = 0) -> str:
    from textwrap import fill

    width = width or max(len(str(left)) for left in rows)
    told = [
        fill(f"  {left!s:<{width}}  {text}", _WIDTH, subsequent_indent=" " * (width + 4)) for left, text in rows.items()
    ]
    return "\n".join([f"{title}:", *told])


def _no_subcommand(name: str) -> str:
    from difflib import get_close_matches

    meant = get_close_matches(name, SUBCOMMANDS, 1)
    if meant:
        return f"{name!r} is no subcommand: did you mean {meant[0]}?"
    return f"{name!r} is no subcommand: there are {', '.join(SUBCOMMANDS)}; another host is xha-check node HOST"


def _unrecognized(left: Sequence[str], parser: Parser) -> str:
    """Return what is wrong with the words that a subcommand's parser has left over, and what to say instead."""
    from ...core.text.escape import clean

    plain = f"unrecognized arguments: {clean(' '.join(left), 200)}"
    own = _options(parser)
    option = next((word.partition("=")[0] for word in left if word.startswith("--") and word != "--"), None)
    if option is None or option in own:  # behind `--`, where options are words
        return plain
    if option[2:] in MODES:
        return f"{plain}; {option} is a subcommand: xha-check {MODES[option[2:]]}"
    owners = [name for name, row in SUBCOMMANDS.items() if option in _options(subcommand_parser(row))]
    if owners:
        return f"{option} goes with {' or '.join(filter(None, [', '.join(owners[:-1]), owners[-1]]))}"
    from difflib import get_close_matches

    meant = get_close_matches(option, own, 1)
    return f"{plain}: did you mean {meant[0]}?" if meant else plain


def _options(parser: Parser) -> list[str]:
    return re.findall(r"--[a-z-]+", parser.format_usage())
