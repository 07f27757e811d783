"""Which past results Pacemaker is made to forget, and by which change of the configuration."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.ocf.api import parse_instance
from xha.core.pacemaker.past_results import (
    MonitorOperation,
    PastResult,
    choose_changes,
    find_monitors,
    find_pending_monitor,
    find_unended_monitor,
    parse_monitors,
    parse_past_result,
)

ENTRY = '<lrm_rsc_op id="db_last_failure_0" rc-code="{rc}" interval="{interval}" call-id="8" last-rc-change="1700"/>'
DEGRADED = PastResult("8-1700", is_probe=False)
PROBED = PastResult("probe-8-1700", is_probe=True)
MONITORS = (
    '<op id="a" name="monitor" interval="10s"/>',
    '<op id="b" name="monitor" interval="PT1M"><instance_attributes id="own">'
    '<nvpair id="p" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op>',
)


@pytest.mark.parametrize(
    ("rc", "interval", "past"),
    [
        pytest.param(190, 10000, DEGRADED, id="a recurring monitor said degraded"),
        pytest.param(0, 0, PROBED, id="a probe found the server"),
        pytest.param(190, 0, PROBED, id="a probe found it degraded"),
    ],
)
def test_an_entry_is_told_from_every_other(rc: int, interval: int, past: PastResult) -> None:
    assert parse_past_result(ENTRY.format(rc=rc, interval=interval)) == past


def test_of_two_entries_the_first_counts() -> None:
    both = ENTRY.format(rc=190, interval=10000) + ENTRY.format(rc=0, interval=0)
    assert parse_past_result(f"<xpath-query>{both}</xpath-query>") == DEGRADED


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(MONITORS[0], ["a"], id="one"),
        pytest.param(f"<xpath-query>{''.join(MONITORS)}</xpath-query>", ["a", "b"], id="two"),
        pytest.param('<op id="a" name="monitor" interval="0"/>', [], id="what is done once is none"),
        pytest.param('<op id="a" name="monitor" interval="0s"/>', [], id="nor with a unit"),
        pytest.param('<op id="a" name="monitor"/>', [], id="nor without an interval"),
        pytest.param("<none/>", [], id="none"),
    ],
)
def test_the_recurring_monitors_are_changed(text: str, names: list[str]) -> None:
    assert [one.id for one in parse_monitors(text)] == names


@pytest.mark.parametrize("text", ["", "<op", "\ud800"])
def test_another_text_is_an_error(text: str) -> None:
    for parse in (parse_past_result, parse_monitors):
        with pytest.raises(ValueError, match="not Pacemaker's answer"):
            parse(text)


def test_an_answer_without_an_entry_is_an_error() -> None:
    with pytest.raises(ValueError, match="no entry of a history"):
        parse_past_result("<xpath-query/>")


def test_each_result_is_written_once() -> None:
    monitors = parse_monitors(MONITORS[0])
    (change,) = choose_changes(DEGRADED, "h1", monitors)
    written = parse_monitors(change.replace("<op ", '<op interval="10s" '))
    assert choose_changes(DEGRADED, "h1", written) == ()
    assert len(choose_changes(DEGRADED, "h2", written)) == 1
    assert len(choose_changes(DEGRADED._replace(stamp="9-1800"), "h1", written)) == 1
    assert choose_changes(DEGRADED, "h1", ()) == ()


names = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@given(names, names, names)
def test_whatever_the_names_are_the_change_says_them(operation: str, node: str, stamp: str) -> None:
    (change,) = choose_changes(PastResult(stamp, is_probe=False), node, [MonitorOperation(operation, {})])
    element = ElementTree.fromstring(change)
    pair = element.find("instance_attributes/nvpair")
    assert element.get("id") == operation
    assert pair is not None
    assert (pair.get("name"), pair.get("value")) == (f"xha_forget_{node}", stamp)
    only = element.find("instance_attributes/rule/expression")
    assert only is not None
    assert [only.get(word) for word in ("attribute", "operation", "value")] == ["#uname", "eq", node]
    ids = [one.get("id") for one in element.iter()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("name", "value", "asked"),
    [
        pytest.param("xha_forget_h1", PROBED.stamp, True, id="a probe on this node"),
        pytest.param("xha_forget_h2", PROBED.stamp, False, id="a probe on another node"),
        pytest.param("xha_forget_h1", DEGRADED.stamp, False, id="a degraded result"),
        pytest.param("xha_forget_h1", "", False, id="nothing"),
    ],
)
def test_the_monitor_after_a_probe_is_asked_for_a_degraded_result(name: str, value: str, asked: bool) -> None:
    environment = {"OCF_RESKEY_CRM_meta_on_node": "h1", f"OCF_RESKEY_{name}": value}
    assert parse_instance(environment, "monitor").replaces_probe is asked


def test_monitors_of_a_template_are_its_resources_too() -> None:
    assert find_monitors("db").count("'db'") == 2


# The history of a host in the laboratory (Pacemaker 3.0.0), shortened: the first result of a monitor was degraded, and
# the resource was stopped before the next one.
STOPPED = """
<lrm_rsc_op id="db_last_failure_0" operation="monitor" rc-code="190" op-status="0" interval="10000" call-id="21"/>
<lrm_rsc_op id="db_last_0" operation="stop" rc-code="0" op-status="0" interval="0" call-id="23"/>
<lrm_rsc_op id="db_monitor_10000" operation="monitor" rc-code="193" op-status="-1" interval="10000" call-id="-1"/>"""


def find(xpath: str, history: str, node: str = "h3", resource: str = "db") -> str:
    """Return the `id` of what the XPath finds, by libxml2, as in Pacemaker."""
    lrm = f'<lrm id="3"><lrm_resources><lrm_resource id="{resource}">{history}</lrm_resource></lrm_resources></lrm>'
    text = f'<cib><status><node_state uname="{node}">{lrm}</node_state></status></cib>'
    words = ["xmllint", "--xpath", f"string({xpath}/@id)", "-"]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


@pytest.mark.parametrize(
    ("said", "instead", "pending", "unended"),
    [
        pytest.param("", "", True, True, id="stopped after a first result that was degraded"),
        pytest.param('"stop" rc-code="0"', '"stop" rc-code="1"', True, False, id="the stop failed"),
        pytest.param('"0" op-status="0"', '"193" op-status="-1"', True, False, id="the stop is under way"),
        pytest.param('"stop"', '"start"', True, False, id="it was started again"),
        pytest.param('"-1" interval', '"0" interval', False, False, id="the monitor has another result"),
        pytest.param('"-1" interval="10000"', '"-1" interval="0"', False, False, id="a probe is under way"),
    ],
)
@pytest.mark.skipif(shutil.which("xmllint") is None, reason="xmllint is missing")
def test_a_monitor_that_a_stop_has_left_pending_is_found(said: str, instead: str, pending: bool, unended: bool) -> None:
    name, history = "db_monitor_10000", STOPPED.replace(said, instead) if said else STOPPED
    assert find(find_pending_monitor("db", "h3"), history) == (name if pending else "")
    assert find(find_unended_monitor("db", "h3"), history) == (name if unended else "")
    assert find(find_unended_monitor("db", "h3"), history, node="h2") == ""
    assert find(find_unended_monitor("db", "h3"), history, resource="db2") == ""
