"""Readings from a server's two listings: the names of every family, and no input that makes a reading fail."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import FAMILIES, GALERA, LISTINGS, UUID, listed, read_listing
from xha.core.galera.reading import (
    STATUS_NAMES,
    VARIABLE_NAMES,
    Reading,
    parse_flag,
    parse_read_only,
    parse_status,
    parse_variables,
    reading_values,
)
from xha.core.node.report import METRICS
from xha.core.node.verdict import Policy, judge
from xha.core.text.numbers import parse_float, parse_int


def test_what_is_shown_as_a_metric_is_read() -> None:
    assert set(METRICS) <= set(STATUS_NAMES + VARIABLE_NAMES)


def test_all_families_are_listed() -> None:
    mariadb = ["mariadb-10.11.txt", "mariadb-10.4.txt", "mariadb-11.4.txt", "mariadb-11.8.txt"]
    assert [*mariadb, "mysql-8.4.txt", "mysql-9.7.txt", "pxc-5.7.txt", "pxc-8.0.txt", "pxc-8.4.txt"] == FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_a_listing_says_where_it_comes_from(name: str) -> None:
    assert (LISTINGS / name).read_text().startswith(("# Recorded: ", "# Not recorded by xha: "))


@pytest.mark.parametrize("name", GALERA)
def test_a_healthy_node_of_every_family_is_synced(name: str) -> None:
    reading = listed(name)
    assert judge(reading, Policy()).code.value == "synced"
    assert reading.status.wsrep_cluster_state_uuid == UUID
    assert reading.status.wsrep_cluster_conf_id in (1, 3)
    assert isinstance(reading.status.wsrep_flow_control_paused, float)
    assert reading.status.threads_connected is not None
    assert reading.variables.max_connections is not None


@pytest.mark.parametrize("name", GALERA)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"wsrep_local_state": "2", "wsrep_desync_count": "1"}, "donor", id="donor, or a backup's lock"),
        pytest.param({"wsrep_local_state": "2", "wsrep_desync": "ON"}, "desynced", id="an operator's desync"),
        pytest.param({"wsrep_local_state": "3"}, "joined", id="joined"),
        pytest.param(
            {"wsrep_local_state": "1", "wsrep_ready": "OFF", "wsrep_cluster_status": "non-Primary"},
            "joining",
            id="a joiner that accepts connections",
        ),
        pytest.param(
            {
                "wsrep_local_state": "0",
                "wsrep_ready": "OFF",
                "wsrep_cluster_status": "non-Primary",
                "wsrep_cluster_conf_id": "18446744073709551615",
                "wsrep_local_index": "18446744073709551615",
            },
            "non-primary",
            id="a lost majority: counters at their maximum",
        ),
        pytest.param({"read_only": "ON"}, "read-only", id="read-only"),
        pytest.param({"wsrep_reject_queries": "ALL"}, "rejecting-queries", id="rejecting queries"),
    ],
)
def test_every_family_tells_its_states(name: str, changes: dict[str, str], code: str) -> None:
    assert judge(listed(name, **changes), Policy()).code.value == code


@pytest.mark.parametrize("name", [name for name in FAMILIES if name.startswith("pxc")])
@pytest.mark.parametrize("mode", ["MAINTENANCE", "SHUTDOWN"])
def test_only_percona_has_a_maintenance_mode(name: str, mode: str) -> None:
    assert judge(listed(name, pxc_maint_mode=mode), Policy()).code.value == "maintenance"


@pytest.mark.parametrize("name", ["pxc-8.0.txt", "pxc-8.4.txt"])
def test_pxc_8_has_no_global_wsrep_on(name: str) -> None:
    assert listed(name).variables.wsrep_on is None


@pytest.mark.parametrize("name", ["mysql-8.4.txt", "mysql-9.7.txt"])
def test_a_server_without_galera_has_none_of_its_names(name: str) -> None:
    reading = listed(name)
    assert reading.status.wsrep_local_state is None
    assert judge(reading, Policy()).code.value == "wsrep-off"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_name_that_a_family_sends_is_understood(name: str) -> None:
    status, variables = read_listing(name)
    values = reading_values(Reading(parse_status(status), parse_variables(variables)))
    sent = {key.lower(): value for key, value in status + variables if key.lower() in STATUS_NAMES + VARIABLE_NAMES}
    assert {key for key, value in values.items() if value is None} & set(sent) == set()
    # A name that no server sends would be invented.
    everybody = {key.lower() for one in FAMILIES for rows in read_listing(one) for key, _ in rows}
    assert set(STATUS_NAMES + VARIABLE_NAMES) <= everybody


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("ON", True),
        ("on", True),
        ("YES", True),
        ("1", True),
        ("true", True),
        ("OFF", False),
        ("false", False),
        ("0", False),
        ("", False),
        ("maybe", None),
    ],
)
def test_a_flag_is_on_or_off_or_unknown(text: str, flag: bool | None) -> None:
    assert parse_flag(text) is flag


@pytest.mark.parametrize(
    ("text", "read_only"), [("OFF", False), ("ON", True), ("NO_LOCK", True), ("NO_LOCK_NO_ADMIN", True), ("0", False)]
)
def test_every_word_for_read_only_but_off_is_read_only(text: str, read_only: bool) -> None:
    assert parse_read_only(text) is read_only


def test_names_are_lower_case_whatever_the_server_wrote() -> None:
    assert parse_status([("Threads_connected", "9"), ("WSREP_READY", "ON")])[-2:] == (9, None)
    assert parse_status([("WSREP_READY", "ON")]).wsrep_ready is True


NAMES = st.sampled_from((*STATUS_NAMES, *VARIABLE_NAMES, "else")) | st.text()
ROWS = st.lists(st.tuples(NAMES, st.text()), max_size=30)


@given(ROWS)
def test_no_listing_makes_a_reading_fail(rows: list[tuple[str, str]]) -> None:
    reading = Reading(parse_status(rows), parse_variables(rows))
    values = reading_values(reading)
    assert set(values) == {*STATUS_NAMES, *VARIABLE_NAMES, "probe_errno", "donor_evidence"}
    json.dumps(values, allow_nan=False)
    judge(reading, Policy())


@given(st.text())
def test_no_text_makes_a_value_fail(text: str) -> None:
    assert isinstance(parse_int(text), (int, type(None)))
    assert parse_flag(text) in (True, False, None)
    assert parse_read_only(text) in (True, False)
    number = parse_float(text)
    assert number is None or abs(number) < float("inf")
