"""The rights of the agent's children: the least that each needs."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from server.conftest import make_server, server
from server.machine import Server
from xha.adapters.lifecycle.launch import recover

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")

__all__ = ["make_server", "server"]
NOTHING = "0000000000000000"


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def confined(status: dict[str, str]) -> bool:
    sets = {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    return sets == {NOTHING} and status["NoNewPrivs"] == "1" and set(status["Uid"].split()) != {"0"}


def watch(server: Server) -> list[dict[str, str]]:
    """Every state in which a program of this test is seen until the calls in a thread have ended."""
    program, seen = server.program(), []
    thread = threading.Thread(target=lambda: (server.program(), recover(program, time.monotonic() + 60)))
    thread.start()
    own = f"/proc/self/task/{thread.native_id}/children"
    while thread.is_alive():
        try:
            for pid in Path(own).read_text().split():
                if b"mariadbd" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    seen.append({**status_of(int(pid)), "words": Path(f"/proc/{pid}/cmdline").read_text()})
        except (OSError, KeyError):  # it has just ended
            continue
    thread.join()
    return seen


def test_a_listing_and_a_recovery_have_no_rights_but_the_account_s(server: Server) -> None:
    wanted, seen = ("--help", "--wsrep-recover"), []
    for _ in range(10):  # on a busy machine one may have ended before it was seen
        seen += [one for one in watch(server) if one.get("words", "").split("\0")[0].endswith("mariadbd")]
        if all(any(what in one["words"].split("\0") for one in seen) for what in wanted):
            break
    for what in wanted:
        states = [one for one in seen if what in one["words"].split("\0")]
        assert states, f"{what} was seen"
        assert all(confined(one) for one in states), states[0]


def test_a_server_keeps_what_its_scripts_may_need_and_nothing_of_root_s(server: Server) -> None:
    process = server.form()
    status = status_of(process.pid)
    assert status["NoNewPrivs"] == "0", "an operator's wsrep_notify_cmd may use sudo"
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {NOTHING}
    assert "0" not in status["Uid"].split()
