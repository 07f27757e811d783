"""xha-check --service, --all and --list: the services of this host, what each check proved, and whose fault it is."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING

from ..adapters.daemons import is_there
from ..adapters.files.config_files import read_config
from ..core.escape import clean
from ..core.services.catalogue import CATALOGUE
from ..core.services.report import render_nagios_services, services_document
from ..core.services.result import Level, exit_code, unknown, worst_exit_code
from ..core.services.settings import (
    ServiceFault,
    complete_service,
    default_service,
    find_service,
    list_names,
    parse_services,
)
from ..core.values import ConfigError
from ..core.verdict import ExitCode
from .forks import job_of, load_checks, run_jobs
from .table import columns, paint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from ..core.config import Config
    from ..core.services.result import Result
    from ..core.services.settings import ServiceConfig
    from .services_options import Wanted

    Chosen = Union[ServiceConfig, ServiceFault]

HEADINGS = ("SERVICE", "LEVEL", "STATUS", "BLAME", "TIME", "PROVED", "MESSAGE")


def check_services(wanted: Wanted) -> int:
    """Check the services, print what came of it, and return the exit code."""
    if wanted.listing:
        return list_services(wanted.output)
    if wanted.output == "watch":
        from .services_watch import watch_services

        return watch_services(wanted)
    results = look(wanted)
    if wanted.output == "json":
        print(json.dumps(services_document(results), indent=2))
    elif wanted.output == "nagios":
        print(render_nagios_services(results))
    else:
        print("\n".join(result_lines(results)))
    return worst_exit_code(results)


def look(wanted: Wanted) -> list[Result]:
    """Check once and return the results in the catalogue's order. :raises ConfigError: where nothing can be checked."""
    return run_services(choose_services(wanted), wanted)


def run_services(chosen: Sequence[Chosen], wanted: Wanted) -> list[Result]:
    """Run the checks side by side and return the results in the services' order. Wrong sections are unknown."""
    level = Level.PROTOCOL if wanted.level is None else wanted.level
    found = {one.name: unknown(one.name, level, one.message) for one in chosen if isinstance(one, ServiceFault)}
    services = [one for one in chosen if not isinstance(one, ServiceFault)]
    load_checks(services)
    jobs = [job_of(service, wanted.level, wanted.grace) for service in services]
    found.update((service.name, result) for service, result in run_jobs(jobs))
    return [found[one.name] for one in chosen]


def choose_services(wanted: Wanted) -> list[Chosen]:
    """Return the named services, or those configured and found here. :raises ConfigError: for a name nobody knows."""
    config = read_config(wanted.config)
    if wanted.names:
        return [_named(name, config) for name in dict.fromkeys(wanted.names)]
    services, faults = parse_services(config)
    configured: list[Chosen] = [*services, *faults]
    said = {one.kind for one in configured} | {one.name for one in configured}
    found = [default_service(kind) for kind, row in CATALOGUE.items() if kind not in said and is_there(row.process)]
    chosen = [*configured, *(complete_service(one, config) for one in found)]
    if not chosen:
        raise ConfigError(
            f"no service is configured, and none was found on {socket.gethostname()}: name one with --service, or "
            "write [service NAME] sections into xha.conf; --list shows what there is"
        )
    order = [*CATALOGUE, ""]  # a wrong section may be of no kind
    return sorted(chosen, key=lambda one: order.index(one.kind))


def _named(name: str, config: Config) -> Chosen:
    service = find_service(name, config)
    if service is None:
        raise ConfigError(f"--service {clean(name)!r}: there are {', '.join(list_names(config))}")
    return service


def result_lines(results: Sequence[Result]) -> list[str]:
    """Return the results as a table, in colour on a terminal."""
    lines = columns([HEADINGS, *(result_cells(result) for result in results)])
    return [lines[0], *(paint(line, exit_code(one), sys.stdout) for line, one in zip(lines[1:], results))]


def result_cells(result: Result) -> tuple[str, ...]:
    """Return one result's cells, in the order of HEADINGS."""
    cells = (
        result.name,
        result.level.word,
        result.status.value,
        result.blame or "-",
        f"{result.duration_ms} ms",
        result.proved or "-",
        "" if result.message == result.proved else result.message,
    )
    # What another daemon has said must not move this terminal's cursor.
    return tuple(clean(cell, 1000) for cell in cells)


def list_services(output: str) -> int:
    """Print what can be checked, what each level proves and misses, and what it needs; return the exit code."""
    if output == "json":
        print(json.dumps({"schema": 1, "kind": "catalogue", "services": [_row(name) for name in CATALOGUE]}, indent=2))
        return ExitCode.OK
    for name, row in CATALOGUE.items():
        print(f"{name}: {row.title}")
        for level, proof in row.levels.items():
            mark = "*" if level is row.default_level else " "
            print(f"  {mark} {level.word:<8}  proves: {proof.proves}")
            if proof.misses:
                print(f"              misses: {proof.misses}")
            if proof.needs:
                print(f"              needs:  {proof.needs}")
    print("\n* the level without --level; xha.conf has [service NAME] sections for everything else (docs/services.md)")
    return ExitCode.OK


def _row(name: str) -> dict[str, object]:
    row = CATALOGUE[name]
    levels = [{"level": level.word, **proof._asdict()} for level, proof in row.levels.items()]
    return {"name": name, "title": row.title, "default_level": row.default_level.word, "levels": levels}
