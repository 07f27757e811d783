"""The commands that hand a database over, and what makes them unsafe. Pacemaker's tools take each configuration.

make lab-operations carries the same commands out, with the names of its laboratory.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from loopback import find_program
from xha.core.election.facts import Host
from xha.core.pacemaker.cib import Cib, list_agents, parse_cib
from xha.core.pacemaker.failed_actions import FailedAction
from xha.core.pacemaker.handover import FormerAgent, HandoverFacts, find_obstacles, list_commands

CIB = """\
<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1">
<configuration><crm_config/><nodes><node id="1" uname="h1"/><node id="2" uname="h2"/></nodes>
<resources>
<clone id="db-clone"><meta_attributes id="m"><nvpair id="m1" name="promotable" value="true"/>
<nvpair id="m2" name="promoted-max" value="2"/></meta_attributes>
<primitive id="db" class="ocf" provider="heartbeat" type="galera">
<instance_attributes id="a"><nvpair id="a1" name="wsrep_cluster_address" value="gcomm://h1,h2"/></instance_attributes>
<operations>
<op id="db-promote" name="promote" interval="0s" timeout="300s"/>
<op id="db-demote" name="demote" interval="0s" timeout="120s"/>
<op id="db-start" name="start" interval="0s" timeout="120s"/>
<op id="db-stop" name="stop" interval="0s" timeout="120s"/>
<op id="db-monitor-10" name="monitor" interval="10s" timeout="30s" role="Promoted"/>
<op id="db-monitor-20" name="monitor" interval="20s" timeout="30s"/>
</operations>
</primitive></clone>
</resources><constraints/></configuration><status/></cib>
"""


SWAP = '<primitive id="db" class="ocf" provider="xha" type="galera"/>'


def read(directory: Path, text: str, former: FormerAgent = FormerAgent.HEARTBEAT) -> HandoverFacts:
    """What there is to know, where all nodes are well."""
    path = directory / "cib.xml"
    path.write_text(text)
    words = [find_program("cibadmin", "pacemaker"), "--query", "--local"]
    environment = {"CIB_file": str(path), "LC_ALL": "C"}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    names = [name for name, agent in list_agents(told).items() if former.fits(agent)]
    resources = tuple((name, online(parse_cib(told, name))) for name in names)
    return HandoverFacts(former, resources, "Synced", "Primary", 2, 2, installed=True)


def online(cib: Cib) -> Cib:
    return cib._replace(hosts=dict.fromkeys(cib.hosts, Host.ONLINE))


def test_from_heartbeat_the_commands_have_this_cluster_s_names(tmp_path: Path) -> None:
    facts = read(tmp_path, CIB)
    assert list(find_obstacles(facts)) == []
    commands = [one for one in list_commands(facts) if not one.startswith("#")]
    assert commands == [
        "pcs resource unmanage db",
        "crm_resource --wait --timeout 120s",
        "cibadmin --query --scope resources >/root/resources-before-xha.xml",
        "pcs resource meta db-clone promotable= promoted-max=",
        "pcs resource meta db-clone interleave=true",
        "pcs resource op remove db-promote",
        "pcs resource op remove db-demote",
        "pcs resource op remove db-monitor-10",
        "pcs resource op remove db-monitor-20",
        f"cibadmin --modify --scope resources --xml-text '{SWAP}'",
        "pcs resource update db op stop timeout=180s",
        "pcs resource op add db monitor interval=10s timeout=30s",
        "crm_resource --resource db --refresh",
        "crm_resource --wait --timeout 120s",
        "timeout 60 sh -c 'until xha-check explain; do sleep 2; done'",
        "pcs status",
        "pcs resource manage db",
        "crm_resource --wait --timeout 120s",
    ]


def test_from_mysql_wss_nothing_is_promotable(tmp_path: Path) -> None:
    begin, end = CIB.index('<nvpair id="m1"'), CIB.index("</meta_attributes>")
    text = (CIB[:begin] + '<nvpair id="m1" name="interleave" value="true"/>' + CIB[end:]).replace(
        'provider="heartbeat" type="galera"', 'provider="fuel" type="mysql-wss"'
    )
    facts = read(tmp_path, text, FormerAgent.MYSQL_WSS)
    assert list(find_obstacles(facts)) == []
    assert not [one for one in list_commands(facts) if one.startswith("pcs resource meta")]
    assert list(find_obstacles(read(tmp_path, text))) == ["exactly one resource of heartbeat has to be there: none"]


UNSAFE = {
    "no quorum": ('have-quorum="1"', 'have-quorum="0"', "no quorum"),
    "unmanaged already": ('name="promoted-max" value="2"', 'name="is-managed" value="false"', "is unmanaged"),
    "another agent's parameter": ('name="wsrep_cluster_address"', 'name="odd"', "pcs resource update db odd="),
    "a value that cannot be used": (
        '"wsrep_cluster_address" value="gcomm://h1,h2"',
        '"start_wait" value="x"',
        "start_wait:",
    ),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_it_is_refused_where_the_configuration_makes_it_unsafe(tmp_path: Path, case: str) -> None:
    before, after, said = UNSAFE[case]
    assert before in CIB
    (obstacle,) = find_obstacles(read(tmp_path, CIB.replace(before, after)))
    assert said in obstacle


def test_it_is_refused_while_a_node_is_not_well(tmp_path: Path) -> None:
    facts = read(tmp_path, CIB)
    ((name, cib),) = facts.resources
    promoted = cib._replace(failed={"h1": FailedAction("monitor", 8)})
    assert list(find_obstacles(facts._replace(resources=((name, promoted),)))) == []
    failed = cib._replace(failed={"h1": FailedAction("promote", 1)})
    cases = {
        "db failed on h1": facts._replace(resources=((name, failed),)),
        "h2 is lost": facts._replace(resources=((name, cib._replace(hosts={"h1": Host.ONLINE, "h2": Host.LOST})),)),
        "this host's node is Joining": facts._replace(state="Joining"),
        "this host's node is Synced, non-Primary": facts._replace(status="non-Primary"),
        "the component has 1 members": facts._replace(size=1),
        "this host has no agent": facts._replace(installed=False),
        "db is no clone": facts._replace(resources=((name, cib._replace(clone="")),)),
    }
    for said, unsafe in cases.items():
        (obstacle,) = find_obstacles(unsafe)
        assert said in obstacle
