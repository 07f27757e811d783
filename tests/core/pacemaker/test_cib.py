"""What Pacemaker's configuration says about hosts and orders: recorded from real hosts (cibs/), and as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from xha.core.election.facts import Host
from xha.core.pacemaker.cib import BadCib, Cib, Orders, list_resources, parse_cib

CIBS = Path(__file__).with_name("cibs")

# Recorded with Pacemaker 2.1.5. The file's name says what happened to h3 (in the partitions, to h1). The hosts are h1,
# h2 and h3.
RECORDED = {
    "online": (Host.ONLINE, Host.ONLINE, Host.ONLINE),
    "left-cleanly": (Host.ONLINE, Host.ONLINE, Host.CLEAN_DOWN),
    "left-cleanly-fenced-before": (Host.ONLINE, Host.ONLINE, Host.CLEAN_DOWN),
    "power-off-without-fencing": (Host.ONLINE, Host.ONLINE, Host.LOST),
    "power-off-fenced-before": (Host.ONLINE, Host.ONLINE, Host.LOST),
    "pacemaker-killed": (Host.ONLINE, Host.ONLINE, Host.LOST),
    "fenced": (Host.ONLINE, Host.ONLINE, Host.FENCED),
    "confirmed-by-hand": (Host.ONLINE, Host.ONLINE, Host.FENCED),
    "fencing-fails": (Host.ONLINE, Host.ONLINE, Host.LOST),
    "back-after-fencing": (Host.ONLINE, Host.ONLINE, Host.ONLINE),
    "not-seen-since-all-were-down": (Host.ONLINE, Host.ONLINE, Host.LOST),
    "partition-of-one": (Host.ONLINE, Host.LOST, Host.LOST),
    "partition-of-two": (Host.LOST, Host.ONLINE, Host.ONLINE),
}


def recorded(name: str) -> Cib:
    return parse_cib((CIBS / f"{name}.xml").read_text(encoding="utf-8"), "p_mysql")


def test_every_record_is_in_the_table() -> None:
    assert {path.stem for path in CIBS.glob("*.xml")} == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_known_of_the_hosts(name: str) -> None:
    assert recorded(name).hosts == dict(zip(("h1", "h2", "h3"), RECORDED[name]))


@pytest.mark.parametrize("name", RECORDED)
def test_only_a_partition_of_one_has_no_quorum(name: str) -> None:
    assert recorded(name).quorum == (name != "partition-of-one")


def test_what_a_configuration_says_of_the_resource() -> None:
    cib = recorded("fenced")
    assert cib.nodes == ("h1", "h2", "h3")
    assert (cib.exists, cib.clone, cib.promotable) == (True, "p_mysql-clone", False)
    assert cib.agent == "ocf:xha:galera"
    assert cib.parameters == {"wsrep_cluster_address": "gcomm://h1,h2,h3", "passwd": "secret"}
    assert cib.meta == {"interleave": "true", "resource-stickiness": "10"}
    assert (cib.stonith_enabled, cib.no_quorum_policy) == (True, "freeze")
    assert not recorded("online").stonith_enabled
    assert (Cib().stonith_enabled, Cib().no_quorum_policy) == (True, "stop")
    assert cib.forbidden("h1") == ""


def test_the_resources_of_an_agent_are_listed() -> None:
    text = (CIBS / "fenced.xml").read_text(encoding="utf-8")
    assert list_resources(text, "ocf:xha:galera") == ("p_mysql",)
    assert list_resources(text, "stonith:fence_lab") == ("fence_h1", "fence_h2", "fence_h3")
    assert list_resources(text, "ocf:heartbeat:galera") == ()


@pytest.mark.parametrize("text", ["", "no xml", "<html/>", "<cib><configuration>"])
def test_another_text_is_an_error(text: str) -> None:
    with pytest.raises(BadCib, match="configuration cannot be read"):
        parse_cib(text, "db")
    with pytest.raises(BadCib):
        list_resources(text, "ocf:xha:galera")


def pair(name: str, value: str) -> str:
    return f'<nvpair id="{name}-{value}" name="{name}" value="{value}"/>'


def meta(*pairs: str) -> str:
    return f'<meta_attributes id="m{len(pairs)}">{"".join(pairs)}</meta_attributes>'


PRIMITIVE = '<primitive id="db" class="ocf" provider="xha" type="galera"{}>{}</primitive>'
CLONE = '<clone id="dbs">{}{}</clone>'


def configuration(  # noqa: PLR0913, PLR0917 - the places where an order can stand
    resource: str = CLONE.format("", PRIMITIVE.format("", "")),
    properties: str = "",
    node: str = "",
    transient: str = "",
    defaults: str = "",
    state: str = '<node_state uname="n1" in_ccm="true" crmd="online" expected="member">{}</node_state>',
) -> Cib:
    return parse_cib(
        f"""<cib have-quorum="1"><configuration>
        <crm_config><cluster_property_set id="cib-bootstrap-options">{properties}</cluster_property_set></crm_config>
        <nodes><node id="1" uname="n1"><instance_attributes id="n">{node}</instance_attributes></node>
        <node id="2" uname="n2"/><node id="r" uname="r1" type="remote"/></nodes>
        <resources>{resource}</resources><rsc_defaults>{defaults}</rsc_defaults></configuration>
        <status>{
            state.format(
                f'<transient_attributes id="1"><instance_attributes id="s">{transient}</instance_attributes>'
                "</transient_attributes>"
            )
        }</status></cib>""",
        "db",
    )


def primitive(*pairs: str) -> str:
    return PRIMITIVE.format("", meta(*pairs))


DISABLED = "the resource is disabled (target-role=Stopped)"
UNMANAGED = "the resource is unmanaged (is-managed=false)"
IN_MAINTENANCE = "the resource is in maintenance mode"
STOPPED, STARTED = pair("target-role", "Stopped"), pair("target-role", "Started")

ORDERS = {
    "nothing": (configuration(), ""),
    "no such resource": (configuration(""), "the resource is not in the cluster's configuration"),
    "maintenance-mode": (
        configuration(properties=pair("maintenance-mode", "TRUE")),
        "the cluster is in maintenance mode",
    ),
    "maintenance-mode=false": (configuration(properties=pair("maintenance-mode", "false")), ""),
    "a node's maintenance": (configuration(node=pair("maintenance", "on")), "n1 is in maintenance mode"),
    "a node's maintenance until its reboot": (
        configuration(node=pair("maintenance", "off"), transient=pair("maintenance", "true")),
        "n1 is in maintenance mode",
    ),
    "standby": (configuration(node=pair("standby", "on")), "n1 is on standby"),
    "standby until its reboot": (
        configuration(node=pair("standby", "off"), transient=pair("standby", "true")),
        "n1 is on standby",
    ),
    "standby=off": (configuration(node=pair("standby", "off")), ""),
    "a host that shuts down": (
        configuration(transient=pair("shutdown", "1795367442")),
        "n1 is leaving the cluster",
    ),
    "a host that does not": (configuration(transient=pair("shutdown", "0")), ""),
    "all resources are to stop": (configuration(properties=pair("stop-all-resources", "true")), DISABLED),
    "the primitive is disabled": (configuration(CLONE.format("", primitive(STOPPED))), DISABLED),
    "the clone is disabled": (configuration(CLONE.format(meta(STOPPED), primitive(STARTED))), DISABLED),
    "the clone is enabled, the primitive not": (
        configuration(CLONE.format(meta(STARTED), primitive(STOPPED))),
        DISABLED,
    ),
    "a group in a clone is disabled": (
        configuration(CLONE.format("", f'<group id="g">{meta(STOPPED)}{primitive(STARTED)}</group>')),
        DISABLED,
    ),
    "all are disabled by default": (configuration(defaults=meta(STOPPED)), DISABLED),
    "all are but this one": (configuration(primitive(STARTED), defaults=meta(STOPPED)), ""),
    "the primitive is unmanaged": (configuration(primitive(pair("is-managed", "false"))), UNMANAGED),
    "the clone is unmanaged": (
        configuration(CLONE.format(meta(pair("is-managed", "no")), primitive(pair("is-managed", "true")))),
        UNMANAGED,
    ),
    "all are unmanaged by default": (configuration(defaults=meta(pair("is-managed", "false"))), UNMANAGED),
    "all are unmanaged, in old words": (
        configuration(properties=pair("is-managed-default", "false")),
        UNMANAGED,
    ),
    "the primitive's maintenance": (configuration(primitive(pair("maintenance", "true"))), IN_MAINTENANCE),
    "the clone's maintenance": (
        configuration(CLONE.format(meta(pair("maintenance", "true")), primitive(pair("maintenance", "false")))),
        IN_MAINTENANCE,
    ),
    "a template's": (
        configuration(
            f'<template id="t" class="ocf" provider="xha" type="galera">{meta(STOPPED)}</template>'
            + PRIMITIVE.format(' template="t"', "")
        ),
        DISABLED,
    ),
    "over a template's": (
        configuration(
            f'<template id="t" class="ocf" provider="xha" type="galera">{meta(STOPPED)}</template>'
            + PRIMITIVE.format(' template="t"', meta(STARTED, STARTED))
        ),
        "",
    ),
    "a set that stands elsewhere": (
        configuration(
            f'<primitive id="other" class="ocf" provider="heartbeat" type="Dummy">{meta(STOPPED)}</primitive>'
            + PRIMITIVE.format("", '<meta_attributes id-ref="m1"/>')
        ),
        DISABLED,
    ),
    "the set with the higher score": (
        configuration(
            PRIMITIVE.format(
                "",
                f'<meta_attributes id="a" score="1">{STARTED}</meta_attributes>'
                f'<meta_attributes id="b" score="INFINITY">{pair("target-role", "stopped")}</meta_attributes>',
            )
        ),
        DISABLED,
    ),
    "a set with a rule is taken as said": (
        configuration(
            PRIMITIVE.format(
                "", f'<meta_attributes id="a"><rule id="r" score="0"/>{pair("is-managed", "false")}</meta_attributes>'
            )
        ),
        UNMANAGED,
    ),
    "in a bundle": (configuration(f'<bundle id="b">{meta(STOPPED)}{primitive(STARTED)}</bundle>'), DISABLED),
}


@pytest.mark.parametrize("title", ORDERS)
def test_what_forbids_to_act_on_a_node(title: str) -> None:
    cib, forbidden = ORDERS[title]
    assert cib.forbidden("n1") == cib.orders_for("n1").forbidden == forbidden


def test_a_node_s_orders_are_for_that_node() -> None:
    cib = configuration(node=pair("standby", "on"))
    assert [cib.forbidden(node) for node in ("n1", "n2", "r1", "unknown")] == ["n1 is on standby", "", "", ""]
    assert cib.orders_for("n2") == Orders()


NODE = '<node_state uname="n1" {}/>'
STATES = {
    "nothing yet": ("", Host.LOST),
    "corosync without Pacemaker": ('in_ccm="true" crmd="offline" expected="member"', Host.LOST),
    "back in corosync after fencing": ('in_ccm="true" crmd="offline" expected="down"', Host.LOST),
    "fenced": ('in_ccm="false" crmd="offline" expected="down"', Host.FENCED),
    "online since, as newer versions say": ('in_ccm="1795367442" crmd="1795367450" expected="member"', Host.ONLINE),
    "lost, as newer versions say": ('in_ccm="0" crmd="0" expected="member"', Host.LOST),
}


@pytest.mark.parametrize("title", STATES)
def test_what_a_state_proves(title: str) -> None:
    text, host = STATES[title]
    assert configuration(state=NODE.format(text)).hosts["n1"] is host


HERE = 'in_ccm="true" crmd="online"'
REMOTE_STATES = {
    "connected": (HERE, 'in_ccm="true" node_fenced="0"', Host.ONLINE),
    "connected, and a member stopped cleanly": ('in_ccm="false" expected="down"', 'in_ccm="true"', Host.ONLINE),
    "connected, and a member lost that it may be talking to": ('in_ccm="false" expected="member"', HERE, Host.LOST),
    "gone": (HERE, 'in_ccm="false" node_fenced="0"', Host.LOST),
    "fenced": (HERE, 'in_ccm="false" node_fenced="1795423190"', Host.FENCED),
    "fenced once, and connected again": (HERE, 'in_ccm="true" node_fenced="0"', Host.ONLINE),
}


@pytest.mark.parametrize("title", REMOTE_STATES)
def test_what_the_state_of_a_remote_node_proves(title: str) -> None:
    member, state, host = REMOTE_STATES[title]
    states = f"""{NODE.format(HERE)}<node_state uname="n2" {member}><lrm id="2"/></node_state>
        <node_state uname="r2" remote_node="true" {state}/>"""
    assert configuration(state=states).hosts["r2"] is host


def test_nodes_without_corosync_are_nodes_in_the_list_or_in_the_status_alone() -> None:
    maintained = f"<instance_attributes id='t'>{pair('maintenance', 'true')}</instance_attributes>"
    cib = configuration(
        state=f"""{NODE.format(HERE)}<node_state uname="gone" {HERE}/>
        <node_state uname="r2" remote_node="true" in_ccm="true">
        <transient_attributes id="r2">{maintained}</transient_attributes></node_state>"""
    )
    assert cib.nodes == ("n1", "n2", "r1", "r2")
    assert cib.hosts == {"n1": Host.ONLINE, "n2": Host.LOST, "r1": Host.LOST, "r2": Host.LOST}
    assert [cib.forbidden(name) for name in ("r1", "r2")] == ["", "r2 is in maintenance mode"]


@pytest.mark.parametrize(
    ("resource", "promotable", "clone"),
    [
        (CLONE.format(meta(pair("promotable", "true")), PRIMITIVE.format("", "")), True, "dbs"),
        (f'<master id="ms">{PRIMITIVE.format("", "")}</master>', True, "ms"),
        (CLONE.format("", PRIMITIVE.format("", "")), False, "dbs"),
        (PRIMITIVE.format("", ""), False, ""),
    ],
)
def test_clones(resource: str, promotable: bool, clone: str) -> None:
    cib = configuration(resource)
    assert (cib.promotable, cib.clone) == (promotable, clone)


def test_records_of_resources_that_are_gone_are_named() -> None:
    text = (CIBS / "online.xml").read_text(encoding="utf-8")
    sets = "".join(
        f'<cluster_property_set id="{name}"><nvpair id="{name}-x" name="{pair}" value=""/></cluster_property_set>'
        for name, pair in (
            ("xha-p_mysql", "xha-p_mysql-line"),
            ("xha.token-p_mysql", "xha-p_mysql-token"),
            ("xha-old", "xha-old-line"),
            ("xha.token-older", "xha-older-token"),
            ("other", "other-line"),
        )
    )
    cib = parse_cib(text.replace("</crm_config>", f"{sets}</crm_config>"), "p_mysql")
    assert cib.leftovers == ("old", "older")
    assert recorded("online").leftovers == ()
