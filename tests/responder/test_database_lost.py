"""mysqld stopped, killed, frozen, restarted: what the next probe is told, and that nothing accumulates."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from typing import Callable

import pymysql
import pytest

from loopback import Node, wait_until
from responder.client import PROBE, exchange
from responder.conftest import MakeResponder
from responder.flood import flood
from responder.process import ACCOUNT, BUSY_MACHINE, PROMPT

DEADLINE = 2.0  # of the tests that freeze a server
FLOOD_SECONDS = 5.0
NO_SUCH_THREAD = 1094  # ER_NO_SUCH_THREAD
RATES = (1000, 1000, 500, 250)  # the first that the machine can send at all: what another load leaves of it


def connections_of_the_check(node: Node) -> list[int]:
    rows = node.sql("SELECT id FROM information_schema.processlist WHERE user = %s", ACCOUNT)
    return [row[0] for row in rows]


def sockets_at(node: Node) -> int:
    """The number of connections at the server's socket in the kernel's table, including those it never accepted."""
    with open("/proc/net/unix") as table:
        return sum(1 for line in table if line.endswith(f"{node.socket}\n") and line.split()[5] != "01")


def test_a_stopped_server_is_down_and_back_on_the_next_probe(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    with responder.no_growth():
        database.stop()
        assert responder.next_verdict() == (503, "server-down")
        assert responder.ask("/live").status == 503
        database.mend()
        assert responder.next_verdict() == (200, "synced")
    assert len(responder.lines("out of service: server-down")) == 1
    assert len(responder.lines("in service: synced")) == 2


def test_a_killed_server_is_down_and_back_on_the_next_probe(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    database.kill()
    assert responder.next_verdict() == (503, "server-down")
    database.mend()
    assert responder.next_verdict() == (200, "synced")


def test_a_restart_that_no_probe_saw_costs_no_probe(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    assert responder.verdict() == (200, "synced")
    database.kill()
    database.mend()
    assert responder.next_verdict() == (200, "synced")
    assert not responder.lines("out of service")


def test_a_connection_that_the_server_closed_for_idleness_costs_no_probe(
    database: Node, make_responder: MakeResponder
) -> None:
    others = set(connections_of_the_check(database))  # of the responder that other files' tests share
    database.sql("SET GLOBAL wait_timeout = 1")
    try:
        responder = make_responder(database)
        assert responder.verdict() == (200, "synced")
        wait_until(lambda: others >= set(connections_of_the_check(database)), 20, "the server has closed it")
        assert responder.next_verdict() == (200, "synced")
    finally:
        database.sql("SET GLOBAL wait_timeout = DEFAULT")


def test_a_connection_that_an_operator_killed_costs_no_probe(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    for _ in range(3):
        assert responder.next_verdict() == (200, "synced")
        for connection in connections_of_the_check(database):
            try:
                database.sql(f"KILL {connection}")
            except pymysql.MySQLError as error:  # one that the last turn killed, and that was still listed, has gone
                if error.args[0] != NO_SUCH_THREAD:
                    raise


def test_a_missing_socket_file_is_server_down_until_it_is_there(database: Node, make_responder: MakeResponder) -> None:
    hidden = database.socket.with_name("hidden.sock")
    database.socket.rename(hidden)
    try:
        responder = make_responder(database)
        assert responder.verdict() == (503, "server-down")
        with responder.no_growth():
            assert responder.next_verdict() == (503, "server-down")
    finally:
        hidden.rename(database.socket)
    assert responder.next_verdict() == (200, "synced")


def test_a_port_where_nobody_listens_is_server_down(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, database=f"host = {database.address}\nport = 3399")
    assert responder.verdict() == (503, "server-down")


def test_a_frozen_server_is_hung_within_the_deadline_and_right_again_when_thawed(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, responder="deadline = 2s\nhang_reset = 10s")
    assert responder.verdict() == (200, "synced")
    with responder.no_growth(), database.frozen():
        responder.outlive_reading()
        answer = responder.ask("/ready")
        assert (answer.status, answer.code) == (503, "hung")
        assert DEADLINE * 0.9 <= answer.seconds < DEADLINE + BUSY_MACHINE
        # The reading is overdue already: these requests do not wait.
        assert min(responder.ask("/ready").seconds for _ in range(5)) < 0.5
        assert responder.ask("/live").status == 503
    responder.wait_verdict(200, "synced")
    assert len(responder.lines("out of service: hung")) == 1


def test_a_server_frozen_before_the_first_connect_is_hung_and_right_again_when_thawed(
    database: Node, make_responder: MakeResponder
) -> None:
    with database.frozen():
        responder = make_responder(database, responder=PROMPT)
        assert responder.verdict() == (503, "hung")
        assert responder.verdict() == (503, "hung")
    responder.wait_verdict(200, "synced")


def test_a_thaw_after_the_reader_gave_up_and_nobody_asked_is_seen_by_the_next_probe(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, responder=PROMPT)
    assert responder.verdict() == (200, "synced")
    connected = responder.descriptors
    with database.frozen():
        assert responder.next_verdict() == (503, "hung")
        wait_until(lambda: responder.descriptors < connected, 10, "the reader has given the connection up")
    wait_until(database.is_synced, 10, "the server answers again")
    assert responder.next_verdict() == (200, "synced")


def test_the_configured_deadline_holds_for_the_very_first_reading(
    database: Node, make_responder: MakeResponder
) -> None:
    with database.frozen():
        responder = make_responder(database, responder="deadline = 2500ms\nhang_reset = 10s")
        answer = responder.ask("/ready")
    assert answer.code == "hung"
    assert 2.3 < answer.seconds < 2.5 + BUSY_MACHINE  # and not after one second, the default


def test_a_frozen_server_is_given_at_most_one_connection_every_hang_reset(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, responder="deadline = 2s\nhang_reset = 1s")
    assert responder.verdict() == (200, "synced")
    with responder.no_growth(), database.frozen():
        responder.outlive_reading()
        before, began = sockets_at(database), time.monotonic()
        while time.monotonic() - began < 4:
            assert responder.verdict() == (503, "hung")
        left_behind = sockets_at(database) - before
        took = time.monotonic() - began
    assert 2 <= left_behind <= took + 1


def test_a_backlog_that_others_filled_is_hung_and_not_down(database: Node, make_responder: MakeResponder) -> None:
    with database.frozen(), contextlib.ExitStack() as stack:
        full = False
        while not full:  # like an application's pool that reconnects every second
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            full = client.connect_ex(str(database.socket)) != 0
        responder = make_responder(database, responder=PROMPT)
        assert responder.verdict() == (503, "hung")
    responder.wait_verdict(200, "synced")


@pytest.mark.alone
def test_a_freeze_under_a_thousand_probes_a_second_is_answered_within_the_deadline_and_piles_up_nothing(
    database: Node, make_responder: MakeResponder, tell: Callable[[str], None]
) -> None:
    responder = make_responder(database, responder="deadline = 2s\nhang_reset = 2s")
    for rate in RATES:
        assert responder.verdict() == (200, "synced")
        told = len(responder.lines("out of service: hung"))
        with responder.no_growth(megabytes=16), database.frozen():
            responder.outlive_reading()
            before = sockets_at(database)
            probes = flood(responder.address, rate, FLOOD_SECONDS)
            left_behind = sockets_at(database) - before
        responder.wait_verdict(200, "synced")
        last = max(probe.sent for probe in probes)
        if last < FLOOD_SECONDS * 1.1:  # this machine had the time to send them
            break
    slowest = max(probe.answer.seconds for probe in probes)
    tell(
        f"{len(probes) / last:.0f} probes/s, the slowest 503 after {slowest * 1000:.0f} ms "
        f"(deadline {DEADLINE * 1000:.0f} ms), {left_behind} connections left at the server"
    )
    assert {probe.answer.status for probe in probes} == {503}
    assert slowest < DEADLINE + BUSY_MACHINE
    assert left_behind <= (last + slowest) / 2 + 1
    assert len(responder.lines("out of service: hung")) == told + 1


def test_when_nobody_probes_the_database_is_left_alone_and_a_flood_costs_twelve_readings_a_second(
    database: Node, make_responder: MakeResponder
) -> None:
    responder = make_responder(database)
    responder.verdict()

    def questions() -> int:
        return int(database.status("Com_show_status")["Com_show_status"])

    for _ in range(5):  # on a busy machine the reading for that answer may still be under way
        before = questions()
        time.sleep(0.5)
        asked = questions() - before
        if asked <= 1:  # this test's own question
            break
    assert asked <= 1
    before, began = questions(), time.monotonic()
    while time.monotonic() - began < 1.5:
        exchange(responder.address, PROBE)
    assert questions() - before <= 12 * (time.monotonic() - began) + 3


def test_an_answer_never_rests_on_a_reading_older_than_it_says(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, responder="max_age = 300ms")
    ages = []
    began = time.monotonic()
    while time.monotonic() - began < 1:
        answer = responder.ask("/ready")
        ages.append((int(answer.body.split()[1]), answer.seconds * 1000))
    assert all(age <= 300 + took + 1 for age, took in ages)
    assert max(age for age, _ in ages) > 100  # the finished reading does answer


def test_sigterm_ends_it_at_once_even_when_the_server_is_frozen(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database, responder=PROMPT)
    responder.verdict()
    with database.frozen():
        assert responder.next_verdict() == (503, "hung")
        responder.signal(signal.SIGTERM)
        responder.wait_ended(20)  # it waits for nothing: the server is still frozen
    assert responder.exit_code == 0
