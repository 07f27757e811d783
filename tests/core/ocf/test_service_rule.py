"""ocf:xha:service: each fault of the service fails once, and a dependency's fault leaves the attribute at 1."""

from __future__ import annotations

import pytest

from xha.core.ocf.api import RESKEY, ExitCode
from xha.core.ocf.service_parameters import ACTIONS, WatchSettings, parse_watch_settings
from xha.core.ocf.service_rule import ServiceLook, Watch, is_calm, judge_look, parse_watch, render_watch, take_look
from xha.core.services.model.result import Level, Result, cautioned, failed, not_applicable, passed, unknown
from xha.core.services.settings import default_service

NAME = "memcached"
SERVICE = default_service(NAME)._replace(fall=3)
PROCESS, PROTOCOL, DEEP = Level
NEW = Watch("xha-service-memcached")


def well(level: Level = PROTOCOL) -> Result:
    return passed(NAME, level, "it answers")


def broken(level: Level = PROTOCOL) -> Result:
    return failed(NAME, level, "no answer")


def at_dependency(level: Level = PROTOCOL) -> Result:
    return failed(NAME, level, "no database", blame="dependency:mysql")


class Course:
    """Successive looks, 10 s apart, at a service whose resource is started."""

    def __init__(self, watch: Watch = NEW) -> None:
        self.watch, self.now = watch, 0.0

    def look(self, result: Result, *, present: bool = True, is_probe: bool = False, lasts: float = 50.0) -> int:
        """The exit code of a monitor that sees this."""
        look = ServiceLook(result, present, self.now, 0.0, lasts)
        code = judge_look(self.watch, SERVICE, look, is_probe=is_probe).code
        self.watch = take_look(self.watch, SERVICE, look)
        self.now += 10
        return int(code)

    @property
    def told(self) -> tuple[str, str]:
        """The two attributes."""
        return self.watch.value, self.watch.blame


def judged(result: Result, present: bool, watch: Watch | None = None) -> ExitCode:
    return judge_look(watch, SERVICE, ServiceLook(result, present, 0.0, 0.0, 50.0), is_probe=True).code


def test_a_probe_where_nothing_is_started() -> None:
    assert judged(well(), True) is ExitCode.SUCCESS
    assert judged(broken(PROCESS), False) is ExitCode.NOT_RUNNING
    assert judged(not_applicable(NAME, PROCESS, "need not be here"), False) is ExitCode.NOT_RUNNING
    assert judged(broken(), True) is ExitCode.GENERIC
    assert judged(at_dependency(), True) is ExitCode.DEGRADED


@pytest.mark.parametrize("result", [well(), broken(), at_dependency(), unknown(NAME, PROTOCOL, "needs an account")])
@pytest.mark.parametrize("watch", [None, NEW, NEW._replace(told=True, value="0")])
def test_7_only_where_there_is_no_process(result: Result, watch: Watch | None) -> None:
    assert judged(result, True, watch) is not ExitCode.NOT_RUNNING


def test_a_fault_of_its_own_counts_after_fall_results_and_fails_once() -> None:
    course = Course()
    assert (course.look(well()), course.told) == (0, ("1", ""))
    assert (course.look(broken()), course.told) == (190, ("1", ""))
    assert (course.look(broken()), course.told) == (190, ("1", ""))
    assert (course.look(broken()), course.told) == (1, ("0", "self"))
    assert [course.look(broken()) for _ in range(3)] == [190] * 3
    assert (course.look(well()), course.told) == (0, ("1", ""))
    assert [course.look(broken()) for _ in range(4)] == [190, 190, 1, 190]


def test_a_process_that_is_gone_counts_at_once_and_is_7_once() -> None:
    course = Course()
    course.look(well(PROCESS))
    assert (course.look(broken(PROCESS), present=False), course.told) == (7, ("0", "self"))
    assert course.look(broken(PROCESS), present=False) == 190
    assert course.look(broken(PROCESS), present=False, is_probe=True) == 7
    assert (course.look(well(PROCESS)), course.told) == (0, ("1", ""))


def test_who_was_never_seen_to_work_has_no_credit() -> None:
    course = Course()
    assert (course.look(broken()), course.told) == (1, ("0", "self"))


def test_what_start_has_seen_is_no_failure_again() -> None:
    look = ServiceLook(broken(), True, 0.0, 0.0, 50.0)
    course = Course(take_look(NEW, SERVICE, look))
    assert (course.look(broken()), course.told) == (190, ("0", "self"))


def test_a_dependency_s_fault_is_no_failure_and_leaves_the_attribute_at_1() -> None:
    course = Course()
    assert course.look(well()) == 0
    for _ in range(5):
        assert (course.look(at_dependency()), course.told) == (190, ("1", "dependency:mysql"))
    assert (course.look(well()), course.told) == (0, ("1", ""))


def test_a_warning_is_degraded_and_in_service() -> None:
    course = Course()
    assert (course.look(cautioned(NAME, PROTOCOL, "nearly full")), course.told) == (190, ("1", ""))


def test_who_may_not_look_changes_nothing() -> None:
    course = Course()
    assert (course.look(unknown(NAME, DEEP, "needs an account")), course.told) == (190, ("", ""))
    course.look(well(PROTOCOL))
    assert (course.look(unknown(NAME, DEEP, "needs an account")), course.told) == (190, ("1", ""))
    course = Course(NEW._replace(value="0"))
    assert (course.look(unknown(NAME, DEEP, "needs an account")), course.told) == (190, ("0", ""))


def test_a_shallow_look_does_not_hide_what_a_deep_one_has_found() -> None:
    course = Course()
    assert course.look(broken(DEEP)) == 1
    assert (course.look(well(PROCESS)), course.told) == (0, ("0", "self"))
    assert (course.look(well(DEEP)), course.told) == (0, ("1", ""))


def test_a_level_that_is_no_longer_looked_at_counts_no_more() -> None:
    course = Course()
    course.look(broken(DEEP), lasts=15)
    assert (course.look(well(PROCESS)), course.told) == (0, ("0", "self"))
    assert (course.look(well(PROCESS)), course.told) == (0, ("1", ""))


def test_what_need_not_be_here_is_no_fault_and_no_place() -> None:
    course = Course()
    assert course.look(not_applicable(NAME, PROCESS, "runs elsewhere"), present=False) == 0
    assert course.told == ("0", "")


def test_calm_is_when_no_level_has_anything_to_say() -> None:
    course = Course()
    course.look(at_dependency(DEEP))
    course.look(well(PROCESS))
    assert not is_calm(course.watch)
    course.look(well(DEEP))
    assert is_calm(course.watch)


@pytest.mark.parametrize("message", ["x\ny", "\x1b[31m", "long " * 200])
def test_a_reason_is_one_line_and_names_the_next_step(message: str) -> None:
    look = ServiceLook(failed(NAME, DEEP, message), True, 0.0, 0.0, 50.0)
    reason = judge_look(NEW, SERVICE, look, is_probe=False).reason
    assert reason.isprintable()
    assert len(reason) < 400
    assert "xha-check service memcached --level deep" in reason


def test_what_is_remembered_is_read_back() -> None:
    course = Course()
    course.look(broken(DEEP))
    course.look(well(PROCESS))
    assert parse_watch(render_watch(course.watch)) == course.watch


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "x": 1}'])
def test_a_torn_file_is_nothing(text: str) -> None:
    assert parse_watch(text) is None


def test_the_parameters() -> None:
    said = {"name": "keystone", "grace": "180", "fall": "2", "config": "/x.conf"}
    settings, bad = parse_watch_settings({RESKEY + name: value for name, value in said.items()})
    assert (settings, bad) == (WatchSettings("keystone", "/x.conf", "", 180.0, 2), ())
    assert settings.attribute_name == "xha-service-keystone"


def test_the_default_file_may_be_absent() -> None:
    assert parse_watch_settings({f"{RESKEY}name": "x", f"{RESKEY}config": "/etc/xha/xha.conf"})[0].config is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "../x"),
        ("name", "A"),
        ("attribute", "a b"),
        ("fall", "0"),
        ("grace", "x"),
        ("config", "x"),
    ],
)
def test_what_cannot_be_used(name: str, value: str) -> None:
    _, bad = parse_watch_settings({f"{RESKEY}name": "keystone", RESKEY + name: value})
    assert [one.name for one in bad] == [name]
    assert f"pcs resource update RESOURCE {name}=" in str(bad[0])


def test_every_interval_is_there_once_because_crmsh_wants_that() -> None:
    monitors = [(one.depth, one.interval) for one in ACTIONS if one.name == "monitor"]
    assert monitors == [(0, 10), (10, 13), (20, 61)]
