"""xha-check services: every service of this host, what each check proved, and whose fault it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import SERVICE_EXIT_CODES, Wanted, add_service_options, read_wanted

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """\
Checks every service that is configured in xha.conf, or found on this host by
its process, each in a process of its own with a deadline, and tells what was
proved and whose fault it is. Where a service is stands in its section
[service NAME] of xha.conf.
"""
EXIT_CODES = SERVICE_EXIT_CODES
EXAMPLES = {
    "xha-check services": "a table of all",
    "xha-check services --watch": "again and again, until Ctrl-C",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add how to check the services."""
    add_service_options(parser)


def read(said: argparse.Namespace) -> Wanted:
    """Return how to check them."""
    return read_wanted(said)


def run(request: Wanted) -> int:
    """Check the services, print what came of it, and return the exit code."""
    from .check import check_services

    return check_services(request)
