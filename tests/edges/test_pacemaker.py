"""Pacemaker's tools as xha runs them: with a time limit, a clean environment, and without passing on a secret."""

from __future__ import annotations

import os
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.adapters.pacemaker import tools as crmtool
from xha.adapters.pacemaker.attributes import parse_attribute
from xha.adapters.pacemaker.cluster import Pacemaker
from xha.adapters.pacemaker.standalone import Standalone, connect
from xha.adapters.pacemaker.tools import ClusterUnreachable, Failed, run_tool
from xha.core.election.facts import Grant, GrantKind, Host, Token

CIB = '<cib have-quorum="1"><configuration><crm_config/><nodes/>{}</configuration></cib>'
GALERA = '<resources><primitive id="db" class="ocf" provider="xha" type="galera"/></resources>'


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which tools are searched first."""
    monkeypatch.setattr(crmtool, "DIRECTORIES", f"{tmp_path}:/usr/bin:/bin")
    # subprocess looks for a program by the path of the new environment.
    return tmp_path


def install(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def test_what_a_tool_prints_is_returned(tools: Path) -> None:
    install(tools, "crm_node", "echo h1")
    assert Pacemaker().node_name() == "h1"
    assert Pacemaker("h2").node_name() == "h2"


@pytest.mark.parametrize(
    ("text", "held"), [("a \x1b[2J\n\tb", "a  [2J  b"), ("hält \udcff", "h?lt ?"), ('{"a":"\\\\"}', '{"a":"\\\\"}')]
)
def test_an_attribute_is_set_to_what_it_can_hold(tools: Path, text: str, held: str) -> None:
    install(tools, "attrd_updater", f'printf "%s" "${{3#--update=}}" >{tools}/value')
    Pacemaker("h1").set_private("xha-db-state", text)
    assert (tools / "value").read_text() == held


def test_an_absent_tool_is_named(tools: Path) -> None:
    with pytest.raises(ClusterUnreachable, match=r"^crm_no_such: no such file or directory$"):
        run_tool("crm_no_such")


def test_a_tool_that_hangs_is_killed_with_its_children(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crmtool, "TIMEOUT", 2)
    install(tools, "cibadmin", f"sleep 60 & echo $! >{tools}/child; wait")
    began = time.monotonic()
    with pytest.raises(ClusterUnreachable, match=r"^cibadmin did not answer within 2 s$"):
        run_tool("cibadmin", "--query")
    assert time.monotonic() - began < 30
    child = int((tools / "child").read_text())
    until = time.monotonic() + 20
    while is_alive(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(child)


@pytest.mark.parametrize("script", ["exec yes '<cib/>'", "exec yes >&2", "exec tr '\\0' x </dev/zero"])
def test_a_tool_that_prints_for_ever_is_ended_by_what_it_prints(
    tools: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(crmtool, "TIMEOUT", 60)
    install(tools, "cibadmin", script)
    with pytest.raises(ClusterUnreachable, match=r"^cibadmin prints more than 8192 KiB$"):
        run_tool("cibadmin", "--query")


def test_a_tool_that_leaves_a_child_with_its_output_ends_in_its_time(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crmtool, "TIMEOUT", 2)
    install(tools, "crm_node", "sleep 60 & echo h1")
    began = time.monotonic()
    with pytest.raises(ClusterUnreachable, match="did not answer within"):
        run_tool("crm_node")
    assert time.monotonic() - began < 30


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


FAILURES = {
    "cibadmin's own sentence": (
        'echo "<nvpair value=\\"c1ustercheck\\"/>"; echo "Call failed: it does not fit" >&2; exit 78',
        "cibadmin: Call failed: it does not fit (exit code 78)",
    ),
    "the configuration as a complaint": (
        'echo "   1 <nvpair value=\\"c1ustercheck\\"/>" >&2; exit 1',
        "cibadmin: failed (exit code 1)",
    ),
    "its own name": ('echo "cibadmin: no such option" >&2; exit 64', "cibadmin: no such option (exit code 64)"),
    "nothing": ("exit 102", "cibadmin: failed (exit code 102)"),
}


@pytest.mark.parametrize("title", FAILURES)
def test_a_complaint_is_one_sentence_and_no_secret(tools: Path, title: str) -> None:
    script, said = FAILURES[title]
    install(tools, "cibadmin", script)
    with pytest.raises(Failed) as failed:
        run_tool("cibadmin", "--query")
    assert str(failed.value) == said


def test_no_variable_leads_a_tool_to_another_cluster(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/tmp/cib.xml")
    monkeypatch.setenv("OCF_RESKEY_passwd", "c1ustercheck")
    install(tools, "crm_node", "env | cut -d= -f1 | sort | tr '\\n' ' '")
    assert set(run_tool("crm_node").split()) <= {"LC_ALL", "PATH", "PWD", "SHLVL", "_", "OLDPWD"}


TWO_NODE = {
    "two": ('echo "quorum.two_node (u8) = 1"', True),
    "not two": ('echo "quorum.two_node (u8) = 0"', False),
    "not set": ('echo "Can\'t get key quorum.two_node. Error CS_ERR_NOT_EXIST" >&2; exit 1', False),
    "corosync is not there": ('echo "Failed to initialize the cmap API. Error CS_ERR_LIBRARY" >&2; exit 1', True),
    "a remote node": (None, True),
}


@pytest.mark.parametrize("title", TWO_NODE)
def test_half_the_hosts_are_no_majority_unless_corosync_says_so(tools: Path, title: str) -> None:
    script, two_node = TWO_NODE[title]
    install(tools, "cibadmin", f"echo '{CIB.format('')}'")
    install(tools, "corosync-cmapctl", "exit 1" if script is None else script)
    assert Pacemaker("h1").read_cib("db").two_node is two_node


def test_a_record_that_cannot_be_read_is_said_to_be_the_reason(tools: Path) -> None:
    pair = '<cluster_property_set id="xha-db"><nvpair id="x" name="xha-db-line" value="5"/></cluster_property_set>'
    install(tools, "cibadmin", f"echo '{CIB.format('').replace('<crm_config/>', f'<crm_config>{pair}</crm_config>')}'")
    with pytest.raises(ClusterUnreachable, match="the record xha-db-line cannot be read"):
        Pacemaker("h1").read_cib("db")


def test_a_resource_s_name_is_no_xpath() -> None:
    with pytest.raises(ValueError, match="is not a resource's name"):
        Pacemaker("h1").sweep("db'] | //primitive['")


# XML cannot hold other characters; the adapter replaces them before it sets an attribute.
values = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9.-]{0,9}", fullmatch=True), values, max_size=4))
def test_an_attribute_is_read_as_it_was_set(said: dict[str, str]) -> None:
    root = ElementTree.Element("pacemaker-result")
    for node, value in said.items():
        ElementTree.SubElement(root, "attribute", name="xha-db-report", host=node, value=value)
    told = parse_attribute(ElementTree.tostring(root, encoding="unicode"))
    assert told == {node: value for node, value in said.items() if value}


def test_an_answer_that_is_no_xml_is_no_answer() -> None:
    with pytest.raises(ClusterUnreachable, match=r"^attrd_updater: "):
        parse_attribute('name="a" host="h1" value="{"b":1}"')


class TestStandalone:
    def test_it_is_the_whole_cluster_and_its_quorum_excuses_nobody(self) -> None:
        alone = Standalone()
        cib, name = alone.read_cib("db"), os.uname().nodename
        assert (cib.nodes, cib.hosts) == ((name,), {name: Host.ONLINE})
        assert (cib.quorum, cib.two_node, cib.forbidden(name)) == (True, True, "")

    def test_it_keeps_what_a_cluster_would_while_it_lives(self) -> None:
        alone, token = Standalone(), Token("n1", "e", "d")
        alone.set_private("a", "1")
        assert alone.read_attribute("a") == {os.uname().nodename: "1"}
        alone.delete_attribute("a")
        assert alone.read_attribute("a") == {}
        assert alone.take_token("db", token)
        alone.write_records("db", line=(), cluster="u")
        records = alone.read_cib("db").book.records
        assert (records.token, records.cluster) == (token, "u")
        alone.release_token("db")
        assert alone.read_cib("db").book.records.token is None
        assert not alone.consume_grants("db", [Grant(GrantKind.FORGET, "n1", "d", 1.0)])

    def test_whom_pacemaker_called_is_never_alone(self) -> None:
        assert isinstance(connect("h1", "db"), Pacemaker)

    @pytest.mark.parametrize(("resources", "kind"), [(GALERA, Pacemaker), ("", Standalone)])
    def test_a_resource_that_the_cluster_does_not_know_is_alone(
        self, tools: Path, monkeypatch: pytest.MonkeyPatch, resources: str, kind: type
    ) -> None:
        monkeypatch.setattr("xha.adapters.pacemaker.standalone.is_pacemaker_here", lambda: True)
        install(tools, "cibadmin", f"echo '{CIB.format(resources)}'")
        install(tools, "corosync-cmapctl", "exit 1")
        assert isinstance(connect("", "db"), kind)
