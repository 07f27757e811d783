"""What `start` makes of a keeper that says nothing within start_wait: slow while it lives, ended where it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.app.agent import start as module
from xha.app.keeper.process import Locked
from xha.core.ocf.api import ExitCode


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    monkeypatch.setattr(module, "_FIRST_WORD", 0.3)
    run = RunDir("db", str(tmp_path))
    run.make()
    return run


def judge(run: RunDir, launched: subprocess.Popen[bytes] | None) -> tuple[ExitCode, str]:
    outcome = module._judge_late(run, 0.0, launched)
    return outcome.code, outcome.reason


def test_its_process_is_there(run: RunDir) -> None:
    with subprocess.Popen(["sleep", "60"]) as launched:
        try:
            assert judge(run, launched) == (ExitCode.SUCCESS, "")
        finally:
            launched.kill()


def test_another_one_holds_the_lock(run: RunDir) -> None:
    with subprocess.Popen(["true"]) as launched, Locked(run):
        launched.wait()
        assert judge(run, launched) == (ExitCode.SUCCESS, "")


@pytest.mark.parametrize("began_one", [True, False], ids=["that this start began", "that was there before"])
def test_it_has_ended(run: RunDir, began_one: bool) -> None:
    launched = subprocess.Popen(["true"]) if began_one else None
    if launched is not None:
        launched.wait()
    code, reason = judge(run, launched)
    assert code is ExitCode.GENERIC
    assert "has ended without a word" in reason
