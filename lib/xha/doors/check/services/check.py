"""Checking the services that are wanted once, or again and again, and telling what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.services.model.result import worst_exit_code
from .results import look, result_lines

if TYPE_CHECKING:
    from .options import Wanted


def check_services(wanted: Wanted) -> int:
    """Check the services, print what came of it, and return the exit code."""
    if wanted.output == "watch":
        from .watch import watch_services

        return watch_services(wanted)
    results = look(wanted)
    if wanted.output == "json":
        import json

        from ....core.services.model.report import services_document

        print(json.dumps(services_document(results), indent=2))
    elif wanted.output == "nagios":
        from ....core.services.model.report import render_nagios_services

        print(render_nagios_services(results))
    else:
        print("\n".join(result_lines(results)))
    return worst_exit_code(results)
