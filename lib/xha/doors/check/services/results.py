"""Checking the services of this host once, and the table of what came of it."""

from __future__ import annotations

import socket
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from ....adapters.files.config_files import read_config
from ....adapters.process.daemons import is_there
from ....app.checks.fork_runner import job_of, load_checks, run_jobs
from ....core.services.catalogue import CATALOGUE
from ....core.services.model.result import Level, unknown
from ....core.services.settings import (
    ServiceFault,
    complete_service,
    default_service,
    find_service,
    list_names,
    parse_services,
)
from ....core.text.escape import clean
from ....core.text.values import ConfigError
from ...terminal.table import columns
from .screen import screen_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Union

    from ....core.config.xha_conf import Config
    from ....core.services.model.result import Result
    from ....core.services.settings import ServiceConfig
    from .options import Wanted

    Chosen = Union[ServiceConfig, ServiceFault]

# A terminal that scrolls needs no more compact form than this.
_LEAST_LINES = 24
HEADINGS = ("SERVICE", "LEVEL", "STATUS", "BLAME", "TIME", "MESSAGE", "PROVED")


def look(wanted: Wanted) -> list[Result]:
    """Check once and return the results in the catalogue's order. :raises ConfigError: where nothing can be checked."""
    return run_services(choose_services(wanted), wanted)


def run_services(chosen: Sequence[Chosen], wanted: Wanted) -> list[Result]:
    """Run the checks side by side and return the results in the services' order. Wrong sections are unknown."""
    level = Level.PROTOCOL if wanted.level is None else wanted.level
    found = {one.name: unknown(one.name, level, one.message) for one in chosen if isinstance(one, ServiceFault)}
    services = [one for one in chosen if not isinstance(one, ServiceFault)]
    jobs = [job_of(service, wanted.level, wanted.grace) for service in services]
    load_checks(jobs)
    found.update((service.name, result) for service, result in run_jobs(jobs))
    return [found[one.name] for one in chosen]


def choose_services(wanted: Wanted, seen: Collection[str] = ()) -> list[Chosen]:
    """Return the named services, or those configured and found here.

    seen: kinds that were found here before. They stay listed: a service that has died has no process to be found by.
    :raises ConfigError: for a name nobody knows.
    """
    config = read_config(wanted.config)
    if wanted.names:
        return [_named(name, config) for name in dict.fromkeys(wanted.names)]
    services, faults = parse_services(config)
    configured: list[Chosen] = [*services, *faults]
    said = {one.kind for one in configured} | {one.name for one in configured}
    found = [
        default_service(kind)
        for kind, row in CATALOGUE.items()
        if kind not in said and (kind in seen or is_there(row.process))
    ]
    chosen = [*configured, *(complete_service(one, config) for one in found)]
    if not chosen:
        raise ConfigError(
            f"no service is configured, and none was found on {socket.gethostname()}: name one by xha-check service, "
            "or write [service NAME] sections into xha.conf; xha-check list shows what there is"
        )
    order = [*CATALOGUE, ""]  # a wrong section may be of no kind
    return sorted(chosen, key=lambda one: order.index(one.kind))


def _named(name: str, config: Config) -> Chosen:
    service = find_service(name, config)
    if service is None:
        raise _no_such(name, list_names(config))
    return service


def require_kind(name: str) -> str:
    """Return the name of a kind of service. :raises ConfigError: with the one that may be meant, if there is none."""
    if name not in CATALOGUE:
        raise _no_such(name, tuple(CATALOGUE))
    return name


def _no_such(name: str, names: Sequence[str]) -> ConfigError:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    said = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return ConfigError(f"no service is called {clean(name)!r}: {said}; see xha-check list")


def result_lines(results: Sequence[Result]) -> list[str]:
    """Return the results for a terminal of its width, else as a table."""
    if sys.stdout.isatty():
        size = get_terminal_size()
        return screen_lines(results, size.columns, max(size.lines, _LEAST_LINES))
    return columns([HEADINGS, *(result_cells(result) for result in results)])


def result_cells(result: Result) -> tuple[str, ...]:
    """Return one result's cells, in the order of HEADINGS."""
    cells = (
        result.name,
        result.level.word,
        result.status.value,
        result.blame or "-",
        f"{result.duration_ms} ms",
        "-" if result.message == result.proved else result.message,
        result.proved,
    )
    # What another daemon has said must not move this terminal's cursor.
    return tuple(clean(cell, 1000) for cell in cells)
