"""The dispatcher: OCF's exit codes, one exit reason, and never a traceback or a password in the output."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.conftest import Staged
from loopback.doors import CHECKOUT
from xha.adapters.files.agent_rundir import RunDir
from xha.core.ocf.api import ACTIONS, ExitCode, Instance, Outcome
from xha.core.ocf.galera_settings import PARAMETERS, SECRETS, Settings
from xha.doors.ocf import galera as actions

RESKEY = "OCF_RESKEY_"
PREFIX = "ocf-exit-reason:"
RECURRING = {f"{RESKEY}CRM_meta_interval": "10000"}
TOKEN = "gEhEiM7431"


def call(action: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit code and standard error."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        code = actions.main([action] if action else [], environment or {})
    return code, told.getvalue()


@pytest.fixture
def behind(
    monkeypatch: pytest.MonkeyPatch, run_base: Path
) -> Callable[[Callable[[Settings, Instance], Outcome]], None]:
    """Replace start, stop and monitor by a function; what is logged is discarded."""
    monkeypatch.setattr("syslog.syslog", lambda *_: None)

    def put(door: Callable[[Settings, Instance], Outcome]) -> None:
        monkeypatch.setattr(actions, "_door", lambda _: door)

    return put


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "migrate_to", "migrate_from", "recover", "x\ny", ""])
def test_what_is_not_implemented_is_3(action: str) -> None:
    code, told = call(action)
    assert code == 3
    assert told.startswith("usage: galera (start|stop|monitor|")
    assert told.count(PREFIX) == 1


@pytest.mark.parametrize("code", ExitCode)
def test_an_outcome_is_the_exit_code_and_the_reason(behind: Callable[..., None], code: ExitCode) -> None:
    behind(lambda *_: Outcome(code, "two  lines\nof it"))
    assert call("monitor") == (code, "" if code is ExitCode.SUCCESS else f"{PREFIX}two lines of it\n")


def test_other_accounts_words_in_a_reason_steer_no_terminal_and_begin_no_second_one(
    behind: Callable[..., None],
) -> None:
    """The executor uses the text after the last prefix; a server's error, or its file's name, is in that text."""
    behind(lambda *_: Outcome(ExitCode.GENERIC, f"it said \x1b]0;owned\x07\x1b[31m {PREFIX}all is well"))
    assert call("monitor") == (1, f"{PREFIX}it said ]0;owned [31m all is well\n")


def test_every_result_of_a_series_has_its_reason(behind: Callable[..., None]) -> None:
    """pcs status shows that of the first one that the executor tells the controller, and no agent hears which it is."""
    behind(lambda *_: Outcome(ExitCode.DEGRADED, "it waits"))
    assert [call("monitor", RECURRING) for _ in range(3)] == [(190, f"{PREFIX}it waits\n")] * 3


def test_a_stopped_resource_has_no_reason(behind: Callable[..., None]) -> None:
    behind(lambda *_: Outcome(ExitCode.NOT_RUNNING))
    assert call("monitor") == (7, "")


def test_the_executor_chooses_the_prefix(behind: Callable[..., None]) -> None:
    behind(lambda *_: Outcome(ExitCode.GENERIC, "why"))
    assert call("start", {"OCF_EXIT_REASON_PREFIX": "here>"}) == (1, "here>why\n")


def test_an_action_gets_the_settings_and_the_call(behind: Callable[..., None]) -> None:
    seen: list[tuple[Settings, Instance]] = []
    behind(lambda *said: seen.append(said) or Outcome(ExitCode.SUCCESS))
    call("stop", {"OCF_RESOURCE_INSTANCE": "db:1", f"{RESKEY}datadir": "/d", f"{RESKEY}CRM_meta_timeout": "9000"})
    assert seen == [(Settings(datadir="/d"), Instance("db", timeout=9.0))]


def boom(*_: object) -> Outcome:
    raise RuntimeError("the unforeseen")


def closed(*_: object) -> Outcome:
    raise PermissionError(13, "Permission denied", "/var/lib/mysql")


UNFORESEEN = [
    ("start", {}, boom, 1),
    ("start", {}, closed, 4),
    ("stop", {}, boom, 1),
    ("stop", {}, closed, 1),
    ("monitor", {}, boom, 1),
    # A failed check is no failed database.
    ("monitor", RECURRING, boom, 190),
]


@pytest.mark.parametrize(("action", "environment", "door", "code"), UNFORESEEN)
def test_what_nobody_thought_of_is_a_sentence(
    behind: Callable[..., None], action: str, environment: dict[str, str], door: Callable[..., Outcome], code: int
) -> None:
    behind(door)
    got, told = call(action, environment)
    assert got == code
    assert told.startswith(f"{PREFIX}{action}: ")
    assert len(told.splitlines()) == 1
    assert "log of xha-galera" in told or "permissions" in told


def test_the_traceback_goes_to_the_log(behind: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    behind(boom)
    monkeypatch.setattr("syslog.syslog", lambda _, line: logged.append(line))
    call("start", {f"{RESKEY}test_passwd": "unforeseen"})
    assert logged[0] == "Traceback (most recent call last):"
    assert logged[-1] == "RuntimeError: the ***"


def test_a_series_that_fails_of_the_same_logs_its_traceback_once(
    behind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    behind(boom)
    monkeypatch.setattr("syslog.syslog", lambda _, line: logged.append(line))
    results = {call("monitor", RECURRING) for _ in range(3)}
    assert [code for code, _ in results] == [190], results
    assert logged.count("RuntimeError: the unforeseen") == 1
    call("start")
    assert logged.count("RuntimeError: the unforeseen") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_action_with_a_reason(behind: Callable[..., None], number: signal.Signals) -> None:
    def interrupted(*_: object) -> Outcome:
        try:
            os.kill(os.getpid(), number)
        except Exception:  # what a careless action does
            return Outcome(ExitCode.SUCCESS)
        return Outcome(ExitCode.SUCCESS)

    behind(interrupted)
    before = signal.getsignal(signal.SIGTERM)
    code, told = call("stop")
    assert (code, signal.getsignal(signal.SIGTERM)) == (1, before)
    assert "stop was ended by a signal" in told


def test_the_keeper_is_no_action_of_pacemaker_s_and_tells_only_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    seen: list[Instance] = []
    monkeypatch.setattr("syslog.syslog", lambda _, line: logged.append(line))

    def keep(instance: Instance) -> int:
        seen.append(instance)
        raise RuntimeError("the unforeseen")

    monkeypatch.setitem(sys.modules, "xha.doors.ocf.keeper", SimpleNamespace(keep=keep))
    assert call("keeper", {"OCF_RESOURCE_INSTANCE": "db:1"}) == (1, "")
    assert [one.name for one in seen] == ["db"]
    assert logged[-1] == "RuntimeError: the unforeseen"
    assert "keeper" not in {one.name for one in ACTIONS}


BAD = {"OCF_RESOURCE_INSTANCE": "db", f"{RESKEY}start_wait": "soon", f"{RESKEY}datadir": "/new"}


def test_start_with_a_bad_parameter_starts_nothing(behind: Callable[..., None]) -> None:
    behind(boom)
    code, told = call("start", BAD)
    assert code == 5
    assert told.startswith(f"{PREFIX}start_wait: 'soon' is not a duration")
    assert "pcs resource update db start_wait=" in told


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("action", ["stop", "monitor"])
def test_what_runs_is_seen_and_stopped_by_its_old_settings(
    behind: Callable[..., None], action: str, stored: bool, run_base: Path
) -> None:
    if stored:
        RunDir("db").write_settings(Settings(datadir="/old"))
    seen: list[str] = []
    behind(lambda settings, _: seen.append(settings.datadir) or Outcome(ExitCode.NOT_RUNNING))
    assert call(action, BAD) == (7, "")
    assert seen == ["/old" if stored else "/new"]


def test_monitor_names_a_bad_parameter_of_a_server_that_runs(behind: Callable[..., None]) -> None:
    behind(lambda *_: Outcome(ExitCode.SUCCESS))
    code, told = call("monitor", BAD)
    assert code == 190
    assert "runs with its old settings: start_wait: " in told


def test_6_is_for_validate_all_alone(behind: Callable[..., None]) -> None:
    behind(lambda *_: Outcome(ExitCode.SUCCESS))
    codes = {one.name: call(one.name, BAD)[0] for one in ACTIONS if one.name != "meta-data"}
    assert codes == {"start": 5, "stop": 0, "monitor": 190, "reload-agent": 0, "validate-all": 6}


def test_a_name_that_is_none_is_said() -> None:
    code, told = call("monitor", {"OCF_RESOURCE_INSTANCE": "../../etc"})
    assert code == 1
    assert "is not a resource's name" in told


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
QUOTING = [
    lambda settings, _: Outcome(ExitCode.GENERIC, "failed"),
    lambda settings, _: int(settings.test_passwd),
    lambda settings, _: {}[settings.check_passwd],
    lambda settings, _: open(settings.test_passwd + settings.check_passwd),  # noqa: SIM115
]


@given(
    around=st.tuples(WORDS, WORDS),
    others=st.dictionaries(st.sampled_from([one.name for one in PARAMETERS if not one.secret]), WORDS),
    action=st.sampled_from(["start", "stop", "monitor", "validate-all"]),
    door=st.sampled_from(QUOTING),
)
def test_no_password_is_told_whatever_goes_wrong(
    around: tuple[str, str], others: dict[str, str], action: str, door: Callable[..., Outcome]
) -> None:
    secrets = dict.fromkeys(SECRETS, around[0] + TOKEN + around[1])
    environment = {RESKEY + name: value for name, value in {**others, **secrets}.items()}
    with pytest.MonkeyPatch.context() as patch:
        logged: list[str] = []
        patch.setattr(actions, "_door", lambda _: door)
        patch.setattr("syslog.syslog", lambda _, line: logged.append(line))
        _, told = call(action, environment)
    assert TOKEN not in told
    assert TOKEN not in "".join(logged)


def test_nobody_has_to_read_it() -> None:
    command = f'"{sys.executable}" -c "import sys; sys.path.insert(0, \'{CHECKOUT}/lib\'); '
    command += "from xha.doors.ocf.galera import main; sys.exit(main(['meta-data']))\" | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("closed_streams", [">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full"])
@pytest.mark.parametrize(("action", "code"), [("meta-data", 0), ("validate-all", 6), ("promote", 3)])
def test_closed_and_full_streams_change_no_code(staged: Staged, closed_streams: str, action: str, code: int) -> None:
    command = f'"$0" {action} {closed_streams}'
    done = subprocess.run(["sh", "-c", command, staged.path], env={f"{RESKEY}hang_grace": "x"}, check=False)
    assert done.returncode == code


def test_a_real_signal_ends_a_real_process() -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from xha.doors.ocf import galera as actions\n"
        "actions._door = lambda _: lambda *said: print('waits', flush=True) or time.sleep(30)\n"
        "sys.exit(actions.main(['start']))"
    )
    argv = [sys.executable, "-c", code, str(CHECKOUT / "lib")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert told.startswith(f"{PREFIX}start was ended by a signal")
