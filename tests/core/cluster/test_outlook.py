"""When `xha-check explain` says that a person is needed, and what it says of a start that failed."""

from __future__ import annotations

from typing import Any

import pytest

from core.cluster.test_dry_run import NODES, position_report, seen
from xha.core.cluster.dry_run import Seen, forecast, forecast_document
from xha.core.cluster.outlook import WAIT_SECONDS, find_failure, needs_person, tell_waited
from xha.core.election.position_report import State
from xha.core.node.verdict import NagiosCode
from xha.core.pacemaker.cib import parse_cib
from xha.core.pacemaker.failed_actions import FailedAction
from xha.doors.check.election.explain import exit_code, forecast_lines

NOW = 1000
FAILED = FailedAction("start", 5, "datadir=/srv/db: not a directory")


def waits(*since: int, spoke: int = NOW) -> Seen:
    """Two of three have come up, and wait for the third: each since a moment of its own clock."""
    words = {node: str(moment) for node, moment in zip(NODES, since)}
    said = dict.fromkeys(words, str(spoke))
    return seen(position_report("n1"), position_report("n2"), since=words, spoke=said, states=dict.fromkeys(words, "w"))


@pytest.mark.parametrize(
    ("sight", "code"),
    [
        pytest.param(waits(NOW - 20, NOW - 60), NagiosCode.WARNING, id="hosts that boot"),
        pytest.param(waits(NOW - 20, NOW - 300), NagiosCode.CRITICAL, id="one has waited for five minutes"),
        pytest.param(waits(NOW - 20), NagiosCode.CRITICAL, id="one does not say since when"),
        pytest.param(waits(NOW - 200, NOW - 200, spoke=NOW - 91), NagiosCode.CRITICAL, id="they speak no more"),
        pytest.param(waits(NOW - 20, NOW - 60)._replace(reports={}), NagiosCode.CRITICAL, id="nobody reports"),
        pytest.param(
            seen(*(position_report(node, state=State.PRIMARY) for node in NODES)), NagiosCode.OK, id="all are in"
        ),
        pytest.param(
            seen(*(position_report(node, state=State.PRIMARY) for node in NODES[:2]), cib={"failed": {"n3": FAILED}}),
            NagiosCode.CRITICAL,
            id="a start that failed",
        ),
        pytest.param(
            seen(*(position_report(node, state=State.PRIMARY) for node in NODES), cib={"failed": {"n3": FAILED}}),
            NagiosCode.OK,
            id="one that failed before the server was brought up",
        ),
    ],
)
def test_the_exit_code(sight: Seen, code: NagiosCode) -> None:
    assert exit_code(sight, forecast(sight)) is code
    assert needs_person(sight, forecast(sight)) is (code is NagiosCode.CRITICAL)


def test_how_long_it_has_waited_is_told_by_the_clock_of_its_host() -> None:
    sight = waits(NOW - 20 + 60, NOW - 60 + 60, spoke=NOW + 60)
    assert [tell_waited(sight, node) for node in NODES] == [20.0, 60.0, None]
    assert WAIT_SECONDS == 300
    assert "    its keeper says (for 20 s): w" in forecast_lines(sight, forecast(sight))


CIB = """<cib have-quorum="1"><configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes><resources>
<primitive id="db" class="ocf" provider="xha" type="galera"/></resources></configuration><status>
<node_state uname="n1" in_ccm="true" crmd="online"><lrm id="1"><lrm_resources><lrm_resource id="db:0">
<lrm_rsc_op id="db_last_0" operation="stop" rc-code="0" op-status="0"/>
<lrm_rsc_op id="db_last_failure_0" operation="{action}" rc-code="{code}" op-status="{status}" exit-reason="{why}"/>
</lrm_resource><lrm_resource id="other">
<lrm_rsc_op id="other_last_failure_0" operation="start" rc-code="1" op-status="0"/></lrm_resource>
</lrm_resources></lrm></node_state></status></cib>"""


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (("start", "5", "0", "no such directory"), "start failed with exit code 5: no such directory"),
        (("start", "1", "2", ""), "start was not done in its time"),
        (("monitor", "190", "0", "waiting"), None),
        (("monitor", "0", "0", ""), None),
        (("start", "x", "0", ""), None),
    ],
)
def test_what_pacemaker_says_that_failed(entry: tuple[str, ...], text: str | None) -> None:
    words = dict(zip(("action", "code", "status", "why"), entry))
    cib: Any = parse_cib(CIB.format(**words), "db")
    found = cib.failed.get("n1")
    assert (str(found) if found else None) == text


def test_a_host_whose_start_failed_says_why_and_what_to_do() -> None:
    sight = seen(position_report("n1"), position_report("n2"), cib={"failed": {"n3": FAILED}})
    lines = "\n".join(forecast_lines(sight, forecast(sight)))
    assert "    Pacemaker says: start failed with exit code 5: datadir=/srv/db: not a directory\n" in lines
    assert "    to do: mend that, then pcs resource cleanup db node=n3" in lines
    [document] = (one for one in forecast_document(sight, forecast(sight))["nodes"] if one["node"] == "n3")
    assert document["failed"] == str(FAILED)
    assert find_failure(sight, "n1") is None
