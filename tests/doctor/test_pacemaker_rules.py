"""The doctor's rules about Pacemaker: red on a configuration with that fault, which Pacemaker's own tools take."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from doctor.looking import of_rule
from loopback import find_program
from xha.core.doctor import pacemaker_rules
from xha.core.doctor.facts import ClusterConfig, DoctorFacts
from xha.core.doctor.findings import Weight
from xha.core.doctor.table import Examination, examine
from xha.core.pacemaker.cib import list_resources, parse_cib

NAMES = [rule.name for rule in pacemaker_rules.RULES]
GOOD = """\
<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1">
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o1" name="stonith-enabled" value="true"/>
<nvpair id="o2" name="no-quorum-policy" value="freeze"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="h1"/><node id="2" uname="h2"/><node id="3" uname="h3"/></nodes>
<resources>
<primitive id="fence" class="stonith" type="fence_ipmilan"/>
<clone id="db-clone"><meta_attributes id="m"><nvpair id="m1" name="interleave" value="true"/></meta_attributes>
<primitive id="db" class="ocf" provider="xha" type="galera">
<instance_attributes id="a"><nvpair id="a1" name="user" value="mysql"/></instance_attributes>
<operations>
<op id="db-start" name="start" interval="0s" timeout="60s"/>
<op id="db-stop" name="stop" interval="0s" timeout="180s"/>
<op id="db-monitor" name="monitor" interval="10s" timeout="20s"/>
</operations>
</primitive></clone>
</resources><constraints/>
</configuration><status/></cib>
"""


def look(directory: Path, text: str) -> Examination:
    """What the doctor says of a configuration, which cibadmin checks against its schema and prints."""
    path = directory / "cib.xml"
    path.write_text(text)
    words = [find_program("cibadmin", "pacemaker"), "--query", "--local"]
    environment = {"CIB_file": str(path), "LC_ALL": "C"}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    resource = next(iter(list_resources(told, "ocf:xha:galera")), "")
    return examine(DoctorFacts(pacemaker=ClusterConfig(resource, parse_cib(told, resource))))


def test_a_good_configuration_is_silent(tmp_path: Path) -> None:
    came_to = look(tmp_path, GOOD)
    assert [one for one in came_to.findings if set(one.rules) & set(NAMES)] == []
    assert set(NAMES) <= set(came_to.fine)


META = '<nvpair id="m1" name="interleave" value="true"/>'
STOP = '<op id="db-stop" name="stop" interval="0s" timeout="180s"/>'
OP = '<op id="db-monitor" name="monitor" interval="10s" timeout="20s"/>'
# The rule, what is replaced in the good configuration, by what, what is seen, and what is written.
FAULTS = [
    ("fencing", 'stonith-enabled" value="true"', 'stonith-enabled" value="false"', "stonith-enabled=false", "stonith"),
    ("fencing", '<primitive id="fence" class="stonith" type="fence_ipmilan"/>', "", "no device", "pcs stonith create"),
    ("quorum-ignored", 'value="freeze"', 'value="ignore"', "no-quorum-policy=ignore", "no-quorum-policy=freeze"),
    ("quorum-stop", 'value="freeze"', 'value="stop"', "no-quorum-policy=stop", "no-quorum-policy=freeze"),
    ("no-clone", META, f'{META}<nvpair id="m2" name="globally-unique" value="true"/>', "unique", "globally-unique="),
    ("promotable", META, f'{META}<nvpair id="m2" name="promotable" value="true"/>', "promotable", "promotable="),
    ("promotable", META, f'{META}<nvpair id="m2" name="promoted-max" value="3"/>', "promotable", "promoted-max="),
    (
        "operation-roles",
        OP,
        f'{OP}<op id="p" name="promote" interval="0s"/>',
        "promote (p)",
        "pcs resource op remove p",
    ),
    (
        "operation-roles",
        OP,
        f'{OP}<op id="r" name="monitor" interval="11s" timeout="20s" role="Promoted"/>',
        "role=Promoted",
        "pcs resource op remove r",
    ),
    ("operation-timeouts", 'timeout="180s"', 'timeout="60s"', "stop has 60 s", "op stop timeout=180s"),
    ("operation-timeouts", 'timeout="60s"', 'timeout="20s"', "start has 20 s", "op start timeout=60s"),
    ("operation-timeouts", 'timeout="20s"', 'timeout="5000ms"', "monitor has 5 s", "interval=10s timeout=20s"),
    (
        "operation-timeouts",
        '<op id="db-stop" name="stop" interval="0s" timeout="180s"/>',
        "",
        "no operation stop",
        "180s",
    ),
    ("monitor", OP, "", "has no monitor", "op monitor interval=10s"),
    ("monitor", OP, OP.replace("/>", ' enabled="false"/>'), "has no monitor", "op monitor"),
    ("monitor", OP, OP.replace("/>", ' on-fail="ignore"/>'), "on-fail=ignore", "on-fail=restart"),
    ("interleave", META, "", "is not interleaved", "interleave=true"),
    (
        "left-alone",
        '<nvpair id="o2"',
        '<nvpair id="o3" name="maintenance-mode" value="true"/><nvpair id="o2"',
        "h1: the cluster is in maintenance mode",
        "manage",
    ),
    ("parameters", 'name="user" value="mysql"', 'name="start_wait" value="x"', "start_wait", "start_wait="),
    ("parameters", 'name="user" value="mysql"', 'name="check_passwd" value="x"', "check_passwd stands readable", "db"),
]


@pytest.mark.parametrize(("rule", "before", "after", "told"), [(*one[:3], one[3:]) for one in FAULTS])
def test_a_fault_is_told_by_its_rule(tmp_path: Path, rule: str, before: str, after: str, told: tuple[str, str]) -> None:
    assert before in GOOD
    found = of_rule(look(tmp_path, GOOD.replace(before, after)), rule)
    assert found
    assert told[0] in found[0].seen
    assert told[1] in found[0].write


def test_a_resource_that_is_no_clone(tmp_path: Path) -> None:
    text = GOOD.replace('<clone id="db-clone">', "").replace("</primitive></clone>", "</primitive>")
    begin = text.index('<meta_attributes id="m">')
    text = text[:begin] + text[text.index("</meta_attributes>") + len("</meta_attributes>") :]
    (found,) = of_rule(look(tmp_path, text), "no-clone")
    assert found.write == "pcs resource clone db meta interleave=true"


def test_the_timeout_of_op_defaults_counts(tmp_path: Path) -> None:
    pair = '<meta_attributes id="d"><nvpair id="d1" name="timeout" value="200s"/></meta_attributes>'
    text = GOOD.replace("<constraints/>", f"<constraints/><op_defaults>{pair}</op_defaults>").replace(
        ' timeout="180s"', ""
    )
    assert of_rule(look(tmp_path, text), "operation-timeouts") == []
    (found,) = of_rule(look(tmp_path, GOOD.replace(' timeout="180s"', "")), "operation-timeouts")
    assert "stop has 20 s" in found.seen


def test_another_agent_s_resource_is_not_green(tmp_path: Path) -> None:
    came_to = look(tmp_path, GOOD.replace('provider="xha"', 'provider="heartbeat"'))
    (found,) = of_rule(came_to, "monitor")
    assert found.weight is Weight.UNSEEN
    assert {"promotable", "interleave", "operation-timeouts"} <= set(found.rules)
    assert {"fencing", "quorum-ignored"} <= set(came_to.fine)
