"""What Pacemaker's own tools write about clusters that no single host has: bundles, several nodes, a monitor's 190.

crm_simulate carries out what the scheduler would do and writes the CIB that comes of it, and crm_mon reads that file:
no daemon runs. The tools are this machine's (2.1.5 on Debian 12), or another root's (3.0 in build/roots/debian13).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loopback import Net
from loopback.server_root import service_command
from xha.core.services.daemons.pacemaker import ClusterState, judge_cluster, parse_crm_mon
from xha.core.services.model.result import Level, Result
from xha.core.services.settings import default_service

PACKAGE = "pacemaker-cli-utils"
# The names in the cluster are not those of hosts (crm_node -n), and target-role is written as a person may write it.
NODES = ("ctl-a.example", "ctl-b.example", "ctl-c.example")
DUMMY = 'class="ocf" provider="pacemaker" type="Dummy"'
CIB = f"""<cib validate-with="pacemaker-3.7" crm_feature_set="3.13.0" epoch="1" num_updates="0" admin_epoch="0"
 have-quorum="1" dc-uuid="1"><configuration>
<crm_config><cluster_property_set id="o">
<nvpair id="o1" name="stonith-enabled" value="true"/><nvpair id="o2" name="no-quorum-policy" value="stop"/>
<nvpair id="o3" name="cluster-infrastructure" value="corosync"/></cluster_property_set></crm_config>
<nodes>{"".join(f'<node id="{number}" uname="{name}"/>' for number, name in enumerate(NODES, 1))}</nodes>
<resources>
<primitive id="fence" class="stonith" type="fence_dummy"/>
<primitive id="vip" {DUMMY}><operations><op id="vip-m" name="monitor" interval="10s"/></operations></primitive>
<clone id="lb-clone"><primitive id="lb" {DUMMY}>
<operations><op id="lb-m" name="monitor" interval="10s"/></operations></primitive></clone>
<clone id="state-clone"><meta_attributes id="state-meta"><nvpair id="sp" name="promotable" value="true"/>
</meta_attributes><primitive id="state" class="ocf" provider="pacemaker" type="Stateful"/></clone>
<bundle id="rabbit-bundle"><podman image="localhost/rabbit:latest" replicas="3" network="host"/>
<network control-port="3122"/><primitive id="rabbit" {DUMMY}/></bundle>
<bundle id="web-bundle"><podman image="localhost/web:latest" replicas="2"/></bundle>
<primitive id="off" {DUMMY}><meta_attributes id="off-meta"><nvpair id="off-role" name="target-role" value="{{role}}"/>
</meta_attributes></primitive>
<bundle id="off-bundle"><meta_attributes id="ob-meta"><nvpair id="ob-role" name="target-role" value="{{role}}"/>
</meta_attributes><podman image="localhost/off:latest" replicas="2"/></bundle>
</resources><constraints><rsc_location id="score" rsc="state-clone">
<rule id="score-rule" role="{{promoted}}" score="10"><expression id="score-all" attribute="#uname" operation="defined"/>
</rule></rsc_location></constraints></configuration><status/></cib>
"""
# What crm_simulate leaves out of the guest nodes of bundles: a real cluster has no configuration for them, and their
# state says that they are guests.
_GUEST = re.compile(r'<node [^>]*uname="rabbit-bundle-\d"[^>]*/>')
_GUEST_STATE = re.compile(r'(<node_state id="rabbit-bundle-\d" uname="rabbit-bundle-\d")[^>]*>')


class Tools:
    """Clusters as files of a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.chmod(0o755)

    def run(self, name: str, *words: str, **environment: str) -> str:
        argv = [*service_command(name, PACKAGE), *words]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **environment}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def start(self, role: str = "stopped", online: tuple[str, ...] = NODES, *, promoted: bool = True) -> Path:
        """A cluster whose scheduler has started all that it may, and promoted an instance, which needs a score."""
        before, after = self.directory / "before.xml", self.directory / "after.xml"
        before.write_text(CIB.format(role=role, promoted="Promoted" if promoted else "Started"))
        up = [word for name in online for word in ("--node-up", name)]
        words = ["--xml-file", str(before), *up, "--quorum", "true", "--simulate"]
        self.run("crm_simulate", *words, "--save-output", str(after))
        text = _GUEST.sub("", after.read_text())
        alive = r'\1 remote_node="true" in_ccm="true" crmd="online" join="member" expected="member">'
        after.write_text(_GUEST_STATE.sub(alive, text))
        return after

    def inject(self, cluster: Path, *operations: str) -> Path:
        """The same cluster after these results of operations, and before anybody has acted on them."""
        after = self.directory / "injected.xml"
        words = [word for operation in operations for word in ("--op-inject", operation)]
        self.run("crm_simulate", "--xml-file", str(cluster), *words, "--save-output", str(after))
        return after

    def show(self, cluster: Path) -> ClusterState:
        text = self.run("crm_mon", "-1", "-r", "-f", "--output-as=xml", CIB_file=str(cluster))
        return parse_crm_mon(text)


@pytest.fixture
def tools(net: Net) -> Tools:
    directory = net.directory / "crm-mon"  # the tools of a cluster become the user hacluster, who may enter it
    directory.mkdir(exist_ok=True)
    return Tools(directory)


def judge(state: ClusterState, **settings: Any) -> Result:
    service = default_service("pacemaker")
    return judge_cluster(service.settings._replace(**settings), state, "quorum")  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ["Stopped", "stopped"])
def test_a_cluster_with_bundles_whose_names_are_no_hosts(tools: Tools, role: str) -> None:
    state = tools.show(tools.start(role))
    assert (state.dc, state.quorate) == (NODES[0], True)
    assert state.nodes == dict.fromkeys(NODES, True)  # and not the bundle's guests, of which each is a node too
    assert [(one.name, one.active, one.missing) for one in state.resources] == [
        ("fence", 1, 0),
        ("vip", 1, 0),
        ("lb-clone", 3, 0),
        ("state-clone", 3, 0),
        ("rabbit-bundle", 3, 0),
        ("web-bundle", 2, 0),
        ("off", 0, 0),
        ("off-bundle", 0, 0),
    ]
    result = judge(state, expect_nodes=3, resources=("rabbit-bundle", "lb-clone"))
    assert (result.status.value, result.blame) == ("ok", None), result
    assert result.level is Level.DEEP
    assert judge(state, resources=("off-bundle",)).message == "off-bundle runs nowhere"


def test_a_promotable_clone_without_a_promoted_instance(tools: Tools) -> None:
    result = judge(tools.show(tools.start(promoted=False)))
    assert (result.status.value, result.blame) == ("warning", "dependency:state-clone"), result
    assert result.message == "state-clone runs, and no instance is promoted"


@pytest.mark.parametrize("code", [190, 191])
def test_a_monitor_s_190_is_listed_as_a_failure_and_is_none(tools: Tools, code: int) -> None:
    cluster = tools.start()
    degraded = tools.inject(cluster, f"vip_monitor_10000@{NODES[1]}={code}")
    text = tools.run("crm_mon", "-1", "-r", "-f", "--output-as=xml", CIB_file=str(degraded))
    assert f'exitcode="{code}"' in text  # this version has it in its list
    assert judge(parse_crm_mon(text)).status.value == "ok"


def test_a_failed_operation_and_a_container_that_ended(tools: Tools) -> None:
    cluster = tools.start()
    failed = judge(tools.show(tools.inject(cluster, f"vip_monitor_10000@{NODES[1]}=7")))
    assert (failed.status.value, failed.blame) == ("warning", "dependency:vip"), failed
    assert failed.message.startswith(f"failed: vip_monitor_10000 on {NODES[1]}; ")
    where = next(node for node in NODES if _runs(cluster, "rabbit-bundle-podman-0", node))
    state = tools.show(tools.inject(cluster, f"rabbit-bundle-podman-0_stop_0@{where}=0"))
    assert [(one.active, one.missing) for one in state.resources if one.name == "rabbit-bundle"] == [(2, 1)]
    result = judge(state)
    assert (result.status.value, result.blame) == ("warning", "dependency:rabbit-bundle"), result
    assert result.message == "rabbit-bundle should run and lacks 1 of its instances"


def _runs(cluster: Path, resource: str, node: str) -> bool:
    """Whether the CIB has a start of the resource on a node."""
    state = re.search(rf'<node_state [^>]*uname="{re.escape(node)}".*?</node_state>', cluster.read_text(), re.DOTALL)
    return state is not None and re.search(rf'id="{resource}_last_0"[^>]* operation="start"', state[0]) is not None


def test_a_node_that_is_away(tools: Tools) -> None:
    state = tools.show(tools.start(online=NODES[:2]))
    result = judge(state, expect_nodes=3)
    assert (result.status.value, result.blame) == ("warning", f"dependency:{NODES[2]}"), result
    assert result.message == f"2 of 3 nodes are online, absent: {NODES[2]}"
