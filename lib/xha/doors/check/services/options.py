"""What `xha-check service` and `services` share: options, what is wanted, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....core.services.model.result import Level, parse_level
from ....core.text.durations import parse_duration
from ..options import add_config_option, add_output_options, argument

if TYPE_CHECKING:
    import argparse


class Wanted(NamedTuple):
    """Which services to check, and how. names empty: all. grace in seconds, None: as xha.conf has it."""

    names: tuple[str, ...] = ()
    level: Level | None = None
    grace: float | None = None
    config: str | None = None
    output: str = "text"


SERVICE_EXIT_CODES = {
    0: "every service is well, or is not meant to run here",
    1: "a warning, or the fault of something that a service depends on",
    2: "a service does not work, by its own fault",
    3: "a check could not look, or a section of xha.conf is wrong",
}


def add_service_options(parser: argparse.ArgumentParser) -> None:
    """Add how deep to look, what is forgiven, the forms of an answer, and where the configuration is."""
    levels = ", ".join(level.word for level in Level)
    parser.add_argument("--level", metavar="LEVEL", type=argument(parse_level), help=f"how deep to look: {levels}")
    parser.add_argument(
        "--grace",
        metavar="TIME",
        type=argument(parse_duration),
        help="so long after its process's start a service that fails is only a warning, as 180s",
    )
    add_config_option(parser)
    add_output_options(parser, "json", "nagios", "watch")


def read_wanted(said: argparse.Namespace, names: tuple[str, ...] = ()) -> Wanted:
    """Return what the options that add_service_options added want of these services, or of all."""
    return Wanted(names, said.level, said.grace, said.config, said.output)
