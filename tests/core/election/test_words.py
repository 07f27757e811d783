"""What a decision tells a person: what was seen, and a command that can be pasted as it stands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from core.election.test_rules import NODES, empty, look, report
from xha.core import election, keeper
from xha.core.cluster.election_inputs import gather
from xha.core.election.decision import Decision
from xha.core.election.facts import Host, Probe, Probed, Records
from xha.core.election.position_report import PositionReport, State
from xha.core.galera.position import Kind, Position
from xha.core.pacemaker.cib import Cib

OTHER = "11111111-8b0d-11ef-9c41-3a5f0e7d2b18"
COMMAND = re.compile(r"xha-check grant (?:forget|bootstrap|discard)=(\S+) --why TEXT")


def decide(*reports: PositionReport, members: tuple[str, ...] = NODES, probes: dict[str, Probed] | None = None) -> str:
    """The words of the first report's node."""
    cib = Cib(nodes=NODES, hosts=dict.fromkeys(NODES, Host.ONLINE), exists=True)
    said = {one.node: one for one in reports}
    decision = gather(reports[0].node, "", cib, said, members, probes=probes or {}, arbitrators={}, clock=0.0).elect()
    return tell(decision)


def tell(decision: Decision) -> str:
    return f"{decision.reason}; {getattr(decision, 'remedy', '')}"


def said(node: str, **changes: object) -> PositionReport:
    return report(node)._replace(epochs=("",), **changes)


FOREIGN = {"kind": Kind.FOREIGN, "position": Position()}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(decide(said("n1", **FOREIGN), said("n2"), said("n3")), ["n1", "n1"], id="foreign data"),
        pytest.param(
            decide(said("n1"), said("n2", position=Position(OTHER, 3)), said("n3")), ["n1", "n1"], id="two histories"
        ),
        pytest.param(tell(look("n1", empty("n1"), empty("n2"))), ["n1", "n3"], id="nobody who holds data has reported"),
        pytest.param(
            tell(look("n2", empty("n1"), empty("n2"), empty("n3"), records=Records(cluster=OTHER))), ["n1"],
            id="all are empty, and were not",
        ),
    ],
)  # fmt: skip
def test_a_command_names_a_node_that_it_can_be_given_for(words: str, named: list[str]) -> None:
    assert COMMAND.findall(words) == named, words


@pytest.mark.parametrize("package", [election, keeper], ids=["election", "keeper"])
def test_no_text_has_a_place_where_a_node_is_to_be_filled_in(package: object) -> None:
    """Pacemaker keeps 128 characters of a reason: `bootstrap=NODE` was seen as `bootstrap=NOD`."""
    for path in Path(package.__path__[0]).glob("*.py"):  # type: ignore[attr-defined]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"(?:forget|bootstrap|discard)=NODE", node.value), f"{path}: {node.value}"


def test_a_list_without_a_host_is_told_as_one() -> None:
    assert "n2 has an empty one (gcomm:// names no host)" in decide(said("n1"), said("n2", members=()), said("n3"))
    assert "not in the list of members: an empty one (gcomm://" in decide(said("n1", members=()), members=())


@pytest.mark.parametrize(
    ("other", "words"),
    [
        pytest.param(None, "no keeper of n2 has said how far it is", id="nothing"),
        pytest.param(
            report("n2", kind=Kind.UNKNOWN, trouble="no library"), "the keeper of n2 says: no library",
            id="why it does nothing",
        ),
    ],
)  # fmt: skip
def test_what_the_keeper_says_stands_beside_the_port_on_which_a_server_answers(
    other: PositionReport | None, words: str
) -> None:
    reports = [said("n1"), said("n3"), *([other] if other else [])]
    assert words in decide(*reports, probes={"n2": Probed(Probe.ACCEPTED, (3306,))})


def test_a_joiner_is_promised_nothing() -> None:
    """It said `it gets what it lacks` also where it found nobody."""
    words = decide(said("n1"), said("n2", state=State.PRIMARY), said("n3"))
    assert re.fullmatch(r"n2 is Primary and holds all that n1 has \(.*\): n1 joins it, to get what it lacks; ", words)
