"""What one real Galera node reports in each of its states, and what `/`, `/ready` and `/live` answer then."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loopback import Daemon, Died, Net, Node, wait_until
from loopback.files import put
from loopback.server_root import server_command
from responder.conftest import MakeResponder
from responder.process import ACCOUNT, Responder

ALONE = "last_node = 0"  # otherwise a single node would stay in service as the last one


@contextlib.contextmanager
def variable(node: Node, name: str, value: str, normal: str) -> Iterator[None]:
    """Set a global variable of the server during the block."""
    node.sql(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        node.sql(f"SET GLOBAL {name} = {normal}")


def service(responder: Responder) -> tuple[int, int, str]:
    """The status of `/` and of /live, and the reason code, for the next probes."""
    status, code = responder.next_verdict()
    answers = {path: responder.ask(path) for path in ("/", "/live")}
    assert answers["/"].status == status
    return status, answers["/live"].status, code


def node(responder: Responder) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(responder.ask("/node").body)
    return document


def test_a_node_that_rejects_queries_is_out_of_service_though_its_status_is_green(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database)
    assert service(responder) == (200, 200, "synced")
    with variable(database, "wsrep_reject_queries", "'ALL'", "'NONE'"):
        assert service(responder) == (503, 200, "rejecting-queries")
        assert node(responder)["reading"]["probe_errno"] == 1047
        assert node(responder)["reading"]["wsrep_ready"] is True
        assert make_responder(database).verdict() == (503, "rejecting-queries")
    assert service(responder) == (200, 200, "synced")


@pytest.mark.parametrize(("switch", "status"), [("0", 503), ("1", 200)])
def test_an_operators_desync_is_desynced_and_by_policy_in_service(
    database: Node, make_responder: MakeResponder, switch: str, status: int
) -> None:
    responder = make_responder(database, policy=f"available_when_donor = {switch}\n{ALONE}")
    with variable(database, "wsrep_desync", "ON", "OFF"):
        wait_until(lambda: database.status("wsrep_local_state")["wsrep_local_state"] == "2", 10, "state 2")
        assert service(responder) == (status, 200, "desynced")
    wait_until(database.is_synced, 10, "it is Synced again")
    assert service(responder) == (200, 200, "synced")


@pytest.mark.parametrize(("switch", "status"), [("0", 503), ("1", 200)])
def test_a_read_lock_makes_the_node_a_donor_without_evidence_and_by_policy_in_service(
    database: Node, make_responder: MakeResponder, switch: str, status: int
) -> None:
    responder = make_responder(database, policy=f"available_when_donor = {switch}\n{ALONE}")
    with read_lock(database):
        assert service(responder) == (status, 200, "donor")
        assert node(responder)["reading"]["donor_evidence"] is None
    wait_until(database.is_synced, 10, "it is Synced again")
    assert service(responder) == (200, 200, "synced")


@contextlib.contextmanager
def read_lock(node: Node) -> Iterator[None]:
    with contextlib.closing(node.connect()) as root, root.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        wait_until(lambda: node.status("wsrep_local_state")["wsrep_local_state"] == "2", 10, "it is desynced")
        yield


def test_the_last_node_rule_keeps_a_lone_donor_in_service_and_says_so(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database)
    with read_lock(database):
        assert service(responder) == (200, 200, "donor")
        assert "only member" in node(responder)["verdict"]["message"]
    assert len(responder.lines("in service: donor")) == 1


def test_a_real_mariabackup_that_holds_its_lock_is_a_donor_lock_and_named_as_the_evidence(
    net: Net, database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, policy=ALONE)
    with mariabackup_in_its_lock(net, database) as backup:
        assert service(responder) == (503, 200, "donor-lock")
        assert f"pid {backup.pid}" in node(responder)["reading"]["donor_evidence"]
    wait_until(database.is_synced, 10, "it is Synced again")
    assert service(responder) == (200, 200, "synced")


def is_donor(node: Node) -> bool:
    return node.status("wsrep_local_state")["wsrep_local_state"] == "2"


def stays_donor(node: Node) -> bool:
    """Whether the lock is still held a moment later: its end may have begun already."""
    time.sleep(0.3)
    return is_donor(node)


@contextlib.contextmanager
def mariabackup_in_its_lock(net: Net, node: Node) -> Iterator[Daemon]:
    """A backup, frozen in the moment in which it blocks the node's replication."""
    targets = net.directory / "backups"
    targets.mkdir(exist_ok=True)
    targets.chmod(0o777)  # for the account of a server in another root
    for attempt in range(10):  # a small database is copied very fast: the moment may have passed
        target = targets / f"backup-{attempt}"
        arguments = [f"--socket={node.socket}", f"--datadir={node.datadir}", "--user=root", f"--target-dir={target}"]
        program = server_command("mariabackup", "mariadb-backup")
        backup = Daemon(net, [*program, "--no-defaults", "--backup", *arguments], net.directory / f"{target.name}.log")
        with backup:
            while backup.is_running():
                with contextlib.suppress(Died):  # it has just ended
                    backup.freeze()
                    if is_donor(node) and stays_donor(node):
                        yield backup
                        return
                    backup.thaw()
                    time.sleep(0.005)
    raise AssertionError("ten backups ended without having been seen in their lock")


@pytest.mark.parametrize(("switch", "status"), [("0", 503), ("1", 200)])
def test_a_read_only_node_is_by_policy_in_service(
    database: Node, make_responder: MakeResponder, switch: str, status: int
) -> None:
    responder = make_responder(database, policy=f"available_when_readonly = {switch}\n{ALONE}")
    with variable(database, "read_only", "ON", "OFF"):
        assert service(responder) == (status, 200, "read-only")
    assert service(responder) == (200, 200, "synced")


def test_a_node_whose_transactions_are_read_only_is_read_only(database: Node, make_responder: MakeResponder) -> None:
    """The variable has one name, the other, or both, by the server's version."""
    names = [row[0] for row in database.sql("SHOW GLOBAL VARIABLES WHERE Variable_name RLIKE '^(tx|transaction)_read'")]
    assert names
    responder = make_responder(database, policy=f"available_when_readonly = 0\n{ALONE}")
    with variable(database, names[0], "ON", "OFF"):
        assert service(responder) == (503, 200, "read-only")
        assert f"{names[0]} " in node(responder)["verdict"]["message"]
    assert service(responder) == (200, 200, "synced")


def test_a_server_that_listens_on_no_port_is_out_of_service(net: Net, make_responder: MakeResponder) -> None:
    with Node(net, net.directory / "unheard", net.next_address(), options=["--skip-networking"]) as unheard:
        unheard.create_account(f"{ACCOUNT}@localhost")
        responder = make_responder(unheard)
        assert service(responder) == (503, 200, "skip-networking")
        assert unheard.is_synced()


def test_a_server_that_listens_on_loopback_only_serves_with_a_warning(net: Net, make_responder: MakeResponder) -> None:
    options = ["--bind-address=127.0.0.1", f"--port={net.next_port()}"]
    with Node(net, net.directory / "indoors", net.next_address(), options=options) as indoors:
        indoors.create_account(f"{ACCOUNT}@localhost")
        responder = make_responder(indoors)
        assert service(responder) == (200, 200, "synced")
        assert "listens on 127.0.0.1 only" in str(node(responder)["warnings"])


def test_a_node_that_is_connected_to_no_group_has_a_sentence_of_its_own(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database)
    try:
        database.sql("SET GLOBAL wsrep_cluster_address = ''")
        responder.wait_verdict(503, "disconnected")
        assert service(responder) == (503, 503, "disconnected")
        assert "connected to no group" in node(responder)["verdict"]["message"]
    finally:
        database.kill()


def test_a_lone_read_only_node_stays_in_service_as_the_last_one(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, policy="available_when_readonly = 0")
    with variable(database, "read_only", "ON", "OFF"):
        assert service(responder) == (200, 200, "read-only")


def test_a_server_with_wsrep_off_is_out_of_service(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    with variable(database, "wsrep_on", "OFF", "ON"):
        assert service(responder) == (503, 503, "wsrep-off")
    assert service(responder) == (200, 200, "synced")


def test_a_server_without_galera_is_wsrep_off(net: Net, make_responder: MakeResponder) -> None:
    directory = net.directory / "plain"
    plain = Node(net, directory, net.next_address(), options=["--wsrep-on=OFF", "--wsrep-provider=none"])
    plain.start()
    with contextlib.ExitStack() as stack:
        stack.callback(plain.kill)
        plain.wait_ready(plain.answers, 60, "it answers")
        plain.create_account(f"{ACCOUNT}@localhost")
        assert service(make_responder(plain)) == (503, 503, "wsrep-off")


def test_a_write_that_waits_for_the_cluster_does_not_hold_up_the_reading(
    database: Node, make_responder: MakeResponder
) -> None:
    """wsrep_sync_wait makes a SHOW wait for the applier; the check's session never waits."""
    with variable(database, "wsrep_sync_wait", "15", "0"):
        responder = make_responder(database)
        assert service(responder) == (200, 200, "synced")


def disable(responder: Responder, text: str) -> None:
    put(responder.disabled, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"by": "ops", "why": "kernel", "until": null}',
        '{"by": "ops", "why": "kernel", "until": "2999-01-01T00:00:00Z"}',
        "",
        "garbage",
        '{"until": "tomorrow"}',
        '{"until": 5}',
        "[1, 2]",
        "[" * 5000,
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
    ids=lambda text: text[:30],
)
def test_a_disabled_file_takes_the_node_out_even_when_it_is_garbage(
    database: Node, make_responder: MakeResponder, text: str
) -> None:
    responder = make_responder(database)
    with responder.no_growth():
        disable(responder, text)
        assert service(responder) == (503, 200, "disabled")
        assert node(responder)["disabled"] is not None
        responder.disabled.unlink()
        assert service(responder) == (200, 200, "synced")
    assert len(responder.lines("out of service: disabled")) == 1


def test_a_disabled_file_whose_time_is_over_counts_no_more(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    disable(responder, '{"by": "ops", "why": "x", "until": "2001-01-01T00:00:00+01:00"}')
    assert service(responder) == (200, 200, "synced")


def test_who_disabled_the_node_and_why_stands_on_one_line_of_the_log_and_in_node(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database)
    disable(responder, json.dumps({"by": "ops", "why": "new\nkernel\x1b[31m" + "x" * 300, "until": None}))
    assert service(responder) == (503, 200, "disabled")
    shown = node(responder)["disabled"]
    assert shown["by"] == "ops"
    assert len(shown["why"]) <= 200
    assert shown["why"].isprintable()
    assert "\x1b" not in responder.log.read_text()


@pytest.mark.parametrize("kind", ["unreadable", "directory", "fifo", "dangling link", "socket"])
def test_what_stands_in_the_disabled_files_place_neither_hangs_nor_leaks(
    database: Node, make_responder: MakeResponder, kind: str
) -> None:
    responder = make_responder(database)
    assert service(responder) == (200, 200, "synced")
    with responder.no_growth():
        put_a(responder, kind)
        expected = (200, 200, "synced") if kind == "dangling link" else (503, 200, "disabled")
        for _ in range(5):
            assert service(responder) == expected
        if kind == "unreadable":
            assert "permission denied" in str(node(responder)["disabled"])
        (responder.disabled.rmdir if kind == "directory" else responder.disabled.unlink)()
        assert service(responder) == (200, 200, "synced")


def put_a(responder: Responder, kind: str) -> None:
    path = responder.disabled
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to("/nonexistent")
    elif kind == "socket":
        subprocess.run(["python3", "-c", "import socket, sys; socket.socket(1).bind(sys.argv[1])", path], check=True)
    else:
        path.touch(mode=0o000)


@pytest.mark.parametrize("kind", ["file", "fifo", "unreadable", "dangling link"])
def test_clusterchecks_own_flag_counts_where_it_is_configured_by_its_mere_existence(
    database: Node, make_responder: MakeResponder, kind: str
) -> None:
    responder = make_responder(database)
    legacy = responder.directory / "clustercheck.disabled"
    if kind == "fifo":
        os.mkfifo(legacy)
    elif kind == "dangling link":
        legacy.symlink_to("/nonexistent")
    else:
        legacy.touch(mode=0o644 if kind == "file" else 0)
    assert service(responder) == (200, 200, "synced")  # not configured
    put(responder.config, f"{responder.settings}legacy_disabled_file = {legacy}\n")
    assert service(responder) == (503, 200, "disabled")
    legacy.unlink()
    assert service(responder) == (200, 200, "synced")


def test_a_broken_server_outranks_a_disabled_node(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    disable(responder, "{}")
    assert service(responder) == (503, 200, "disabled")
    database.kill()
    assert service(responder) == (503, 503, "server-down")
