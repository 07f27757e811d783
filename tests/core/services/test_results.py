"""The result of a check: exit codes, the answer to a load balancer, and every form in which it is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from xha.core.services.last_result import (
    Record,
    UnusableRecord,
    judge_record,
    next_record,
    parse_record,
    render_record,
    render_service_metrics,
)
from xha.core.services.model.report import render_nagios_services, services_document
from xha.core.services.model.result import (
    Level,
    Result,
    Status,
    cautioned,
    dependency,
    exit_code,
    failed,
    not_applicable,
    parse_level,
    parse_result,
    passed,
    unknown,
    worst_exit_code,
)
from xha.core.services.settings import default_service

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema-1.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NAME, DEEP = "keystone", Level.DEEP
DATABASE = dependency("mysql")

OK = passed(NAME, DEEP, "a login is refused")
CAUTION = cautioned(NAME, DEEP, "full")
DOWN = failed(NAME, DEEP, "refused")
BLAMELESS = failed(NAME, DEEP, "no answer", blame=DATABASE)
BLIND = unknown(NAME, DEEP, "needs an account")
ABSENT = not_applicable(NAME, DEEP, "not here")
LOUD = DOWN._replace(blame=DATABASE)  # a third party's check that calls a dependency's fault critical
EVERY = {
    "ok": (OK, 0),
    "a warning": (CAUTION, 1),
    "its own fault": (DOWN, 2),
    "a dependency's fault": (BLAMELESS, 1),
    "a dependency's fault, called critical": (LOUD, 1),
    "unknown": (BLIND, 3),
    "not applicable": (ABSENT, 0),
}
RESULTS = st.builds(
    Result,
    st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
    st.sampled_from(Level),
    st.sampled_from(Status),
    st.none() | st.just("self") | st.from_regex(r"\S{1,9}", fullmatch=True).map(dependency),
    st.text(max_size=40),
    st.text(max_size=40),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)


@pytest.mark.parametrize("case", EVERY)
def test_only_the_service_s_own_fault_is_critical(case: str) -> None:
    result, code = EVERY[case]
    assert exit_code(result) == worst_exit_code([result]) == code
    assert result.is_down == (code == 2)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], 3),
        ([OK, ABSENT], 0),
        ([OK, BLIND], 3),
        ([OK, BLIND, BLAMELESS], 1),
        ([BLIND, CAUTION, DOWN, OK], 2),
        ([BLIND, LOUD], 1),
    ],
)
def test_the_worst_of_several_is_2_then_1_then_3(results: list[Result], code: int) -> None:
    assert worst_exit_code(results) == code


def test_a_level_is_a_word_and_ocf_s_number() -> None:
    assert [(level.word, int(level)) for level in Level] == [("process", 0), ("protocol", 10), ("deep", 20)]
    assert [parse_level(level.word) for level in Level] == list(Level)
    with pytest.raises(ValueError, match="'Deep' is none of process, protocol, deep"):
        parse_level("Deep")


@pytest.mark.parametrize(
    ("results", "text"),
    [
        pytest.param([BLIND], "unknown 0 ms", id="nobody has ever looked: not in"),
        pytest.param([OK, BLIND, BLIND, BLIND, BLIND], "200 unknown 0 ms, before that in", id="in stays in"),
        pytest.param([DOWN, BLIND], "unknown 0 ms, before that out", id="out stays out"),
        pytest.param([OK, DOWN, DOWN, BLIND], "200 unknown 0 ms, before that in", id="not yet out stays in"),
        pytest.param([OK, DOWN, DOWN, BLIND, DOWN], "critical self 0 ms", id="the third failure counts after it"),
        pytest.param([OK, DOWN, DOWN, DOWN, BLIND, OK], "200 ok 0 ms", id="and comes back as it does otherwise"),
        pytest.param([ABSENT, BLIND], "unknown 0 ms, before that out", id="what need not be here is not in"),
        pytest.param([BLIND, DOWN], "critical self 0 ms", id="no earlier result that could look: down at once"),
    ],
)
def test_a_check_that_cannot_look_changes_nothing(results: list[Result], text: str) -> None:
    service = default_service(NAME)
    record: Record | None = None
    for result in results:
        record = parse_record(render_record(next_record(service, record, result, 5.0, 5.0)))
    standing = judge_record(service, record, 5.0)
    assert ("200 " if standing.is_available else "") + standing.text == text


def test_a_record_of_an_earlier_version_has_no_earlier_standing() -> None:
    document = json.loads(render_record(Record(BLIND, 5.0, 5.0)))
    del document["serves"]
    assert parse_record(json.dumps(document)).serves is None
    with pytest.raises(ValueError, match="serves"):
        parse_record(json.dumps({**document, "serves": "yes"}))


@given(RESULTS)
def test_a_result_comes_back_from_its_json(result: Result) -> None:
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    assert parse_result(document) == result
    VALIDATOR.validate({"schema": 1, "kind": "services", "services": [document]})
    record = Record(result, 12.5, 1.8e9, 2)
    assert parse_record(render_record(record)) == record
    VALIDATOR.validate({"schema": 1, "kind": "services", "services": [json.loads(render_record(record))]})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"at": None}, "at has a value that it cannot have"),
        ({"time": -1}, "time has a value that it cannot have"),
        ({"failing": 2.0}, "failing has a value that it cannot have"),
        ({"duration_ms": -1}, "duration_ms has a value that it cannot have"),
        ({"age_ms": 2**63}, "age_ms has a value that it cannot have"),
        ({"level": []}, "level has a value that it cannot have"),
        ({"status": {}}, "status has a value that it cannot have"),
        ({"message": 5}, "message has a value that it cannot have"),
        ({"blame": ["self"]}, "blame has a value that it cannot have"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_record_is_said_by_its_field(change: dict[str, Any], why: str) -> None:
    document = json.loads(render_record(Record(OK, 1.0, 2.0)))
    with pytest.raises(ValueError, match=why):
        parse_record(json.dumps({**document, **change}))
    del document[next(iter(change))]
    with pytest.raises(ValueError, match="is missing"):
        parse_record(json.dumps(document))
    with pytest.raises(ValueError, match="it is no object"):
        parse_record("null")


@given(st.text(max_size=60) | RESULTS.map(lambda one: json.dumps(one.document())))
def test_what_is_no_record_is_a_value_error(text: str) -> None:
    try:
        parse_record(text)
    except ValueError:
        return
    raise AssertionError(text)


def test_the_document_has_the_fields_of_the_schema_and_no_others() -> None:
    document = services_document([OK, DOWN])
    VALIDATOR.validate(document)
    assert (document["schema"], document["kind"]) == (1, "services")
    assert [set(one) for one in document["services"]] == [set(SCHEMA["$defs"]["service"]["properties"])] * 2
    assert not VALIDATOR.is_valid({**document, "services": [{**OK.document(), "blame": "them"}]})
    assert not VALIDATOR.is_valid({**document, "services": [{**OK.document(), "level": "20"}]})


@pytest.mark.parametrize("case", EVERY)
def test_one_service_s_nagios_line(case: str) -> None:
    result, code = EVERY[case]
    line = render_nagios_services([result._replace(message=f"{result.message} | x=1\n", duration_ms=12, age_ms=3)])
    assert line.startswith(f"SERVICE {['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'][code]}: keystone ")
    text, _, perfdata = line.partition(" | ")
    assert perfdata == "duration_ms=12 age_ms=3"
    assert "|" not in text
    assert line.isprintable()


def test_several_services_nagios_line_names_the_sick_and_times_all() -> None:
    line = render_nagios_services([OK._replace(duration_ms=5), BLAMELESS._replace(name="nova-api", duration_ms=7)])
    assert line == (
        "SERVICE WARNING: 1 of 2 are well, nova-api warning (dependency:mysql): no answer | "
        "'keystone_duration_ms'=5 'nova-api_duration_ms'=7"
    )


SERVICE = default_service(NAME)
assert (SERVICE.interval, SERVICE.fall) == (10.0, 3)


def record(result: Result, failing: int = 0) -> Record:
    return Record(result, 100.0, 1.8e9, failing)


@pytest.mark.parametrize(
    ("kept", "now", "standing"),
    [
        pytest.param(None, 100.0, (False, "stale", True), id="none yet"),
        pytest.param(record(OK), 100.25, (True, "ok 250 ms", True), id="ok"),
        pytest.param(record(OK), 130.0, (True, "ok 30000 ms", True), id="three intervals old"),
        pytest.param(record(OK), 130.1, (False, "stale", True), id="older"),
        pytest.param(record(CAUTION), 100.0, (True, "warning self 0 ms", True), id="a warning"),
        pytest.param(
            record(BLAMELESS), 100.0, (True, "warning dependency:mysql 0 ms", True), id="a dependency's fault"
        ),
        pytest.param(record(LOUD), 100.0, (True, "critical dependency:mysql 0 ms", True), id="and if it is critical"),
        pytest.param(record(DOWN, 1), 100.0, (True, "critical self 1/3 0 ms", True), id="down once"),
        pytest.param(record(DOWN, 2), 100.0, (True, "critical self 2/3 0 ms", True), id="down twice"),
        pytest.param(record(DOWN, 3), 100.0, (False, "critical self 0 ms", True), id="down `fall` times"),
        pytest.param(record(BLIND), 100.0, (False, "unknown 0 ms", True), id="unknown"),
        pytest.param(record(ABSENT), 100.0, (False, "not applicable", False), id="not applicable"),
        pytest.param(record(ABSENT), 999.0, (False, "stale", True), id="not applicable, once"),
        pytest.param(
            record(OK),
            99.9,
            (False, "unknown: its record cannot be used: at is in the future", True),
            id="from the future, where nothing grows old",
        ),
        pytest.param(
            UnusableRecord("at is\nodd"),
            100.0,
            (False, "unknown: its record cannot be used: at is odd", True),
            id="no record",
        ),
        pytest.param(
            record(OK._replace(status=Status.WARNING, blame="dependency:a\r\nb\x1b[31m" + "x" * 999)),
            100.0,
            (True, f"warning dependency:a  b [31m{'x' * 172} 0 ms", True),
            id="a blame of many lines",
        ),
    ],
)
def test_what_a_load_balancer_is_told(
    kept: Record | UnusableRecord | None, now: float, standing: tuple[bool, str, bool]
) -> None:
    assert judge_record(SERVICE, kept, now) == standing


def test_failures_are_counted_in_a_row_and_one_success_forgets_them() -> None:
    last: Record | None = None
    counts = []
    for result in (OK, DOWN, DOWN, BLAMELESS, DOWN, DOWN, DOWN, DOWN, OK):
        last = next_record(SERVICE, last, result, 0.0, 0.0)
        counts.append(last.failing)
    assert counts == [0, 1, 2, 0, 1, 2, 3, 3, 0]


def test_who_was_never_seen_to_work_has_no_credit() -> None:
    first = next_record(SERVICE, None, DOWN, 0.0, 0.0)
    assert not judge_record(SERVICE, first, 0.0).is_available
    assert next_record(SERVICE, first, DOWN, 0.0, 0.0).failing == SERVICE.fall


def test_metrics_carry_status_duration_and_last_run_of_each() -> None:
    others = default_service("memcached"), default_service("nova-api")
    odd = DOWN._replace(blame=dependency('a"b\\c\nd'), duration_ms=1500)
    text = render_service_metrics([(SERVICE, record(odd, 3)), (others[0], record(OK)), (others[1], None)], 101.0)
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert [(one.labels["service"], one.value) for one in families["xha_service_available"]] == [
        ("keystone", 1.0),
        ("memcached", 1.0),
        ("nova-api", 0.0),
    ]
    assert families["xha_service_status"][0].labels == {
        "service": "keystone",
        "level": "deep",
        "status": "critical",
        "blame": 'dependency:a"b\\c\nd',
    }
    assert families["xha_service_duration_seconds"][0].value == 1.5
    assert families["xha_service_last_run_timestamp_seconds"][0].value == 1.8e9
    assert len(families["xha_service_status"]) == 2
    assert render_service_metrics([], 0.0) == ""


@given(st.lists(RESULTS, max_size=4))
def test_no_result_breaks_a_line(results: list[Any]) -> None:
    line = render_nagios_services(results)
    assert line.isprintable()
    assert re.match(r"SERVICE (OK|WARNING|CRITICAL|UNKNOWN): ", line)
    pairs = [(SERVICE._replace(name=one.name), Record(one, 0.0, 0.0)) for one in results]
    assert len(list(text_string_to_metric_families(render_service_metrics(pairs, 0.0)))) in (0, 4)
