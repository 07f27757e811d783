"""What xha-check was told by options before it had subcommands, as --cluster --explain, in the words of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import Parser, UsageError, add_config_option, add_database_options, add_version, one_database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

# Old option, without its dashes: the subcommand. A new subcommand gets none.
MODES = {
    "node": "node",
    "cluster": "cluster",
    "explain": "explain",
    "service": "service",
    "all": "services",
    "list": "list",
    "disable": "disable",
    "enable": "enable",
    "grant": "grant",
    "report": "report",
}
# These took --host, --socket and the like, and did nothing with them: a subcommand has its own options alone.
_WITHOUT_DATABASE = ("disable", "enable", "explain", "grant", "report")


def translate(arguments: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Return the subcommand, its operands, and all other arguments. Exits 3 where the modes exclude each other."""
    parser = Parser(prog="xha-check", add_help=False)
    add_version(parser)
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--node", nargs="?", const=True)
    modes.add_argument("--service", nargs="+")
    modes.add_argument("--grant")
    for mode in ("all", "list", "disable", "enable", "report"):
        modes.add_argument(f"--{mode}", action="store_true")
    for mode in ("cluster", "explain"):
        parser.add_argument(f"--{mode}", action="store_true")
    said, rest = parser.parse_known_args(arguments)
    mode = _mode(said, parser)
    value = getattr(said, mode)
    operands = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return MODES[mode], operands, _drop_ignored(mode, rest)


def _mode(said: argparse.Namespace, parser: Parser) -> str:
    single = [mode for mode in MODES if mode not in ("cluster", "explain") and getattr(said, mode) not in (None, False)]
    if said.explain:
        if single or not said.cluster:
            parser.error("--explain goes with --cluster alone; or say xha-check explain")
        return "explain"
    if not said.cluster:
        return single[0] if single else "node"
    if single and single[0] not in ("grant", "report"):  # these were thought to belong to --cluster, as --explain does
        parser.error(f"argument --cluster: not allowed with argument --{single[0]}")
    return single[0] if single else "cluster"


def _drop_ignored(mode: str, rest: list[str]) -> list[str]:
    parser = Parser(prog="xha-check", add_help=False)
    if mode == "list":
        add_config_option(parser)
        return parser.parse_known_args(rest)[1]
    if mode not in _WITHOUT_DATABASE:
        return rest
    add_database_options(parser)
    said, rest = parser.parse_known_args(rest)
    try:
        options = one_database(said)
    except UsageError as error:
        parser.error(str(error))
    return [f"--config={options.config}", *rest] if options.config and mode in ("disable", "enable") else rest
