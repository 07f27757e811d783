"""reload-agent: its failure would stop and start every server, so it never fails."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from xha.adapters.files.agent_rundir import RunDir
from xha.core.ocf.galera_settings import Settings
from xha.doors.ocf import galera as actions

RUNNING = Settings(datadir="/data", test_user="old", test_passwd="old", start_wait=1.0)


def reload(**values: str) -> tuple[int, str]:
    environment = {"OCF_RESOURCE_INSTANCE": "db:0", **{f"OCF_RESKEY_{name}": value for name, value in values.items()}}
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        code = actions.main(["reload-agent"], environment)
    return code, told.getvalue()


@pytest.fixture
def run(run_base: Path) -> RunDir:
    run = RunDir("db")
    run.write_settings(RUNNING)
    return run


def test_new_credentials_are_stored_whether_they_work_or_not(run: RunDir) -> None:
    before = run.settings_signature()
    assert reload(datadir="/data", test_user="new", test_passwd="wrong", start_wait="1") == (0, "")
    assert run.read_settings() == RUNNING._replace(test_user="new", test_passwd="wrong")
    assert run.settings_signature() != before
    assert Path(run.file("settings.json")).stat().st_mode & 0o777 == 0o600


def test_what_needs_a_restart_stays_as_it_runs(run: RunDir) -> None:
    assert reload(datadir="/new", test_user="new") == (0, "")
    stored = run.read_settings()
    assert stored is not None
    assert (stored.datadir, stored.test_user) == ("/data", "new")


def test_a_value_that_cannot_be_used_leaves_all_as_it_was(run: RunDir) -> None:
    code, told = reload(datadir="/data", test_user="new", hang_grace="x")
    assert code == 0
    assert told.startswith("WARNING: the settings stay as they were: hang_grace: 'x' is not a duration")
    assert told.endswith("pcs resource update db hang_grace= brings its default back\n")
    assert run.read_settings() == RUNNING


def test_without_stored_settings_it_stores_them(run_base: Path) -> None:
    assert reload(test_user="new") == (0, "")
    assert RunDir("db").read_settings() == Settings(test_user="new")


def test_a_directory_that_cannot_be_written_is_a_warning(run_base: Path) -> None:
    run_base.parent.mkdir(parents=True)
    run_base.write_text("a file in the directory's place")
    code, told = reload(test_user="new")
    assert code == 0
    assert told.startswith(f"WARNING: {run_base}/db: ")
