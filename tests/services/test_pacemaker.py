"""A real node of Pacemaker and corosync: healthy, misconfigured, with a failing resource, frozen part by part, dead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from loopback import Net, wait_until
from services.host import CAUTION, DOWN, WELL, Services, blamed, short
from services.pacemaker import NODE, PacemakerNode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")
SECTION = "[service pacemaker]\nwarn_settings = 0\n"


@pytest.fixture(scope="module")
def node(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacemakerNode]:
    with PacemakerNode(net, tmp_path_factory.mktemp("pacemaker")) as running:
        running.configure()
        yield running


@pytest.fixture
def check(node: PacemakerNode, services: Services) -> Any:
    """Check the node: check(level, more lines of its section)."""

    def run(level: str = "deep", more: str = "", section: str = SECTION) -> dict[str, Any]:
        services.write(section + more)
        return services.check("pacemaker", level, wrapper=node.enter)

    return run


@pytest.mark.parametrize("level", ["process", "protocol", "deep"])
def test_a_node_that_is_well(check: Any, level: str) -> None:
    result = check(level, "resources = vip lb-clone\nexpect_nodes = 1\n")
    assert short(result) == WELL, result
    assert {"process": "pacemaker", "protocol": "quorum", "deep": f"{NODE} is the DC"}[level] in (
        result["proved"] + "pacemaker" * (level == "process")
    )


def test_the_settings_of_many_guides_are_warnings(check: Any, node: PacemakerNode) -> None:
    result = check(section="[service pacemaker]\n")
    assert short(result) == CAUTION
    assert "stonith-enabled is false" in result["message"]
    assert "no-quorum-policy" not in result["message"]
    node.run("crm_attribute", "--name", "no-quorum-policy", "--update", "ignore")
    assert "no-quorum-policy is ignore" in check(section="[service pacemaker]\n")["message"]
    node.run("crm_attribute", "--name", "no-quorum-policy", "--delete")
    node.run("crm_attribute", "--name", "maintenance-mode", "--update", "true")
    result = check()
    assert (short(result), "maintenance-mode" in result["message"]) == (CAUTION, True), result["message"]
    assert short(check(more="allow_maintenance = 1\n")) == WELL
    node.run("crm_attribute", "--name", "maintenance-mode", "--delete")


def test_who_and_what_should_be_there(check: Any) -> None:
    result = check(more="expect_nodes = 3\n")
    assert short(result) == blamed("nodes")
    assert "1 of 3 nodes are online" in result["message"]
    assert short(check(more="resources = vip other\n")) == blamed("other")
    result = check(more="resources = off\n")
    assert (short(result), result["message"]) == (blamed("off"), "off runs nowhere")


def test_a_failed_action_is_the_resource_s_fault(check: Any, node: PacemakerNode) -> None:
    node.run("crm_resource", "--resource", "vip", "--fail", "--node", NODE)
    # For a moment it runs nowhere: Pacemaker stops and starts it.
    wait_until(lambda: says(check(), blamed("vip"), "vip_"), 60, "the failed action is the resource's fault")
    wait_until(lambda: says(check(more="max_failures = 9\n"), WELL), 60, "it runs again, and one failure is allowed")
    node.run("crm_resource", "--cleanup", "--resource", "vip")
    wait_until(lambda: says(check(), WELL), 60, "it is forgotten")


def test_a_promoted_instance_and_one_that_nobody_may_promote(check: Any, node: PacemakerNode) -> None:
    """The agent promotes itself by its score (ocf:pacemaker:Stateful)."""
    assert 'role="Promoted"' in node.active()
    assert short(check(more="resources = state-clone\n")) == WELL
    rule = '<rsc_location id="never" rsc="state-clone"><rule id="never-rule" role="Promoted" score="-INFINITY">'
    always = '<expression id="never-all" attribute="#uname" operation="defined"/></rule></rsc_location>'
    node.run("cibadmin", "--create", "--scope", "constraints", "--xml-text", rule + always)
    wait_until(lambda: says(check(), blamed("state-clone"), "no instance is promoted"), 60, "it is told")
    assert check()["message"] == "state-clone runs, and no instance is promoted"
    set_role = ("crm_resource", "--resource", "state-clone", "--meta", "--parameter-value", "Unpromoted")
    node.run(*set_role, "--set-parameter", "target-role")
    wait_until(lambda: says(check(), WELL), 60, "a person wants it so")
    node.run("crm_resource", "--resource", "state-clone", "--meta", "--delete-parameter", "target-role")
    node.run("cibadmin", "--delete", "--xml-text", '<rsc_location id="never"/>')
    wait_until(lambda: 'role="Promoted"' in node.active(), 60, "it is promoted again")
    assert short(check()) == WELL


def says(result: dict[str, Any], expected: tuple[int, str, str | None], words: str = "") -> bool:
    return short(result) == expected and words in result["message"]


def frozen(node: PacemakerNode, name: str) -> psutil.Process:
    process = node.process(name)
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, 20, f"{name} has stopped")
    return process


@pytest.mark.parametrize(
    ("daemon", "words"),
    [
        ("pacemaker-controld", f"the controller of {NODE} does not answer within 3 s"),
        ("corosync", "corosync does not answer within 3 s"),
    ],
)
def test_what_crm_mon_does_not_tell(check: Any, node: PacemakerNode, daemon: str, words: str) -> None:
    process = frozen(node, daemon)
    try:
        shown = node.run("timeout", "10", "crm_mon", "-1")
        # 2.1 reports that all is well. 3.0 says nothing and does not end while the controller is frozen.
        assert not shown or "partition with quorum" in shown
        for level in ("protocol", "deep"):
            result = check(level)
            assert (short(result), result["message"]) == (DOWN, words)
            assert result["duration_ms"] < 20000
    finally:
        process.resume()
    wait_until(lambda: short(check()) == WELL, 60, "it is well again")


def test_a_user_who_may_not_ask_is_told_so(services: Services, node: PacemakerNode) -> None:
    services.write(SECTION)
    for path in (services.config, services.directory, *services.directory.parents):
        if path.stat().st_uid == os.geteuid() and "pytest" in str(path):
            path.chmod(0o755)
    wrapper = [*node.enter, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    try:
        result = services.check("pacemaker", wrapper=wrapper)
    except AssertionError:
        pytest.skip("this checkout is closed to other users")
    assert (result["code"], result["message"]) == (3, "needs root, or the group haclient")


def test_a_dead_one(check: Any, node: PacemakerNode, services: Services) -> None:
    """The last test of this file: nothing is left after it."""
    node.process("pacemakerd").kill()
    wait_until(lambda: not node.is_running(), 20, "the node is gone")
    services.write(SECTION)
    before, result = others_corosync(), services.check("pacemaker")
    # Another test's corosync would do: who may not ask it gets the same answer as where there is none.
    if not before and not others_corosync():
        assert short(result) == DOWN
        assert result["message"] == "corosync does not run"


def others_corosync() -> bool:
    return any(one.info["name"] == "corosync" for one in psutil.process_iter(["name"]))
