"""The man pages of xha's programs and of xha.conf, made of the tables of --help and docs/configuration.md."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Callable, NamedTuple

from xha.core.text.roff import escape, header, paragraphs, term, text, title
from xha.doors import clustercheck
from xha.doors.check import command, options
from xha.doors.check.subcommands import GROUPS, SUBCOMMANDS

CHECKOUT = Path(__file__).resolve().parents[2]
VOLUME = "System administration"
TABLE = "| section | key | default | meaning |"
FILES = {
    "/etc/xha/xha.conf": "the configuration, xha.conf(5)",
    "/etc/xha/client.cnf": "a MySQL option file with the account and TLS",
}
# What each of clustercheck's arguments and variables is.
VARIABLES = {
    "MYSQL_USERNAME": "the account; an empty argument leaves it to the option file",
    "MYSQL_PASSWORD": "its password; ps shows an argument, and no option file",
    "AVAILABLE_WHEN_DONOR": "1 keeps donors and desynced nodes in service",
    "ERR_FILE": "where the reason is written if the check itself could not look",
    "AVAILABLE_WHEN_READONLY": "0 takes read-only nodes out of service",
    "DEFAULTS_EXTRA_FILE": "a MySQL option file with the account",
    "MYSQL_HOST": "the server's host, over the option files",
    "MYSQL_PORT": "its port, over the option files",
    "MYSQL_SERVER_USER": "the account that the server runs under",
}


class Edition(NamedTuple):
    """xha's version, and the date of its last change (YYYY-MM-DD)."""

    version: str
    date: str


def page(name: str, section: int, edition: Edition, short: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    made = '.\\" Made of the tables of xha by tools/words/programs.py; do not edit.'
    lines = [made, *header(name, section, edition.version, VOLUME, edition.date), *title(name, short), *body]
    return "\n".join(lines) + "\n"


def render_options(parser: argparse.ArgumentParser) -> list[str]:
    """Return a term for each operand and option, without those that every program has."""
    lines = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or action.dest in ("help", "version"):
            continue
        shown = action.metavar or action.dest.upper()
        names = ", ".join(action.option_strings)
        takes = action.option_strings and action.nargs != 0
        lines += term("B", f"{names} {shown}" if takes else names or str(shown), action.help or "")
    return lines


def synopsis(parser: argparse.ArgumentParser) -> list[str]:
    """Return a command line with all of a parser's operands and options, on lines that roff fills."""
    usage = parser.format_usage().partition(" ")[2].split()
    words = " ".join(usage).replace(" [-h]", "").replace(" [--version]", "")
    return [".PP", *text(words)]


def render_codes(codes: dict[int, str]) -> list[str]:
    return [line for code, meaning in sorted(codes.items()) for line in term("B", str(code), meaning)]


def render_files(more: dict[str, str] | None = None) -> list[str]:
    return [".SH FILES", *(line for path, told in {**FILES, **(more or {})}.items() for line in term("I", path, told))]


def xha_check(edition: Edition) -> str:
    lines = [".SH SYNOPSIS", ".B xha\\-check", ".RI [ SUBCOMMAND ]", ".RI [ OPTION \\&...]"]
    lines += [".SH DESCRIPTION", *text(command.DESCRIPTION)]
    lines += [".SH SUBCOMMANDS"]
    for heading, rows in GROUPS.items():
        lines += [f'.SS "{escape(heading[0].upper() + heading[1:])}"']
        lines += [line for row in rows for line in term("B", row.name, row.summary)]
    lines += [".SH OPTIONS AND EXIT CODES OF EACH SUBCOMMAND"]
    for row in SUBCOMMANDS.values():
        module = row.load()
        parser = command.subcommand_parser(row)
        lines += [f".SS {escape(row.name)}", *text(module.DESCRIPTION), *synopsis(parser), *render_options(parser)]
        lines += [".PP", "Exit codes:", *render_codes(command.subcommand_exit_codes(row))]
    lines += [".SH EXIT STATUS", *render_codes(dict(command.EXIT_CODES))]
    lines += render_files({"/etc/xha/disabled": "written by disable", "/run/xha/drain": "written by drain"})
    examples = {line: told for row in SUBCOMMANDS.values() for line, told in row.load().EXAMPLES.items()}
    lines += [".SH EXAMPLES", *(line for shown, told in examples.items() for line in term("B", shown, told))]
    lines += [".SH SEE ALSO", *text("xha.conf(5), xha-responder(8), xha-services(8), clustercheck(8)")]
    return page("xha-check", 8, edition, "health of a Galera node, its cluster and a host's services", lines)


def resident(name: str, short: str, more: Iterable[str], see: str) -> Callable[[Edition], str]:
    """Return what renders the page of a program that stays."""

    def render(edition: Edition) -> str:
        parser = getattr(options, f"{name.partition('-')[2]}_parser")()
        lines = [".SH SYNOPSIS", *synopsis(parser)[1:], ".SH DESCRIPTION", *paragraphs([parser.description, *more])]
        lines += [".SH OPTIONS", *render_options(parser), *render_files(), ".SH SEE ALSO", *text(see)]
        return page(name, 8, edition, short, lines)

    return render


RESPONDER = (
    "It is resident. Exactly one of systemd and xinetd starts it: systemctl enable --now xha-responder.socket, or "
    "disable = no in /etc/xinetd.d/xha.",
    "On port 49000 it answers 200 or 503: / as clustercheck does, /ready with the reason, /live while the server need "
    "not be repaired, /node as JSON, /metrics for Prometheus, and /service/NAME for what xha-services has found.",
    "It reads xha.conf anew whenever that changes. SIGTERM ends it.",
)
SERVICES = (
    "It is resident, and systemctl enable --now xha-services starts it. Each check is a child process with a deadline. "
    "The results are files below /run/xha/services, where xha-responder reads them.",
    "It reads xha.conf anew whenever that changes. SIGTERM ends it.",
)


def clustercheck_page(edition: Edition) -> str:
    usage = " ".join(clustercheck.USAGE.format(program="clustercheck").partition(": ")[2].split())
    lines = [".SH SYNOPSIS", *text(usage), ".SH DESCRIPTION"]
    lines += paragraphs(
        (
            "A drop-in replacement for percona-clustercheck: its arguments, variables, files and bytes. It prints an "
            "HTTP answer, 200 for a node in service and 503 for any other, to standard output or to the connection "
            "that xinetd left. The decision is that of xha-check node, which is stricter than the original.",
            "An argument takes precedence over the environment, that over /etc/sysconfig/clustercheck and "
            "/etc/default/clustercheck, and those over the default. xha.conf is not read.",
        )
    )
    lines += [".SH ARGUMENTS AND VARIABLES", *text("The first six are the arguments, in this order.")]
    for name, default in clustercheck.DEFAULTS.items():
        kept = default if name != "MYSQL_PASSWORD" else "that of the original"
        lines += term("B", name, f"{VARIABLES[name]} (default {kept})" if kept else VARIABLES[name])
    lines += [".SH EXIT STATUS", *term("B", "0", "the answer is 200"), *term("B", "1", "the answer is 503")]
    lines += [".SH FILES"]
    lines += [*term("I", "/etc/xha/disabled", "while it is there the answer is 503")]
    lines += [*term("I", "/var/tmp/clustercheck.disabled", "the same, as the original has it")]
    lines += [".SH SEE ALSO", *text("xha-check(8), xha-responder(8)")]
    return page("clustercheck", 8, edition, "answers whether a Galera node may have traffic, over HTTP", lines)


def find_table() -> list[list[str]]:
    """Return the rows of the one table of the documents that has all keys of xha.conf, in plain text."""
    pages = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    found = [text for text in (one.read_text(encoding="utf-8") for one in pages) if TABLE in text]
    if len(found) != 1:
        raise SystemExit(f"manpage: {len(found)} documents have the table {TABLE}, which xha.conf(5) is made of")
    rows = found[0].partition(TABLE)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def xha_conf(edition: Edition) -> str:
    lines = [".SH SYNOPSIS", ".I /etc/xha/xha.conf", ".SH DESCRIPTION"]
    lines += paragraphs(
        (
            "The configuration of xha-check, xha-responder and xha-services: sections of lines key = value. The "
            "command line takes precedence over the file, and the file over the defaults. A wrong key or value is an "
            "error that names file, section and key. The file is read again whenever it changes.",
            "Durations are written 100ms, 1s, 2h. Accounts and passwords are not in this file, but in the option file "
            "that defaults_file names.",
        )
    )
    section = ""
    for named, key, default, meaning in find_table():
        if named and named != section:
            section = named
            lines += [f".SH THE SECTION [{section.upper()}]"]
        keys, defaults = key.split(", "), default.split(", ")
        for one, its in zip(keys, defaults if len(defaults) == len(keys) else [default] * len(keys)):
            lines += term("B", one, f"{meaning} (default {its})" if its else meaning)
    lines += [".SH THE SECTIONS [SERVICE NAME]"]
    lines += text(
        "A section for each service that xha-check service, xha-services and ocf:xha:service look at, as [service "
        "keystone]. xha-check list NAME shows the keys of a service; services.md beside README.md explains them."
    )
    lines += [".SH SEE ALSO", *text("xha-check(8), xha-responder(8), xha-services(8)")]
    return page("xha.conf", 5, edition, "configuration of xha", lines)


PAGES: dict[str, Callable[[Edition], str]] = {
    "xha-check": xha_check,
    "xha-responder": resident(
        "xha-responder",
        "answers HAProxy whether a Galera node may have traffic",
        RESPONDER,
        "xha.conf(5), xha-check(8)",
    ),
    "xha-services": resident(
        "xha-services", "checks the services of a host repeatedly", SERVICES, "xha.conf(5), xha-responder(8)"
    ),
    "clustercheck": clustercheck_page,
    "xha.conf": xha_conf,
}
