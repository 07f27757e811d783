"""xha-check cluster on three real nodes: who the members are, and what is said of each."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from loopback import Cluster, Node, wait_until
from shell.conftest import PASSWORD, PATIENT, USER
from shell.databases import patient
from shell.host import Host, Result, option_file
from shell.terminal import Terminal
from shell.test_output import ESCAPE, validate

# Where a member is frozen: with 3 s more the others close their connections to it (gmcast.peer_timeout). It comes back,
# but where another one dies later, those who are left find no Primary (measured, Galera 26.4: 3 of 3 times).
HURRIED = "[responder]\ndeadline = 1500ms\n"
# Twice that, and starting Python on a busy machine. Without a deadline it would be the 40 s that the members wait.
SOON = 30.0


HEADINGS = ["NODE", "SERVICE", "REASON", "SOURCE", "AGE", "STATE", "SIZE", "CONF", "SEQNO", "QUEUE"]


def table(result: Result) -> dict[str, dict[str, str]]:
    """The cells of each member's row below their headings, by its address without the port."""
    heading, *rows = result.out.splitlines()
    assert heading.split() == HEADINGS
    cells = [re.split(r"  +", row) for row in rows]
    return {row[0].removesuffix(":3306"): dict(zip(HEADINGS, row)) for row in cells if len(row) == len(HEADINGS)}


def reasons(result: Result) -> dict[str, str]:
    return {name: cells["REASON"] for name, cells in table(result).items()}


def addresses(cluster: Cluster) -> list[str]:
    return [node.address for node in cluster.nodes]


def configure(host: Host, node: Node, *members: str, more: str = PATIENT) -> None:
    listing = f"[cluster]\nmembers = {', '.join(members)}\n" if members else ""
    host.write("/etc/xha/xha.conf", f"[database]\nsocket = {node.socket}\n{listing}{more}")


class TestAllIsWell:
    def test_the_table_has_a_row_for_each_member(self, host: Host, members: Cluster) -> None:
        result = host.run("xha-check", "cluster")
        assert (result.code, result.err) == (0, "")
        assert ESCAPE not in result.out
        assert reasons(result) == dict.fromkeys(addresses(members), "synced")
        for cells in table(result).values():
            assert (cells["SERVICE"], cells["SOURCE"]) == ("in", "sql")
            assert (cells["STATE"], cells["SIZE"]) == ("Synced", "3")
            assert cells["AGE"].endswith(" ms") or cells["AGE"].endswith(" s")
        assert len(result.out.splitlines()) == 4  # who is well needs no sentence

    def test_on_a_terminal_a_row_has_its_verdict_s_colour(self, host: Host, members: Cluster) -> None:
        with Terminal(host.enter(host.door("xha-check"), "cluster")) as terminal:
            assert terminal.wait_end() == 0
        assert terminal.text.count(f"{ESCAPE}[32m") == 3

    def test_json_holds_each_node_s_document(self, host: Host, members: Cluster) -> None:
        result = host.run("xha-check", "cluster", "--json")
        document = json.loads(result.out)
        validate(document)
        assert (result.code, document["schema"], document["kind"]) == (0, 1, "cluster")
        assert document["disagreements"] == []
        assert [node["host"] for node in document["nodes"]] == [f"{one}:3306" for one in addresses(members)]
        for node in document["nodes"]:
            validate(node)
            assert node["verdict"]["code"] == "synced"
            assert node["reading"]["wsrep_cluster_size"] == 3

    def test_nagios_counts_who_is_in_service(self, host: Host, members: Cluster) -> None:
        result = host.run("xha-check", "cluster", "--nagios")
        assert (result.code, result.out) == (0, "GALERA OK: 3 of 3 in service | in_service=3;;;0;3\n")


class TestMembers:
    def test_incoming_addresses_add_to_the_configured_ones(self, host: Host, members: Cluster) -> None:
        configure(host, members.nodes[0], members.nodes[2].address)
        assert list(table(host.run("xha-check", "cluster"))) == [
            members.nodes[2].address,
            members.nodes[0].address,
            members.nodes[1].address,
        ]

    def test_a_member_has_one_row_whatever_it_is_called(self, host: Host, members: Cluster) -> None:
        names = [f"db{number}" for number in (1, 2, 3)]
        host.path("/etc/hosts").unlink()
        lines = [f"{address} {name}\n" for address, name in zip(addresses(members), names)]
        host.write("/etc/hosts", "".join(lines))
        configure(host, members.nodes[0], *names)
        result = host.run("xha-check", "cluster")
        assert result.code == 0, result.said
        assert reasons(result) == dict.fromkeys(names, "synced")

    def test_a_member_of_the_configuration_that_is_no_address_is_named(self, host: Host, members: Cluster) -> None:
        configure(host, members.nodes[0], "db1:99999")
        result = host.run("xha-check", "cluster")
        assert result.code == 3
        assert "[cluster] members: 'db1:99999' is not a member's address" in result.err

    def test_a_disabled_own_node_is_one_row_and_a_warning(self, host: Host, members: Cluster) -> None:
        host.run("xha-check", "disable", "--why", "new disk")
        result = host.run("xha-check", "cluster")
        assert result.code == 1
        assert list(reasons(result).values()) == ["disabled", "synced", "synced"]
        assert "new disk" in result.out

    def test_this_host_s_node_may_be_given_by_its_address(self, host: Host, members: Cluster) -> None:
        host.path("/etc/xha/xha.conf").unlink()
        result = host.run("xha-check", "cluster", "--host", members.nodes[1].address)
        assert reasons(result) == dict.fromkeys(addresses(members), "synced")

    def test_an_account_that_only_this_host_has_is_denied_elsewhere(self, host: Host, members: Cluster) -> None:
        members.create_account("here@localhost")
        host.write("/etc/xha/client.cnf", option_file(user="here"), 0o640)
        result = host.run("xha-check", "cluster")
        assert result.code == 3
        assert list(reasons(result).values()) == ["synced", "access-denied", "access-denied"]
        assert [cells["SERVICE"] for cells in table(result).values()] == ["in", "unknown", "unknown"]

    def test_where_no_member_is_known_the_remedy_is_told(self, host: Host, galera: Node) -> None:
        galera.kill()
        for arguments, stream in ([], "err"), (["--nagios"], "out"):
            result = host.run("xha-check", "cluster", *arguments)
            assert result.code == 3
            said = getattr(result, stream)
            assert "no members are known: set members in [cluster] of xha.conf" in said
            assert "this node says server-down" in said
        assert result.err == ""


class TestUnreachable:
    def test_a_killed_member_stays_although_the_cluster_has_forgotten_it(self, host: Host, members: Cluster) -> None:
        members.nodes[1].kill()
        members.wait_size(2)
        result = host.run("xha-check", "cluster")
        assert result.code == 2
        assert list(reasons(result).values()) == ["synced", "unreachable", "synced"]
        assert "connection refused" in result.out
        assert [cells["SIZE"] for cells in table(result).values()] == ["2", "-", "2"]
        assert [cells["SERVICE"] for cells in table(result).values()] == ["in", "unknown", "in"]
        dead = members.nodes[1].address
        out = host.run("xha-check", "cluster", "--nagios").out
        assert out == f"GALERA CRITICAL: 2 of 3 in service, {dead}:3306 unreachable | in_service=2;;;0;3\n"

    def test_a_frozen_member_stays_and_costs_no_more_than_the_deadline(self, host: Host, members: Cluster) -> None:
        configure(host, members.nodes[0], more=HURRIED)
        with patient(members):
            members.nodes[2].freeze()
            result = host.run("xha-check", "cluster")
            members.nodes[2].thaw()  # before the others have given it up
        assert result.code == 2
        assert list(reasons(result).values()) == ["synced", "synced", "unreachable"]
        assert result.seconds < SOON
        assert "no answer in time" in result.out

    def test_a_frozen_own_node_hides_nobody_who_is_configured(self, host: Host, members: Cluster) -> None:
        configure(host, members.nodes[0], *addresses(members), more=HURRIED)
        with patient(members):
            members.nodes[0].freeze()
            result = host.run("xha-check", "cluster", "--json")
            members.nodes[0].thaw()
        document = json.loads(result.out)
        validate(document)
        codes = [node["verdict"]["code"] for node in document["nodes"]]
        assert (result.code, codes) == (2, ["unreachable", "synced", "synced"])
        assert result.seconds < SOON


class TestDisagreements:
    def ask(self, host: Host) -> tuple[Result, dict[str, Any]]:
        result = host.run("xha-check", "cluster", "--json")
        document = json.loads(result.out)
        validate(document)
        text = host.run("xha-check", "cluster")
        assert result.code == text.code == 2
        nagios = host.run("xha-check", "cluster", "--nagios").out
        for one in document["disagreements"]:
            assert f"\nDISAGREEMENT {one['code']}: {one['message']}\n" in text.out
            assert one["message"].replace("|", "/") in nagios
        return text, {one["code"]: one for one in document["disagreements"]}

    def test_two_clusters_that_were_bootstrapped_apart(self, host: Host, members: Cluster, galera: Node) -> None:
        configure(host, members.nodes[0], *addresses(members), galera.address)
        text, found = self.ask(host)
        assert set(reasons(text).values()) == {"synced"}  # each node is well: only side by side they are not
        assert list(found) == ["uuid", "two-primaries"]
        for uuid in (self.uuid(galera), self.uuid(members.nodes[0])):
            assert uuid in found["uuid"]["message"]
        names = {f"{one}:3306" for one in (*addresses(members), galera.address)}
        assert set(found["two-primaries"]["nodes"]) == names

    def uuid(self, node: Node) -> str:
        return node.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]

    def test_a_member_outside_and_then_a_second_primary_of_one_history(self, host: Host, members: Cluster) -> None:
        first, second, third = members.nodes
        if third.sql("SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_evs_version'"):
            pytest.skip("MariaDB 11.8 has no variable for gmcast.isolate")
        configure(host, first, *addresses(members))
        third.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
        outside = {"wsrep_cluster_status": "non-Primary"}
        wait_until(lambda: third.status("wsrep_cluster_status") == outside, 60, "the third node is alone")
        left = {"wsrep_cluster_size": "2", "wsrep_cluster_status": "Primary"}
        wait_until(lambda: all(one.status(*left) == left for one in (first, second)), 60, "two are left")
        text, found = self.ask(host)
        assert list(reasons(text).values()) == ["synced", "synced", "non-primary"]
        assert list(found) == ["outside"]
        alone = host.run("xha-check", "node", third.address)
        assert alone.code == 2
        assert "non-primary: the node is not in the primary component: it has lost the majority" in alone.out
        assert found["outside"]["nodes"] == [f"{third.address}:3306"]

        third.sql("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
        third.wait_synced()
        text, found = self.ask(host)
        assert set(reasons(text).values()) == {"synced"}
        assert list(found) == ["two-primaries"]
        assert f"{third.address}:3306 on {third.address}:3306" in found["two-primaries"]["message"]
        assert self.uuid(third) == self.uuid(first)
        third.kill()
        # What it wrote alone is nobody's: it takes a whole copy. Its saved view would make it a Primary again.
        for name in ("grastate.dat", "gvwstate.dat"):
            (third.datadir / name).unlink(missing_ok=True)


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--nagios"]])
def test_a_wrong_password_is_shown_nowhere(host: Host, members: Cluster, arguments: list[str]) -> None:
    host.write("/etc/xha/client.cnf", option_file(user=USER, password=f"wrong-{PASSWORD}"), 0o640)
    configure(host, members.nodes[0], *addresses(members))
    result = host.run("xha-check", "cluster", *arguments)
    assert result.code == 3
    assert "access-denied" in result.out
    assert "wrong-" not in result.said
