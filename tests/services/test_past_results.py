"""What a real Pacemaker makes of the change by which it forgets a past result: on that node, and nowhere else."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from loopback import Net, wait_until
from services.pacemaker import NODE, PacemakerNode
from xha.core.pacemaker.past_results import PastResult, choose_changes, find_monitors, parse_monitors

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")
COUNT = "fail-count-vip#monitor_1000"


def monitor_call(node: PacemakerNode) -> str:
    """The number of the call by which the recurring monitor runs: another one when it was scheduled anew."""
    text = node.run("cibadmin", "--query", "--xpath", "//lrm_rsc_op[@id='vip_monitor_1000']")
    found = re.search(r'call-id="(\d+)"', text)
    return found[1] if found else text


def failures(node: PacemakerNode) -> list[str]:
    text = node.run("cibadmin", "--query", "--xpath", "//transient_attributes")
    return re.findall(r'name="fail-count-vip#monitor_1000" value="(\d+)"', text)


def forget(node: PacemakerNode, name: str) -> None:
    monitors = parse_monitors(node.run("cibadmin", "--query", "--xpath", find_monitors("vip")))
    for xml in choose_changes(PastResult("7-1795772186", is_probe=False), name, monitors):
        said = node.run("cibadmin", "--modify", "--allow-create", "--scope", "resources", "--xml-text", xml)
        assert not said, said


def test_a_result_of_another_node_leaves_this_node_s_monitors_and_counts(net: Net, tmp_path: Path) -> None:
    with PacemakerNode(net, tmp_path / "node") as node:
        node.configure()
        wait_until(lambda: monitor_call(node).isdigit(), 60, "its monitor runs")
        node.run("crm_attribute", "-t", "status", "-N", NODE, "-n", COUNT, "-v", "2")
        wait_until(lambda: failures(node) == ["2"], 30, "its failures are counted")
        before = monitor_call(node)
        forget(node, "xha-2")
        time.sleep(5)  # nothing is to happen: a change is scheduled within a second
        assert (monitor_call(node), failures(node)) == (before, ["2"])
        forget(node, NODE)
        wait_until(lambda: monitor_call(node) != before, 60, "its monitor is scheduled anew")
        wait_until(lambda: not failures(node), 30, "and its count is gone")
