"""reload-agent: new values of reloadable parameters take effect without a restart of the server.

Pacemaker answers a failed reload with a stop and a start of the server (measured), so no error in a parameter makes
this action fail. A value that cannot be used leaves all stored settings unchanged and is a warning in the log. Until it
is corrected, monitor returns 190 and names it, and start names it too. Credentials that do not work are stored: monitor
reports what the server answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapters.files.agent_rundir import RunDir
from ...core.ocf.api import ExitCode, Finding
from ...core.ocf.galera_settings import BadParameter, merge_reloaded, parse_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.ocf.api import Instance


def reload_agent(environment: Mapping[str, str], instance: Instance) -> list[Finding]:
    """Store the parameters that may change while the server runs, and return warnings.

    The keeper reads the file when it changes.
    """
    run = RunDir(instance.name)
    try:
        wanted = parse_settings(environment)
    except BadParameter as error:
        return [Finding(ExitCode.SUCCESS, f"the settings stay as they were: {error.tell(instance.name)}")]
    running = run.read_settings()
    try:
        run.write_settings(merge_reloaded(running, wanted) if running else wanted)
    except OSError as error:
        why = (error.strerror or "unusable").lower()
        return [Finding(ExitCode.SUCCESS, f"{run.path}: {why}: the settings stay as they were")]
    return []
