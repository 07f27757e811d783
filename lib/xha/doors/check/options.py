"""Command lines: what xha-check and xha-responder share, and Nagios's exit code for a wrong one."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ... import __version__
from ...core.node.verdict import NagiosCode
from ...core.text.values import parse_address, parse_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ...core.config.xha_conf import Config


class UsageError(Exception):
    """Options that are right each, and contradict each other; the text says which, and what to leave out."""


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return the formatter of the standard library, without its import of shutil and of four compression libraries."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 0
    return argparse.HelpFormatter(prog, width=(columns or 80) - 2)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help, version and usage errors exit 3 (Nagios plugin guidelines: UNKNOWN)."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **{"formatter_class": _formatter, **settings})

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit 3, whatever argparse would have chosen."""
        super().exit(NagiosCode.UNKNOWN, message)

    def error(self, message: str) -> NoReturn:
        """Say what was wrong, and where help is. The message begins with the program's name, without its subcommand."""
        program = self.prog.partition(" ")[0]
        self.exit(message=f"{program}: {message}; see {self.prog} --help\n")


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add --version."""
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")


def argument(parse: Callable[[str], object]) -> Callable[[str], object]:
    """Return a parser for an option's value that keeps its ValueError's own words."""

    def convert(text: str) -> object:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


@argument
def _non_empty(text: str) -> str:
    # `--host "$DB"` with nothing in DB must not look at another database than the one that was meant.
    if not text:
        raise ValueError("a value is missing")
    return text


_FORMS = {
    "json": "one JSON object (docs/schema-1.json)",
    "nagios": "one line with performance data",
    "watch": "look again and again, until Ctrl-C; exits as the last look does",
}


def add_output_options(parser: argparse.ArgumentParser, *forms: str) -> None:
    """Add the forms of an answer beside text: of json, nagios, watch. The namespace has the form as output, or text."""
    outputs = parser.add_argument_group("how to tell it").add_mutually_exclusive_group()
    for form in forms:
        outputs.add_argument(
            f"--{form}", dest="output", action="store_const", const=form, default="text", help=_FORMS[form]
        )


def add_config_option(parser: argparse._ActionsContainer) -> None:
    """Add where the configuration is."""
    parser.add_argument("--config", metavar="FILE", type=_non_empty, help="read this in place of /etc/xha/xha.conf")


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Add where the configuration and the database are."""
    group = parser.add_argument_group("the database, over what xha.conf and the option file say")
    add_config_option(group)
    group.add_argument("--defaults-file", metavar="FILE", type=_non_empty, help="MySQL option file with the account")
    group.add_argument("--socket", metavar="PATH", type=_non_empty, help="the server's unix socket")
    group.add_argument("--host", metavar="HOST", type=_non_empty, help="the server's host name or address")
    group.add_argument("--port", metavar="PORT", type=argument(parse_port), help="the server's TCP port")


class Options(NamedTuple):
    """The command line of a program that reads one database. None is "not said"."""

    config: str | None = None
    defaults_file: str | None = None
    socket: str | None = None
    host: str | None = None
    port: int | None = None
    listen: tuple[tuple[str, int], ...] = ()

    def apply(self, config: Config) -> Config:
        """Return the configuration with what the command line says on top."""
        database = config.database
        if self.socket:
            database = database._replace(socket=self.socket, host=None)
        elif self.host or self.port:
            database = database._replace(socket=None, host=self.host or database.host, port=self.port or database.port)
        if self.defaults_file:
            database = database._replace(defaults_file=self.defaults_file)
        return config._replace(database=database)


def database_options(namespace: argparse.Namespace, **more: Any) -> Options:
    """Return the options that add_database_options added."""
    said = {name: getattr(namespace, name) for name in ("config", "defaults_file", "socket", "host", "port")}
    return Options(**said, **more)


def one_database(namespace: argparse.Namespace) -> Options:
    """Return the options that add_database_options added. :raises UsageError: where they name two databases."""
    if (namespace.host or namespace.port) and namespace.socket:
        raise UsageError("a host or port and --socket exclude each other: the socket is always this host's")
    return database_options(namespace)


def responder_parser() -> Parser:
    """Return xha-responder's parser, with its help."""
    parser = Parser(
        prog="xha-responder",
        description="Answers HAProxy's health checks of a Galera node. systemd and xinetd hand it its socket; "
        "started by hand it needs --listen.",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        action="append",
        type=argument(parse_address),
        default=[],
        help="serve this address, as 0.0.0.0:49000 or [::]:49000; may be given several times",
    )
    add_database_options(parser)
    add_version(parser)
    return parser


def parse_responder_options(arguments: Sequence[str]) -> Options:
    """Parse xha-responder's command line. Exits 3 where it is wrong."""
    parser = responder_parser()
    namespace = parser.parse_args(list(arguments))
    if namespace.host and namespace.socket:
        parser.error("--host and --socket exclude each other: the socket is always this host's")
    return database_options(namespace, listen=tuple(namespace.listen))


def services_parser() -> Parser:
    """Return xha-services' parser, with its help."""
    parser = Parser(
        prog="xha-services", description="Checks the services of xha.conf for xha-responder's /service/NAME."
    )
    add_config_option(parser)
    add_version(parser)
    return parser
