"""Which clients of a real server a drain closes: those alone that have done nothing since it looked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from loopback import Node
from xha.adapters.mysql.clients import LOOK_PAUSE, Clients
from xha.adapters.mysql.login_target import Target
from xha.core.node.drain_rule import NEW_SECONDS, ClientSeen, choose_idle

IDLE_SECONDS = 0.6


@pytest.fixture
def clients(node: Node) -> Iterator[Clients]:
    account = frozenset({node.socket.stat().st_uid})
    one = Clients(Target("root", socket=str(node.socket), server_uids=account))
    yield one
    one.close()


@pytest.fixture
def client(node: Node) -> Iterator[pymysql.Connection[Any]]:
    with contextlib.closing(node.connect(autocommit=False)) as connection:
        yield connection


def seen(clients: Clients, client: pymysql.Connection[Any]) -> ClientSeen:
    there = clients.look()
    assert there is not None
    return next(one for one in there if one.number == client.thread_id())


def is_open(client: pymysql.Connection[Any]) -> bool:
    try:
        client.ping(reconnect=False)
    except pymysql.MySQLError:
        return False
    return True


def test_an_idle_client_is_closed(clients: Clients, client: pymysql.Connection[Any]) -> None:
    time.sleep(IDLE_SECONDS)
    number = seen(clients, client).number
    assert clients.close_connection(number)
    assert not is_open(client)
    assert not clients.close_connection(number), "it is gone"


def test_a_client_that_worked_since_the_look_is_not(clients: Clients, client: pymysql.Connection[Any]) -> None:
    time.sleep(IDLE_SECONDS)
    one = seen(clients, client)
    assert choose_idle([one]) == (one.number,)
    client.query("SELECT 1")
    assert not clients.close_connection(one.number)
    assert is_open(client)


def test_a_client_that_has_just_come_may_be_about_to_work_until_looks_have_met_it_for_a_while(
    clients: Clients, client: pymysql.Connection[Any]
) -> None:
    client.query("SELECT 1")
    time.sleep(0.1)
    new = seen(clients, client)
    assert new.idle is not None
    assert (new.known, choose_idle([new])) == (0.0, () if new.idle < NEW_SECONDS else (new.number,))
    clients.close()
    time.sleep(NEW_SECONDS)
    client.query("SELECT 1")
    time.sleep(IDLE_SECONDS)
    again = seen(clients, client)
    assert again.known >= NEW_SECONDS, "what was seen outlives a connection of the one who looks"
    assert choose_idle([again]) == (again.number,)


def test_a_client_that_nobody_looked_at_is_not(clients: Clients, client: pymysql.Connection[Any]) -> None:
    time.sleep(IDLE_SECONDS)
    assert not clients.close_connection(client.thread_id())
    assert is_open(client)


def test_a_transaction_is_seen_by_the_next_look(clients: Clients, client: pymysql.Connection[Any], node: Node) -> None:
    node.sql("CREATE DATABASE IF NOT EXISTS app")
    node.sql("CREATE TABLE IF NOT EXISTS app.looked (i INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB")
    assert not seen(clients, client).transaction
    client.begin()
    client.query("INSERT INTO app.looked VALUES ()")
    for _ in range(3):
        time.sleep(LOOK_PAUSE)
        one = seen(clients, client)
        assert one.transaction
        assert choose_idle([one]) == ()
    client.rollback()
    time.sleep(LOOK_PAUSE)
    assert not seen(clients, client).transaction
