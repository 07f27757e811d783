"""A member's port 49000 is another host's: it costs its own row at most, and says nothing about another member.

xha-check cluster runs as an operator runs it. The other member is well by its own, honest word.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.facts import OTHER_UUID, UUID, synced
from loopback import Net
from loopback.doors import door
from security.hostile_database import hostile, says
from security.hostile_peers import COMMON, HTTP_ALWAYS, Hostile
from security.measured import MOST, wrapper
from xha.app.cluster.look import ClusterView
from xha.core.cluster.member_view import MemberView
from xha.core.cluster.members import parse_incoming_addresses
from xha.core.cluster.sources import Source, SourceAnswer
from xha.core.node.verdict import NagiosCode
from xha.doors.check.cluster.cluster import tell_waiting
from xha.doors.check.cluster.rows import note_lines

PORT, DEADLINE = 49000, 2.0
# Two rounds of the deadline, Python's start, and a machine without time for it.
SOON = 60.0


def ask(directory: Path, *members: str, port: int = PORT) -> dict[str, Any]:
    """The document, with `peak` in KiB and `seconds`. port: of all responders."""
    config, peak = directory / "xha.conf", directory / "peak"
    config.write_text(
        f"[database]\nsocket = {directory}/none\n[cluster]\nmembers = {' '.join(members)}\n"
        f"[responder]\ndeadline = {DEADLINE:g}s\nlisten = 127.0.0.1:{port}\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [*wrapper(peak), door("xha-check"), "cluster", "--json", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "code": done.returncode, "peak": int(peak.read_text()), "seconds": time.monotonic() - began}


@contextlib.contextmanager
def listening(address: str, port: int = PORT) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(16)
        yield listener


@contextlib.contextmanager
def saying(address: str, port: int = PORT, **answers: bytes) -> Iterator[int]:
    """A peer that answers `/ready` and `/node` with these bytes, and nothing else. Yields its port."""

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    path = connection.recv(4096).split(b" ")[1].decode().strip("/")
                    connection.sendall(answers.get(path, b"HTTP/1.1 403 Forbidden\r\n\r\n"))

    with listening(address, port) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)  # accept ends
        thread.join(10)


def body(text: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text.encode())}\r\n\r\n{text}".encode()


def node(**reading: object) -> bytes:
    facts = {"wsrep_local_state": 4, "wsrep_cluster_status": "Primary", "wsrep_cluster_state_uuid": UUID, **reading}
    return body(json.dumps({"kind": "node", "age_ms": 1, "reading": facts}))


HONEST = {"ready": body("synced 3 ms\n"), "node": node()}


@pytest.mark.parametrize("way", [*COMMON, *HTTP_ALWAYS])
def test_a_hostile_peer_costs_its_own_row_and_its_time(net: Net, tmp_path: Path, way: str) -> None:
    bad, good = net.next_address(), net.next_address()
    with listening(bad) as listener, Hostile(listener, "http", way), saying(good, **HONEST):
        found = ask(tmp_path, bad, good)
    rows = {one["member"]: one for one in found["members"]}
    assert rows[f"{bad}:3306"]["service"] == "unknown", rows
    cause = next(one["cause"] for one in rows[f"{bad}:3306"]["sources"] if one["source"] == "responder")
    assert cause
    assert (rows[f"{good}:3306"]["service"], rows[f"{good}:3306"]["code"]) == ("in", "synced")
    assert found["seconds"] < SOON
    assert found["peak"] < MOST, found["peak"]


LIES = {
    "to be the other member": {"ready": body("synced 3 ms\n"), "node": node(wsrep_gcomm_uuid=UUID)},
    "to name the members": {
        "ready": body("synced 3 ms\n"),
        "node": node(
            wsrep_incoming_addresses="192.0.2.1:3306,192.0.2.2:3306", wsrep_cluster_address="gcomm://192.0.2.3"
        ),
    },
    "another history": {"ready": body("synced 3 ms\n"), "node": node(wsrep_cluster_state_uuid=OTHER_UUID)},
    "that the cluster stalls": {"ready": body("stalling 6000 ms\n", "503 Service Unavailable")},
    "to control the terminal": {
        "ready": body("synced 3 ms\n"),
        "node": node(wsrep_local_state_comment="\x1b[2J\x1b]0;owned\x07"),
    },
    "a document that is nested": {"ready": body("synced 3 ms\n"), "node": body("[" * 30000)},
}


@pytest.mark.parametrize("title", LIES)
def test_a_liar_changes_no_verdict_on_another_member(net: Net, tmp_path: Path, title: str) -> None:
    bad, good = net.next_address(), net.next_address()
    with saying(good, **HONEST), saying(bad, **LIES[title]):
        found = ask(tmp_path, bad, good)
    rows = {one["member"]: one for one in found["members"]}
    assert set(rows) == {f"{bad}:3306", f"{good}:3306"}  # nobody is added, and nobody hidden
    honest = rows[f"{good}:3306"]
    assert (honest["service"], honest["code"], honest["exit_code"], honest["source"]) == (
        "in",
        "synced",
        0,
        "responder",
    )
    assert "\x1b" not in json.dumps(found, ensure_ascii=False)
    named = {one["code"] for one in found["disagreements"]}
    assert named <= {"uuid", "two-primaries", "stall", "sources"}
    assert ("uuid" in named) is (title == "another history")
    assert ("stall" in named) is (title == "that the cluster stalls")


def test_who_takes_this_host_s_port_does_not_speak_for_another_member(tmp_path: Path) -> None:
    """Where this host's SQL is not readable, whatever answers at 127.0.0.1 may say that it is any member's server."""
    dead, gone = "198.51.100.7", "198.51.100.8"  # nobody's (RFC 5737)
    lie = node(hostname=dead, wsrep_node_name=gone, wsrep_node_address=gone, port=3306)
    with saying("127.0.0.1", 0, ready=body("synced 3 ms\n"), node=lie) as port:
        found = ask(tmp_path, dead, gone, port=port)
    rows = {one["member"]: (one["service"], one["code"], one["exit_code"]) for one in found["members"]}
    assert rows == {f"{each}:3306": ("unknown", "unreachable", 2) for each in (dead, gone)}
    assert found["code"] == 2


def test_a_server_that_calls_itself_another_member_s_hides_no_other_verdict(net: Net, tmp_path: Path) -> None:
    """Two names of one server are one row; who reads the UUID of a neighbour can claim it."""
    bad, broken = net.next_address(), net.next_address()
    well = synced(wsrep_gcomm_uuid=UUID)
    apart = well.status._replace(wsrep_local_state=0, wsrep_cluster_status="non-Primary", wsrep_ready=False)
    with (
        hostile((bad, 3306), says(well.status._asdict(), well.variables._asdict())),
        hostile((broken, 3306), says(apart._asdict(), well.variables._asdict())),
    ):
        found = ask(tmp_path, bad, broken)
    rows = {one["member"]: (one["service"], one["code"]) for one in found["members"]}
    assert rows == {f"{bad}:3306": ("in", "synced"), f"{broken}:3306": ("out", "non-primary")}
    assert found["code"] == 2


def test_the_name_of_a_member_does_not_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """This host's server names the members: wsrep_incoming_addresses is text of its account's."""
    (name,) = parse_incoming_addresses("\x1b[2J\x1b]0;owned\x07\n:3306")
    denied = SourceAnswer(Source.SQL, "access-denied", cause="denied")
    serving = SourceAnswer(Source.RESPONDER, "synced", available=True, exit_code=NagiosCode.OK)
    view = ClusterView((MemberView(name, (denied, serving)),))
    (note,) = note_lines(view)
    tell_waiting((str(name),))
    said = capsys.readouterr().err
    assert "owned" in note
    assert "owned" in said
    assert (note + said.rstrip("\n")).isprintable()
