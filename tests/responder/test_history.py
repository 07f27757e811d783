"""The availability ledger: written by real responders of a real node, read by xha-check history (docs/history.md)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from loopback import Net, Node, wait_until
from loopback.doors import door
from loopback.files import put
from responder.conftest import MakeResponder
from responder.process import Responder

FROZEN = "deadline = 3s\nhang_reset = 3s"  # an answer that is late by that much would be one outage more


def history(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [door("xha-check"), "history", "--config", str(config), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def document(responder: Responder, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(history(responder.config, "--json", *words).stdout)
    return found


def kinds(responder: Responder) -> list[str]:
    text = responder.history_file.read_text() if responder.history_file.exists() else ""
    return [json.loads(row)["kind"] for row in text.splitlines()]


def written(responder: Responder, changes: int) -> None:
    """Wait until so many changes stand in the file: a thread writes them."""
    wait_until(lambda: kinds(responder).count("state") == changes, 20, lambda: f"{changes}: {kinds(responder)}")


def test_every_change_is_a_line_and_every_outage_has_its_cause(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, responder=FROZEN)
    assert responder.verdict() == (200, "synced")
    put(responder.disabled, '{"by": "root", "why": "disk swap", "until": null}')
    assert responder.next_verdict() == (503, "disabled")
    responder.disabled.unlink()
    assert responder.next_verdict() == (200, "synced")
    database.signal(signal.SIGSTOP)
    responder.wait_verdict(503, "hung")
    database.signal(signal.SIGCONT)
    responder.wait_verdict(200, "synced")
    written(responder, 5)
    told = document(responder, "--since", "1h")
    node = told["nodes"][0]
    assert [(one["cause"], one["planned"]) for one in node["outages"]] == [("disabled", True), ("hung", False)]
    assert all(one["rto_seconds"] > 0 for one in node["outages"])
    assert node["planned_seconds"] > 0
    assert node["unplanned_seconds"] > 0
    # the hour before the responder began
    assert 3000 < node["unknown_seconds"] < 3600
    assert node["unknown"] == "nothing is recorded so far back"
    assert node["availability_unplanned"] > node["availability"]
    assert responder.node()["verdict"]["since"] is not None


def test_time_without_a_responder_is_not_known(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    responder.verdict()
    written(responder, 1)
    responder.kill()
    responder.start()
    responder.verdict()
    written(responder, 2)
    node = document(responder)["nodes"][0]
    assert "no responder ran" in node["unknown"]
    assert node["outages"] == []
    assert kinds(responder).count("run") == 2


def test_nothing_is_read_for_it_and_no_answer_waits(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    responder.verdict()
    written(responder, 1)
    before = responder.count("xha_readings_total")
    for _ in range(20):
        assert responder.ask("/history").status == 200
    assert responder.count("xha_readings_total") - before <= 1  # the one behind /metrics


def test_a_file_that_cannot_be_written_is_told_once_and_nothing_else_changes(
    database: Node, make_responder: MakeResponder, tmp_path: Path
) -> None:
    absent = tmp_path / "absent" / "history"
    responder = make_responder(database, responder=f"history_file = {absent}")
    assert responder.verdict() == (200, "synced")
    wait_until(lambda: responder.lines(str(absent)), 20, "it is told")
    put(responder.disabled, "{}")
    assert responder.next_verdict() == (503, "disabled")
    (line,) = responder.lines(str(absent))
    assert "no such file or directory: the history of this node is not kept" in line
    answer = responder.ask("/history")
    assert (answer.status, answer.body) == (503, "no history is kept here: the responder's log says why\n")
    result = history(responder.config)
    assert result.returncode == 3
    assert f"no responder of this host has written {absent}" in result.stdout
    # What happened meanwhile is not lost once the directory is there.
    absent.parent.mkdir()
    wait_until(lambda: absent.exists() and "disabled" in absent.read_text(), 30, "it is written after all")


def test_two_responders_do_not_write_one_file(database: Node, make_responder: MakeResponder) -> None:
    first = make_responder(database)
    first.verdict()
    written(first, 1)
    second = make_responder(database, responder=f"history_file = {first.history_file}")
    assert second.verdict() == (200, "synced")
    wait_until(lambda: second.lines("another responder writes it"), 20, second.tail)
    assert kinds(first).count("run") == 1


def test_the_members_of_a_cluster_are_asked_for_theirs(
    net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path
) -> None:
    """Three responders of one server stand for three members: what each was told is its own."""
    open_to_us = "detail_from = 127.0.0.0/8"
    first, second = (make_responder(database, responder=open_to_us) for _ in range(2))
    closed = make_responder(database, responder="detail_from = 192.0.2.1/32")
    for one in (first, second, closed):
        one.verdict()
    put(first.disabled, "{}")
    assert first.next_verdict() == (503, "disabled")
    written(first, 2)
    written(second, 1)
    hosts = " ".join(one.address[0] for one in (first, second, closed))
    silent = net.next_address()
    config = tmp_path / "xha.conf"
    port = first.address[1]
    settings = first.config.read_text().replace("[responder]", f"[responder]\nlisten = {first.address[0]}:{port}")
    put(config, f"{settings}\n[cluster]\nmembers = {hosts} {silent}\n")
    told = json.loads(history(config, "--json").stdout)
    nodes = {one["who"]: one for one in told["nodes"]}
    assert list(nodes)[:4] == [one.address[0] for one in (first, second, closed)] + [silent]
    (outage,) = nodes[first.address[0]]["outages"]
    assert outage["lasts"]
    assert outage["affected"] == f"clients of {first.address[0]}; {second.address[0]} served"
    assert nodes[closed.address[0]]["unknown"] == "the responder on port 49000 does not tell this host"
    assert "detail_from" in nodes[closed.address[0]]["remedy"]
    assert nodes[silent]["unknown"] == "port 49000: connection refused"
    assert told["cluster"]["outages"] == []
    # the ledger's own word of who is a member: nobody answers at that address
    assert list(nodes)[4:] == [database.address]
    assert socket.gethostname() not in nodes
