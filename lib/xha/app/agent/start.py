"""start: launch the keeper, and wait a little for what it comes to. It waits for no other host."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...adapters.files.agent_rundir import RunDir
from ...adapters.mysqld.program import Unusable, find_program
from ...core.monitor.keeper_status import Phase
from ...core.ocf.api import ExitCode, Outcome
from ..keeper.process import Locked, find_keeper, launch_keeper
from .own_drain import end_own_drain

if TYPE_CHECKING:
    import subprocess

    from ...core.monitor.keeper_status import KeeperStatus
    from ...core.ocf.api import Instance
    from ...core.ocf.galera_settings import Settings

_TICK = 0.1
# A keeper needs this long to say its first word.
_FIRST_WORD = 5.0
# Nothing that this host could do ends these soon: they are states, which monitor tells, and no failures.
_PATIENT = (Phase.WAITING, Phase.REFUSING, Phase.HELD, Phase.UNKNOWN)


def start(settings: Settings, instance: Instance) -> Outcome:
    """Return 0 when the server is ready, when the keeper waits for others, or when start_wait is over and it lives."""
    try:
        find_program(settings)
    except Unusable as error:
        return Outcome(ExitCode.INSTALLED, str(error))
    run = RunDir(instance.name)
    run.make()
    end_own_drain(instance)
    run.write_settings(settings)
    begun = time.monotonic()
    while _is_giving_up(run) and time.monotonic() < begun + _FIRST_WORD:  # it ends, and the next one is to be launched
        time.sleep(_TICK)
    launched = launch_keeper(instance) if find_keeper(run) is None else None
    until = begun + min(settings.start_wait, instance.timeout / 2)
    while time.monotonic() < until:
        keeper_status = run.read_keeper_status()
        if keeper_status is not None and keeper_status.at >= begun:
            outcome = _judge(keeper_status)
            if outcome is not None:
                return outcome
        time.sleep(_TICK)
    return _judge_late(run, begun, launched)


def _is_giving_up(run: RunDir) -> bool:
    keeper_status = run.read_keeper_status()
    return keeper_status is not None and keeper_status.phase is Phase.FAILED and find_keeper(run) is not None


def _judge(keeper_status: KeeperStatus) -> Outcome | None:
    if keeper_status.ready:
        return Outcome(ExitCode.SUCCESS)
    if keeper_status.phase is Phase.FAILED:
        return Outcome(ExitCode.INSTALLED if keeper_status.permanent else ExitCode.GENERIC, keeper_status.reason)
    if keeper_status.phase is Phase.ENDED:
        return Outcome(ExitCode.GENERIC, keeper_status.reason)
    return (
        Outcome(ExitCode.SUCCESS)
        if keeper_status.phase in _PATIENT and keeper_status.at - keeper_status.since > 1.0
        else None
    )


def _judge_late(run: RunDir, begun: float, launched: subprocess.Popen[bytes] | None) -> Outcome:
    """Return the outcome where start_wait is over. launched: the keeper that this start began.

    One that has not said its first word is slow, and not ended, while its process is there or somebody holds its lock
    (measured at a load of 76: more than 5 s).
    """
    until = max(time.monotonic(), begun + _FIRST_WORD)
    while find_keeper(run) is None and _lives(run, launched) and time.monotonic() < until:
        time.sleep(_TICK)
    keeper_status = run.read_keeper_status()
    outcome = _judge(keeper_status) if keeper_status is not None and keeper_status.at >= begun else None
    if outcome is not None:
        return outcome
    if find_keeper(run) is not None or _lives(run, launched):
        return Outcome(ExitCode.SUCCESS)
    return Outcome(ExitCode.GENERIC, f"the keeper of {run.path} has ended without a word: see the log of xha-galera")


def _lives(run: RunDir, launched: subprocess.Popen[bytes] | None) -> bool:
    if launched is not None and launched.poll() is None:
        return True
    with Locked(run, make=False) as free:
        return not free
