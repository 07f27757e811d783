"""What monitor makes of a keeper that ends while monitor looks."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.app.agent import monitor as module
from xha.app.keeper.process import Locked
from xha.core.monitor.health import DatadirUse
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.ocf.api import ExitCode, Instance, Outcome
from xha.core.ocf.galera_settings import Settings


class Ending:
    """A keeper that has failed, and that holds its lock until monitor has found its process gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, followed: bool) -> None:
        self.run = RunDir("db")
        self.run.make()
        self.run.write_keeper_status(KeeperStatus(Phase.FAILED, "no such library", pid=7, started=8))
        self._followed, self._lock = followed, ExitStack()
        assert self._lock.enter_context(Locked(self.run))
        monkeypatch.setattr(module, "look", self.look)
        monkeypatch.setattr(module, "launch_keeper", lambda _: None)
        monkeypatch.setattr(module, "_find", lambda *_, **__: (None, DatadirUse.ABSENT, ""))

    def look(self, pid: int, started: int) -> SimpleNamespace | None:
        assert (pid, started) == (7, 8)
        if not self._followed:
            self._lock.close()
        return None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(datadir=str(tmp_path / "data"))


def test_nobody_is_about_to_start_what_a_keeper_gave_up_that_ended_just_now(
    run_base: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ending(monkeypatch, followed=False)
    assert module.monitor(settings, Instance("db")) == Outcome(ExitCode.NOT_RUNNING)


def test_a_keeper_that_follows_it_has_said_nothing_yet(
    run_base: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ending(monkeypatch, followed=True)
    assert module.monitor(settings, Instance("db")) == Outcome(ExitCode.DEGRADED, "about to start")
