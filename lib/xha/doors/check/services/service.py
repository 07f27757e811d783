"""xha-check service: the named services of this host, what each check proved, and whose fault it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import SERVICE_EXIT_CODES, Wanted, add_service_options, read_wanted

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Checks services of this host, each in a process of its own with a deadline, and
tells what was proved and whose fault it is. NAME is one of xha-check list, or
of a section [service NAME] of xha.conf. That section says where the service is.
"""
EXIT_CODES = SERVICE_EXIT_CODES
EXAMPLES = {
    "xha-check service keystone memcached --level deep": "two services, and what they depend on",
    "xha-check service rabbitmq --nagios": "one line for Nagios",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the services' names, and how to check them."""
    parser.add_argument("names", metavar="NAME", nargs="+", help="as keystone or rabbitmq")
    add_service_options(parser)


def read(said: argparse.Namespace) -> Wanted:
    """Return which services to check, and how."""
    return read_wanted(said, tuple(said.names))


def run(request: Wanted) -> int:
    """Check the services, print what came of it, and return the exit code."""
    from .check import check_services

    return check_services(request)
