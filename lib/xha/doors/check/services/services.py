"""xha-check --service, --all and --list: the services of this host, what each check proved, and whose fault it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ....core.node.verdict import NagiosCode
from ....core.services.catalogue import CATALOGUE
from ....core.services.model.report import render_nagios_services, services_document
from ....core.services.model.result import worst_exit_code
from .results import look, result_lines

if TYPE_CHECKING:
    from .options import Wanted


def check_services(wanted: Wanted) -> int:
    """Check the services, print what came of it, and return the exit code."""
    if wanted.listing:
        return list_services(wanted.output)
    if wanted.output == "watch":
        from .watch import watch_services

        return watch_services(wanted)
    results = look(wanted)
    if wanted.output == "json":
        print(json.dumps(services_document(results), indent=2))
    elif wanted.output == "nagios":
        print(render_nagios_services(results))
    else:
        print("\n".join(result_lines(results)))
    return worst_exit_code(results)


def list_services(output: str) -> int:
    """Print what can be checked, what each level proves and misses, and what it needs; return the exit code."""
    if output == "json":
        print(json.dumps({"schema": 1, "kind": "catalogue", "services": [_row(name) for name in CATALOGUE]}, indent=2))
        return NagiosCode.OK
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
    return NagiosCode.OK


def _row(name: str) -> dict[str, object]:
    row = CATALOGUE[name]
    levels = [{"level": level.word, **proof._asdict()} for level, proof in row.levels.items()]
    return {"name": name, "title": row.title, "default_level": row.default_level.word, "levels": levels}
