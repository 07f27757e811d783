"""ocf:xha:galera's actions: which module does which, also with parameters that cannot be used."""

from __future__ import annotations

from ...core.ocf.api import ACTIONS, ExitCode, Instance, Outcome
from ...core.text.light_typing import TYPE_CHECKING
from .agent import Agent, Call, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    from ...core.ocf.galera_settings import BadParameter, Settings


_IN_PLACE_OF_A_PROBE = "well; a probe, as after a cleanup, leaves the history: this goes by itself within half a minute"


def main(argv: list[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Do what the first argument names, and return OCF's exit code."""
    return run(GALERA, argv, environ)


def _dispatch(call: Call) -> Outcome:
    if call.action == "validate-all":
        from ...app.agent.validate import validate
        from .findings import tell_findings

        return tell_findings(validate(call.environment, call.instance))
    if call.action == "reload-agent":
        from ...app.agent.reload import reload_agent
        from .findings import tell_findings

        return tell_findings(reload_agent(call.environment, call.instance))
    from ...core.ocf.galera_settings import parse_settings_leniently

    settings, bad = parse_settings_leniently(call.environment)
    outcome = _despite(call, settings, bad) if bad else _door(call.action)(settings, call.instance)
    if call.instance.replaces_probe and outcome.code is ExitCode.SUCCESS and not call.instance.is_probe:
        return Outcome(ExitCode.DEGRADED, _IN_PLACE_OF_A_PROBE) if call.action == "monitor" else outcome
    return outcome


def _despite(call: Call, settings: Settings, bad: tuple[BadParameter, ...]) -> Outcome:
    """Do what can be done with parameters that cannot be used: nothing is started, and what runs is seen and stopped.

    The settings that the last start or reload stored name the server that runs.
    """
    if call.action == "start":
        return Outcome(ExitCode.INSTALLED, bad[0].tell(call.instance.name))
    from ...adapters.files.agent_rundir import RunDir

    outcome = _door(call.action)(RunDir(call.instance.name).read_settings() or settings, call.instance)
    if call.action == "monitor" and outcome.code is ExitCode.SUCCESS:
        return Outcome(ExitCode.DEGRADED, f"runs with its old settings: {bad[0].tell(call.instance.name)}")
    return outcome


def _door(action: str) -> Callable[[Settings, Instance], Outcome]:
    if action == "start":
        from ...app.agent.start import start

        return start
    if action == "stop":
        from ...app.agent.stop import stop

        return stop
    from ...app.agent.monitor import monitor

    return monitor


GALERA = Agent(
    "galera",
    "Manages a node of a Galera cluster",
    ACTIONS,
    _dispatch,
    "galera_description",
    # What start, stop and monitor launch: this program again, in a session of its own. Not advertised.
    residents={"keeper": ("doors.ocf.keeper", "keep"), "sweep": ("app.agent.sweep", "sweep")},
)
