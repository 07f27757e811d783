"""What keeps Pacemaker from being told at once that a server has ended; and who is the first to tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.pacemaker.cib import Cib, parse_cib
from xha.core.pacemaker.telling import (
    TOLD_SECONDS,
    FailureClaim,
    Telling,
    find_objection,
    parse_claim,
    render_claim,
)

CIB = """<cib have-quorum="1"><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">{properties}
</cluster_property_set></crm_config><nodes><node id="1" uname="A"/><node id="2" uname="B"/></nodes><resources>
<clone id="db-clone"><primitive id="db" class="ocf" provider="xha" type="galera"><operations>{operations}</operations>
<meta_attributes id="m">{meta}</meta_attributes></primitive></clone></resources>
<op_defaults><meta_attributes id="d">{defaults}</meta_attributes></op_defaults></configuration>
<status>{status}</status></cib>"""
MONITOR = '<op id="mon" name="monitor" interval="10s"/>'
PAIR = '<nvpair id="p" name="{}" value="{}"/>'
STATE = """<node_state id="{number}" uname="{node}" crmd="online" join="member" in_ccm="true"><lrm id="{number}">
<lrm_resources><lrm_resource id="{resource}"><lrm_rsc_op id="{resource}_last_0" operation="{action}"
op-status="{status}" rc-code="{code}"/></lrm_resource></lrm_resources></lrm></node_state>"""


def state(action: str, status: int, *, node: str = "A", resource: str = "db") -> str:
    number, code = ord(node) - ord("A") + 1, 193 if status < 0 else 0
    return STATE.format(number=number, node=node, resource=resource, action=action, status=status, code=code)


def cib(operations: str = MONITOR, **parts: str) -> Cib:
    empty = dict.fromkeys(("properties", "meta", "defaults", "status"), "")
    return parse_cib(CIB.format(**{**empty, "operations": operations, **parts}), "db")


@pytest.mark.parametrize(
    ("seen", "objection"),
    [
        pytest.param(cib(), "", id="nothing"),
        pytest.param(cib(MONITOR.replace("/>", ' on-fail="restart"/>')), "", id="on-fail=restart is the default"),
        pytest.param(cib(MONITOR.replace("/>", ' on-fail="block"/>')), "on-fail=block of mon", id="on-fail=block"),
        pytest.param(cib(MONITOR.replace("/>", ' on-fail="ignore"/>')), "on-fail=ignore of mon", id="on-fail=ignore"),
        pytest.param(cib(MONITOR.replace("/>", ' on-fail="fence"/>')), "on-fail=fence of mon", id="on-fail=fence"),
        pytest.param(
            cib(MONITOR + '<op id="deep" name="monitor" interval="60s" on-fail="standby"/>'),
            "on-fail=standby of deep",
            id="of any of them",
        ),
        pytest.param(cib(MONITOR + '<op id="p" name="start" interval="0" on-fail="block"/>'), "", id="of start alone"),
        pytest.param(
            cib(
                f'<op id="mon" name="monitor" interval="10s"><meta_attributes id="o">{PAIR.format("on-fail", "block")}'
                "</meta_attributes></op>"
            ),
            "on-fail=block of mon",
            id="among its meta attributes",
        ),
        pytest.param(cib(defaults=PAIR.format("on-fail", "ignore")), "on-fail=ignore of mon", id="in op_defaults"),
        pytest.param(
            cib(MONITOR.replace("/>", ' on-fail="restart"/>'), defaults=PAIR.format("on-fail", "ignore")),
            "",
            id="its own goes before op_defaults",
        ),
        pytest.param(
            cib(
                defaults=PAIR.format("on-fail", "restart") + "</meta_attributes>"
                '<meta_attributes id="e"><rule id="r" score="0"><op_expression id="x" name="monitor"/></rule>'
                + PAIR.format("on-fail", "block")
            ),
            "on-fail=block of mon",
            id="in a set of op_defaults whose rule may hold",
        ),
        pytest.param(
            cib(
                '<op id="mon" name="monitor" interval="10s"><meta_attributes id-ref="deep"/></op>'
                '<op id="s" name="start" interval="0"><meta_attributes id="deep">'
                f"{PAIR.format('on-fail', 'block')}</meta_attributes></op>"
            ),
            "on-fail=block of mon",
            id="among meta attributes of another operation, by reference",
        ),
        *(
            pytest.param(
                cib(meta=PAIR.format("migration-threshold", value)),
                objection and f"migration-threshold={value}, for which it may count twice",
                id=f"migration-threshold={value}",
            )
            for value, objection in (("2", "x"), ("5", "x"), ("odd", "x"), ("INFINITY", ""), ("1000000", ""), ("0", ""))
        ),
        pytest.param(cib(""), "the resource has no recurring monitor", id="no monitor"),
        pytest.param(
            cib(MONITOR.replace("/>", ' enabled="false"/>')), "the resource has no recurring monitor", id="disabled"
        ),
        pytest.param(
            cib('<op id="mon" name="monitor" interval="0"/>'),
            "the resource has no recurring monitor",
            id="a probe alone",
        ),
        pytest.param(
            cib(properties=PAIR.format("maintenance-mode", "true")),
            "the cluster is in maintenance mode",
            id="maintenance",
        ),
        pytest.param(
            cib(meta=PAIR.format("is-managed", "false")), "the resource is unmanaged (is-managed=false)", id="unmanaged"
        ),
        pytest.param(
            cib(meta=PAIR.format("target-role", "Stopped")),
            "the resource is disabled (target-role=Stopped)",
            id="it is to be stopped",
        ),
        pytest.param(cib(status=state("stop", -1)), "a stop of it is under way on A", id="a stop is under way"),
        pytest.param(cib(status=state("monitor", -1)), "a monitor of it is under way on A", id="a first monitor is"),
        pytest.param(cib(status=state("stop", 0)), "", id="a stop is done"),
        pytest.param(cib(status=state("stop", -1, node="B")), "", id="a stop is under way elsewhere"),
        pytest.param(cib(status=state("stop", -1, resource="vip")), "", id="a stop of another resource is"),
        pytest.param(
            cib(status=state("stop", -1, resource="db:0")), "a stop of it is under way on A", id="of an instance"
        ),
    ],
)
def test_what_keeps_pacemaker_from_being_told(seen: Cib, objection: str) -> None:
    assert find_objection(seen, "A") == objection


def test_it_is_told_once() -> None:
    assert not Telling().is_due
    assert Telling((7, 1)).is_due
    assert not Telling((7, 1), done=True).is_due


@given(by_keeper=st.booleans(), at=st.floats(0, 1e9), later=st.floats(-100, 100))
def test_only_a_keeper_s_fresh_word_holds_a_monitor_up(by_keeper: bool, at: float, later: float) -> None:
    """A monitor that told it before tells it again: on-fail=ignore or block let it go on."""
    claim = FailureClaim(by_keeper, at)
    assert parse_claim(render_claim(claim)) == claim
    now = at + later
    assert claim.holds(now) is (by_keeper and 0 <= now - at < TOLD_SECONDS)


@pytest.mark.parametrize("text", ["", "keeper", "keeper x", "nobody 5", "keeper nan", "5"])
def test_what_is_no_claim_is_none(text: str) -> None:
    assert parse_claim(text) is None
