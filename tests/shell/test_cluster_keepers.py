"""xha-check cluster and what keepers published: a configuration that real hosts had, on three real nodes."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from loopback import Cluster, Net
from shell.host import Host, Result, option_file
from shell.pacemaker import RecordedPacemaker
from shell.test_cluster import addresses, reasons, table
from shell.test_cluster_sources import FINITE, column, responding
from shell.test_output import validate
from xha.adapters.pacemaker.published import Published
from xha.app.cluster.keepers import Keepers
from xha.core.cluster.keeper_word import KeeperRecord
from xha.core.cluster.members import Member
from xha.core.election.position_report import PositionReport, State, render_position_report
from xha.core.galera.position import Kind
from xha.core.galera.server_options import Ports
from xha.core.pacemaker.cib import Cib

_numbers = itertools.count(1)
UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"


@pytest.fixture
def pacemaker(net: Net, host: Host, members: Cluster) -> RecordedPacemaker:
    """Keepers of three nodes that serve. The check's account may log in by the first one's socket, and nowhere else."""
    members.create_account("here@localhost")
    host.write("/etc/xha/client.cnf", option_file(user="here"), 0o640)
    made = RecordedPacemaker(net.directory / f"pacemaker-{next(_numbers)}", addresses(members))
    nodes = ("h1", "h2", "h3")
    made.publish("state", dict.fromkeys(nodes, "running: h1 is in the Primary component"))
    made.publish("ready", dict.fromkeys(nodes, "1"))
    made.publish("at", dict.fromkeys(nodes, str(int(time.time()))))
    made.publish("report", {node: primary(node) for node in nodes})
    return made


def primary(node: str, state: State = State.PRIMARY) -> str:
    return render_position_report(PositionReport(node, state, Kind.UNKNOWN))


def ask(host: Host, pacemaker: RecordedPacemaker, *arguments: str) -> Result:
    return host.run("xha-check", "cluster", *arguments, wrapper=pacemaker.wrapper)


def test_without_account_and_responder_the_keepers_tell(host: Host, pacemaker: RecordedPacemaker) -> None:
    result = ask(host, pacemaker)
    assert (result.code, result.err) == (0, ""), result.said
    assert column(result, "SERVICE") == ["in"] * 3
    assert column(result, "REASON") == ["synced", "primary", "primary"]
    assert column(result, "SOURCE") == ["sql", "keeper", "keeper"]
    assert "secret" not in ask(host, pacemaker, "--json").said  # a parameter of the resource
    nagios = ask(host, pacemaker, "--nagios")
    assert nagios.out == "GALERA OK: 3 of 3 in service, 2 by keeper | in_service=3;;;0;3\n"


def test_a_keeper_that_stopped_speaking_decides_nothing(host: Host, pacemaker: RecordedPacemaker) -> None:
    now = int(time.time())
    pacemaker.publish("at", {"h1": str(now), "h2": str(now - 86400), "h3": str(now)})
    result = ask(host, pacemaker)
    assert result.code == 3, result.said
    assert column(result, "SERVICE") == ["in", "unknown", "in"]
    said = "keeper: its keeper, or the server there, has not spoken for more than 90 s; its last word was primary"
    assert said in result.out


def test_a_keeper_that_says_stopped_while_the_responder_says_synced(
    net: Net, host: Host, members: Cluster, pacemaker: RecordedPacemaker
) -> None:
    pacemaker.publish("state", {"h2": "waiting: h3 has not reported"})
    pacemaker.publish("ready", {})
    pacemaker.publish("report", {"h2": primary("h2", State.STOPPED)})
    second = addresses(members)[1]
    with responding(net, *members.nodes):
        result = ask(host, pacemaker)
        found = json.loads(ask(host, pacemaker, "--json").out)
    assert result.code == 2, result.said
    assert reasons(result)[second] == "synced"
    sentence = f"{second}:3306: its keeper says stopped, but its responder says synced"
    assert f"\nDISAGREEMENT sources: {sentence}\n" in result.out
    validate(found)
    assert found["disagreements"] == [{"code": "sources", "message": sentence, "nodes": [f"{second}:3306"]}]


def test_pacemaker_names_the_members_where_the_own_server_is_down(
    host: Host, members: Cluster, pacemaker: RecordedPacemaker
) -> None:
    host.write("/etc/xha/xha.conf", "[database]\nsocket = /run/mysqld/none.sock\n[responder]\ndeadline = 5s\n")
    result = ask(host, pacemaker)
    assert list(table(result)) == addresses(members), result.said
    assert column(result, "SOURCE") == ["keeper"] * 3


def test_a_pacemaker_that_hangs_costs_no_more_than_the_deadline(host: Host, pacemaker: RecordedPacemaker) -> None:
    pacemaker.hang()
    result = host.run("xha-check", "cluster", wrapper=pacemaker.wrapper, timeout=60)
    assert result.code == 3
    assert "keeper: Pacemaker does not answer here" in result.out
    assert result.seconds < FINITE  # the tools sleep for a minute, and the deadline is 5 s


def test_a_word_with_control_characters_reaches_no_terminal(host: Host, pacemaker: RecordedPacemaker) -> None:
    pacemaker.publish("state", {"h2": "waiting: \x85\x9b2Jcleared"})
    pacemaker.publish("ready", {"h2": "0"})
    pacemaker.publish("report", {"h2": primary("h2", State.STOPPED)})
    result = ask(host, pacemaker)
    assert "its keeper says: waiting:   2Jcleared" in result.out


def test_members_are_asked_on_the_port_that_a_keeper_reports() -> None:
    cib = Cib(exists=True, parameters={"wsrep_cluster_address": "gcomm://db1:4667,db2"})
    report = PositionReport("h2", State.STOPPED, Kind.INTACT, ports=Ports(4667, 3316))
    listed = Keepers((Published("db", cib, {"h1": KeeperRecord("h1"), "h2": KeeperRecord("h2", report=report)}),))
    assert listed.members() == (Member("db1", 3316), Member("db2", 3316))
    unlisted = Published(
        "db", Cib(exists=True), {"h2": KeeperRecord("h2", report=report._replace(members=("h1", "h2")))}
    )
    assert Keepers((unlisted,)).members() == (Member("h1", 3316), Member("h2", 3316))
