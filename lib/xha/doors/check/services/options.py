"""The part of xha-check's command line that is about services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....core.services.model.result import Level, parse_level
from ....core.text.durations import parse_duration
from ..options import argument

if TYPE_CHECKING:
    import argparse
    from typing import Any

MODES = ("service", "all", "list")


class Wanted(NamedTuple):
    """What the command line says of services. names empty: all. grace in seconds, None: as xha.conf has it."""

    names: tuple[str, ...] = ()
    level: Level | None = None
    grace: float | None = None
    config: str | None = None
    output: str = "text"
    listing: bool = False


def add_service_modes(modes: Any) -> None:
    """Add the modes: modes is the group of which exactly one is said."""
    modes.add_argument(
        "--service", metavar="NAME", nargs="+", help="check these services of this host, as keystone or rabbitmq"
    )
    modes.add_argument("--all", action="store_true", help="check every service that is configured, or found here")
    modes.add_argument("--list", action="store_true", help="say which services there are, and what each level proves")


def add_service_options(parser: argparse.ArgumentParser) -> None:
    """Add what goes with --service and --all."""
    group = parser.add_argument_group("with --service and --all")
    levels = ", ".join(level.word for level in Level)
    group.add_argument("--level", metavar="LEVEL", type=argument(parse_level), help=f"how deep to look: {levels}")
    group.add_argument(
        "--grace",
        metavar="TIME",
        type=argument(parse_duration),
        help="so long after its process's start a service that fails is only a warning, as 180s",
    )


def wanted_services(said: argparse.Namespace, output: str, parser: argparse.ArgumentParser) -> Wanted | None:
    """Return what the command line wants of services, None where it is about something else. Exits 3 if wrong."""
    mode = next((mode for mode in MODES if getattr(said, mode)), None)
    if mode not in ("service", "all") and (said.level is not None or said.grace is not None):
        parser.error("--level and --grace go with --service or --all")
    if mode is None:
        return None
    if any((said.host, said.port, said.socket, said.defaults_file)):
        parser.error("where a service is stands in [service NAME] of xha.conf: --host and the like go with --node")
    if said.until is not None or said.why is not None:
        parser.error("--until and --why go with --disable")
    if mode == "list" and output not in ("text", "json"):
        parser.error(f"--{output} goes with --service or --all")
    return Wanted(tuple(said.service or ()), said.level, said.grace, said.config, output, mode == "list")
