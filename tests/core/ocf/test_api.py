"""What Pacemaker's environment says about a call, and what the agent advertises."""

from __future__ import annotations

import pytest

from xha.core.ocf.api import ACTIONS, Instance, parse_instance

META = "OCF_RESKEY_CRM_meta_"
MONITOR = {
    "OCF_RESOURCE_INSTANCE": "p_mysql:2",
    "OCF_CHECK_LEVEL": "10",
    "OCF_RESKEY_crm_feature_set": "3.16.2",
    f"{META}on_node": "node1",
    f"{META}timeout": "30000",
    f"{META}interval": "61000",
}


def test_a_call_of_pacemaker() -> None:
    instance = parse_instance(MONITOR, "monitor")
    assert instance == Instance("p_mysql", "node1", 30.0, 61.0, 10, by_pacemaker=True)
    assert not instance.is_probe


def test_a_call_by_hand_has_what_is_advertised() -> None:
    assert parse_instance({}, "stop") == Instance(timeout=180.0)
    assert parse_instance({}, "monitor") == Instance(timeout=20.0)
    assert parse_instance({}, "monitor").is_probe


NAMES = [("p", "p"), ("p_mysql", "p_mysql"), ("a.b-c:0", "a.b-c"), ("a:12", "a"), ("", "default")]


@pytest.mark.parametrize(("said", "name"), NAMES)
def test_a_name(said: str, name: str) -> None:
    assert parse_instance({"OCF_RESOURCE_INSTANCE": said}, "start").name == name


@pytest.mark.parametrize("said", ["..", "../x", "/x", ".hidden", "a b", "a\n", "a:b", "a:1:2", "x" * 300])
def test_a_name_that_could_be_another_directory_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="OCF_RESOURCE_INSTANCE"):
        parse_instance({"OCF_RESOURCE_INSTANCE": said}, "start")


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "1e3", "²", "9" * 30])
def test_a_number_that_is_none_is_as_if_it_were_not_there(nonsense: str) -> None:
    said = dict.fromkeys(["OCF_CHECK_LEVEL", f"{META}timeout", f"{META}interval"], nonsense)
    assert parse_instance(said, "monitor") == Instance(timeout=20.0)


def test_the_actions_are_those_of_a_plain_clone() -> None:
    names = [one.name for one in ACTIONS]
    assert set(names) == {"start", "stop", "monitor", "reload-agent", "validate-all", "meta-data"}
    monitors = [(one.depth, one.interval) for one in ACTIONS if one.name == "monitor"]
    assert monitors == [(0, 10), (10, 61), (20, 307)]  # crmsh requires that every interval occurs once
