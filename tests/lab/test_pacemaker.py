"""What a real Pacemaker must do for an election to be safe: the token, the records, and the states of its hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.host import Host
from lab.laboratory import Laboratory
from lab.library import RESOURCE, ask, host_of
from lab.standing import wait_online
from lab.waiting import wait_until

pytestmark = pytest.mark.lab


class TestRecords:
    def test_of_three_that_want_the_token_one_gets_it_and_all_know_who(self, lab: Laboratory) -> None:
        code = """
taken, seen = [], []
for turn in range(10):
    time.sleep(max(0.0, {start} + turn - time.time()))
    taken.append(cluster.take_token(f"t{{turn}}", Token(me, f"e{{turn}}", "d")))
    token = cluster.read_cib(f"t{{turn}}").book.records.token
    seen.append(token and [token.node, token.epoch])
tell([taken, seen])
"""
        start = float(lab["h1"].sh("date +%s").out) + 3
        told = dict(zip(lab.hosts, lab.on_all(lambda host: ask(host, code.format(start=start)))))
        ask(lab["h1"], "tell([cluster.release_token(f't{turn}') for turn in range(10)])")
        assert ask(lab["h1"], "tell([cluster.read_cib('t1').leftovers, cluster.release_token('t1')])") == [[], None]
        for turn in range(10):
            winners = [name for name, (taken, _) in told.items() if taken[turn]]
            assert len(winners) == 1, f"turn {turn}: {winners} took the token"
            assert [seen[turn] for _, seen in told.values()] == [[winners[0], f"e{turn}"]] * 3

    def test_what_is_recorded_is_read_on_every_host(self, lab: Laboratory) -> None:
        told = ask(
            lab["h1"],
            """
stop = StopRecord(History(Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", 5), (Generation("a", "", 3, (me,)),)), "b")
first = Grant(GrantKind.FORGET, "h3", "d", time.time(), "root", "because \\"it\\" <is> gone & 'done'\\n")
second = first._replace(kind=GrantKind.BOOTSTRAP)
cluster.write_stop("t", me, stop)
cluster.write_records("t", line=stop.history.line, cluster="u")
cluster.add_grant("t", first)
cluster.add_grant("t", second)
before = cluster.read_cib("t").book
used = [cluster.consume_grants("t", [first]), cluster.consume_grants("t", [first])]
after = cluster.read_cib("t").book
tell([before.records.stops == {me: stop}, before.records.line == stop.history.line, before.records.cluster,
      before.grants == (first, second), used, after.grants == (second,), after.last_grant == first])
""",
        )
        assert told == [True, True, "u", True, [True, False], True, True]
        code = "book = cluster.read_cib('t').book; tell([list(book.records.stops), len(book.grants)])"
        assert lab.on_all(lambda host: ask(host, code)) == [[["h1"], 1]] * 3
        assert ask(lab["h2"], "tell([cluster.read_cib('t').leftovers, cluster.sweep('t')])") == [["t"], True]
        code = "cib = cluster.read_cib('t'); tell([cib.leftovers, not cib.book.records.stops, cib.book.last_grant])"
        assert ask(lab["h1"], code) == [[], True, None]

    def test_nothing_is_swept_of_a_resource_that_is_there(self, lab: Laboratory) -> None:
        code = f"""
cluster.write_records("{RESOURCE}", cluster="u")
swept = cluster.sweep("{RESOURCE}")
kept = cluster.read_cib("{RESOURCE}").book.records.cluster
tell([swept, kept])
"""
        try:
            assert ask(lab["h1"], code) == [False, "u"]
        finally:
            lab["h1"].sh(f"cibadmin --delete --xpath \"//cluster_property_set[@id='xha-{RESOURCE}']\"")

    def test_a_complaint_holds_nothing_of_the_configuration(self, lab: Laboratory) -> None:
        code = """
try:
    cluster.write_records('"/><nothing a="', cluster="u")
    tell("")
except ClusterUnreachable as error:
    tell(str(error))
"""
        said = ask(lab["h1"], code)
        assert "c1ustercheck" not in said
        assert "<" not in said
        assert len(said) < 250


NASTY = ('{"a":"b <c> & \'d\' \\" \\\\ \\t"}', "value=\"x\" host='h9'", "-1", "-- x -y", "x" * 20_000)


def test_a_private_attribute_arrives_as_it_was_set(lab: Laboratory) -> None:
    for text in NASTY:
        told = ask(
            lab["h1"],
            f"""
cluster.set_private("xha-t-report", {text!r})
until = time.monotonic() + 30
while cluster.read_attribute("xha-t-report") != {{me: {text!r}}} and time.monotonic() < until:
    time.sleep(0.05)
tell(cluster.read_attribute("xha-t-report"))
""",
        )
        assert told == {"h1": text}
        wait_until("the attribute on h2", lambda text=text: reports(lab["h2"]) == {"h1": text}, timeout=60)
    ask(lab["h1"], "tell(cluster.set_private('xha-t-report', 'h\\u00e4lt \\x1b[2J an'))")
    wait_until("what it can hold of another text", lambda: reports(lab["h2"]) == {"h1": "h?lt  [2J an"}, timeout=60)
    ask(lab["h3"], "tell(cluster.sweep('t'))")
    wait_until("the attribute to be gone", lambda: reports(lab["h1"]) == {}, timeout=60)


def reports(host: Host) -> Any:
    return ask(host, "tell(cluster.read_attribute('xha-t-report'))")


ORDERED = {
    "pcs property set maintenance-mode=true": "the cluster is in maintenance mode",
    "pcs node maintenance h1": "h1 is in maintenance mode",
    "pcs node standby h1": "h1 is on standby",
    f"pcs resource disable {RESOURCE}-clone": "the resource is disabled (target-role=Stopped)",
    f"pcs resource disable {RESOURCE}": "the resource is disabled (target-role=Stopped)",
    f"pcs resource unmanage {RESOURCE}": "the resource is unmanaged (is-managed=false)",
    f"pcs resource meta {RESOURCE}-clone maintenance=true": "the resource is in maintenance mode",
}


def test_what_an_operator_ordered_forbids_to_act(lab: Laboratory) -> None:
    """The orders are written to a file, as pcs writes them, so that the cluster itself is not affected."""
    for command, forbidden in ORDERED.items():
        file = "/root/ordered.xml"
        lab["h1"].sh(f"cibadmin --query >{file} && pcs -f {file} {command[4:]}")
        said = lab["h1"].sh(f"cat {file}").out
        code = f"""
from xha.core.pacemaker.cib import parse_cib
tell(parse_cib({said!r}, {RESOURCE!r}).forbidden("h1"))
"""
        assert ask(lab["h1"], code) == forbidden, command


class TestHosts:
    """What a host is to the others. One that was fenced is in test_faults.py, in the world with fencing."""

    def test_one_that_left_cleanly_and_one_without_power_where_nobody_fences(self, lab: Laboratory) -> None:
        lab["h3"].sh("systemctl stop pacemaker corosync", timeout=120)
        wait_until("h3 to be gone", lambda: host_of(lab, "h1", "h3") == "clean-down", timeout=60)
        wait_until("h2 to say so, too", lambda: host_of(lab, "h2", "h3") == "clean-down", timeout=60)
        lab["h3"].sh("systemctl start corosync pacemaker", timeout=60)
        wait_online(lab)
        assert host_of(lab, "h1", "h3") == "online"
        lab["h3"].power_off()
        wait_until("h3 to be lost", lambda: host_of(lab, "h1", "h3") == "lost", timeout=60)


FAKE = """
from xha.core.election.position_report import State, render_position_report
from xha.core.galera.position import Kind
nodes = ("h1", "h2", "h3")
report = PositionReport(me, State("{state}"), Kind.INTACT, Position("6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18", {seqno}),
                members=nodes, epochs=tuple(f"e-{{node}}" for node in nodes), opens=f"e-{{me}}")
cluster.set_private("xha-p_mysql-report", render_position_report(report))
tell(None)
"""


class TestCommands:
    """xha-check on hosts with another agent, where no keeper contradicts made-up reports."""

    @pytest.fixture(autouse=True)
    def _left_as_found(self, lab: Laboratory) -> Iterator[None]:
        yield
        lab.on_all(lambda host: ask(host, "tell(cluster.delete_attribute('xha-p_mysql-report'))"))
        lab["h1"].sh(f"cibadmin --delete --xpath \"//cluster_property_set[@id='xha-{RESOURCE}']\"")

    def publish(self, lab: Laboratory, **seqnos: int) -> None:
        for name, seqno in seqnos.items():
            ask(lab[name], FAKE.format(state="stopped", seqno=seqno))
        wait_until("the reports on h1", lambda: len(self.explained(lab)) == len(seqnos), timeout=60)

    @staticmethod
    def explained(lab: Laboratory) -> dict[str, Any]:
        """What each node that reports would do."""
        said = lab["h1"].sh(f"xha-check explain --json --resource {RESOURCE}", check=False)
        (one,) = json.loads(said.out)["resources"]
        return {node["node"]: node["decision"] for node in one["nodes"] if node["decision"]}

    def test_without_reports_nobody_does_anything(self, lab: Laboratory) -> None:
        said = lab["h1"].sh(f"xha-check explain --resource {RESOURCE}", check=False)
        assert (said.code, said.err) == (2, "")
        assert [line for line in said.out.splitlines() if "(online): no report" in line] == [
            f"  {name} (online): no report" for name in ("h1", "h2", "h3")
        ]
        assert "c1ustercheck" not in said.out

    def test_what_runs_is_never_recovered(self, lab: Laboratory) -> None:
        said = lab["h1"].sh(f"xha-check report --resource {RESOURCE}", check=False)
        assert (said.code, said.out) == (3, "")
        assert "is in use by" in said.err

    def test_a_grant_is_recorded_for_what_was_shown(self, lab: Laboratory) -> None:
        self.publish(lab, h1=5, h2=7)
        grant = f"xha-check grant forget=h3 --why 'its disk is broken' --resource {RESOURCE}"
        declined = lab["h1"].sh(grant, text="h2\n", check=False)
        assert declined.code == 3
        assert "not granted: that is not the node's name" in declined.err
        book = f"book = cluster.read_cib('{RESOURCE}').book; tell([[one.node, one.why, one.by] for one in book.grants])"
        assert ask(lab["h1"], book) == []
        granted = lab["h1"].sh(grant, text="h3\n", check=False)
        assert granted.code == 0, granted
        assert "MAY BE LOST: whatever h3 has committed and nobody else received" in granted.out
        assert ask(lab["h1"], book) == [["h3", "its disk is broken", "root"]]
        assert "VOID" not in granted.out
        self.publish(lab, h1=5, h2=7, h3=9)
        said = lab["h1"].sh(f"xha-check explain --resource {RESOURCE}", check=False)
        assert "its disk is broken - VOID: what the members report has changed since; give it again" in said.out

    def test_no_grant_is_given_beside_a_primary(self, lab: Laboratory) -> None:
        self.publish(lab, h1=5)
        ask(lab["h2"], FAKE.format(state="primary", seqno=7))
        wait_until("the Primary's report", lambda: "h2" in self.explained(lab), timeout=60)
        said = lab["h1"].sh(f"xha-check grant forget=h3 --why gone --yes --resource {RESOURCE}", check=False)
        assert (said.code, said.out) == (2, "")
        assert "h2 answers as Primary" in said.err
