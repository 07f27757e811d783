"""Accounts, passwords and full servers: what an open connection reports, and what a new login gets."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
from collections.abc import Iterator

import pymysql
import pytest

from loopback import Net, Node, wait_until
from loopback.files import put
from responder.conftest import MakeResponder
from responder.process import ACCOUNT, THREADS, Responder
from security.hostile_database import asks_for, hostile

SECRET = "s3cret, 'and' \"quoted\" # pässwörd €"


@pytest.fixture
def with_password(database: Node) -> Iterator[str]:
    """An account with a password; yields the option file for it."""
    database.sql("CREATE OR REPLACE USER secretive@localhost IDENTIFIED BY %s WITH MAX_USER_CONNECTIONS 10", SECRET)
    quoted = SECRET.replace("\\", "\\\\").replace('"', '\\"')
    yield f'[client]\nuser = secretive\npassword = "{quoted}"\n'
    with contextlib.suppress(pymysql.MySQLError):
        database.sql("DROP USER IF EXISTS secretive@localhost")


def warnings_of(responder: Responder) -> str:
    return str(json.loads(responder.ask("/node").body)["warnings"])


def test_a_password_with_quotes_hashes_and_umlauts_logs_in(
    database: Node, with_password: str, make_responder: MakeResponder
) -> None:
    assert make_responder(database, client=with_password).verdict() == (200, "synced")


def test_a_wrong_password_is_access_denied_and_right_on_the_probe_after_it_was_corrected(
    database: Node, with_password: str, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, client="[client]\nuser = secretive\npassword = wrong\n")
    assert responder.verdict() == (503, "access-denied")
    assert responder.ask("/live").status == 503
    with responder.no_growth():
        assert responder.next_verdict() == (503, "access-denied")
    put(responder.client, with_password)
    assert responder.next_verdict() == (200, "synced")
    assert len(responder.lines("out of service: access-denied")) == 1
    assert "wrong" not in responder.log.read_text()


def test_a_password_changed_later_leaves_the_open_door_in_service_with_a_warning_and_closes_a_new_one(
    database: Node, with_password: str, make_responder: MakeResponder
) -> None:
    resident = make_responder(database, client=with_password, responder="hang_reset = 3s")
    assert resident.verdict() == (200, "synced")
    database.sql("SET PASSWORD FOR secretive@localhost = PASSWORD('another')")
    assert make_responder(database, client=with_password).verdict() == (503, "access-denied")

    def warned() -> bool:
        assert resident.verdict() == (200, "synced")
        return "access-denied" in warnings_of(resident)

    wait_until(warned, 20, "/node warns")
    assert resident.count("xha_warnings") == 1
    with resident.no_growth():
        for _ in range(35):  # more than hang_reset: further attempts add no lines
            assert resident.next_verdict() == (200, "synced")
    assert len(resident.lines("a new login would fail: access-denied")) == 1
    put(resident.client, "[client]\nuser = secretive\npassword = another\n")
    wait_until(lambda: resident.verdict() == (200, "synced") and warnings_of(resident) == "[]", 20, "no warning")
    assert not resident.lines("out of service")


def test_a_password_is_never_logged_nor_shown(
    database: Node, with_password: str, make_responder: MakeResponder
) -> None:
    responder = make_responder(database, client=with_password.replace("pässwörd", "wrong"))
    shown = "".join(responder.ask(path).body for path in ("/", "/ready", "/node", "/metrics"))
    assert "s3cret" not in shown + responder.log.read_text()


def test_a_full_server_leaves_the_open_door_in_service_with_a_warning_and_closes_a_new_one(
    database: Node, make_responder: MakeResponder
) -> None:
    resident = make_responder(database, responder="hang_reset = 3s")
    assert resident.verdict() == (200, "synced")
    with full(database):
        assert resident.next_verdict() == (200, "synced")
        assert make_responder(database).verdict() == (503, "too-many-connections")

        def warned() -> bool:
            assert resident.verdict() == (200, "synced")
            return "all in use" in warnings_of(resident) and "too-many-connections" in warnings_of(resident)

        wait_until(warned, 20, "/node warns")
        assert len(resident.lines("connections are all in use")) == 1
    wait_until(lambda: resident.verdict() == (200, "synced") and warnings_of(resident) == "[]", 20, "no warning")
    assert not resident.lines("out of service")


def connections_of_the_account(node: Node) -> int:
    return int(node.sql("SELECT count(*) FROM information_schema.processlist WHERE user = %s", ACCOUNT)[0][0])


@contextlib.contextmanager
def full(node: Node) -> Iterator[None]:
    """No connection is left for an account without privileges."""
    with node.full(12, user=ACCOUNT):
        yield


def test_a_full_server_has_room_again_for_the_next_probe(database: Node, make_responder: MakeResponder) -> None:
    before = connections_of_the_account(database)  # other responders of this run may hold some
    with full(database):
        responder = make_responder(database)
        assert responder.verdict() == (503, "too-many-connections")
    wait_until(lambda: connections_of_the_account(database) <= before, 20, "the others are gone")
    assert responder.next_verdict() == (200, "synced")


def test_connections_that_come_and_go_at_the_limit_do_not_flood_the_log(
    database: Node, make_responder: MakeResponder
) -> None:
    resident = make_responder(database, responder="hang_reset = 1h")
    assert resident.verdict() == (200, "synced")
    with full(database), contextlib.closing(database.connect(user="root")) as root, root.cursor() as cursor:
        for _ in range(13):
            cursor.execute("SET GLOBAL max_connections = 100")
            assert resident.next_verdict() == (200, "synced")
            cursor.execute("SET GLOBAL max_connections = 12")
            assert resident.next_verdict() == (200, "synced")
    assert len(resident.lines("connections are all in use")) <= 10


def test_the_account_of_the_process_needs_no_password(database: Node, make_responder: MakeResponder) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    responder = make_responder(database, client="# no line here: the unix socket says who we are\n[client]\n")
    assert database.sql("SELECT 1 FROM mysql.global_priv WHERE user = %s", me)
    assert responder.verdict() == (200, "synced")


def test_slow_logins_do_not_touch_the_answers_of_an_open_door(database: Node, make_responder: MakeResponder) -> None:
    resident = make_responder(database, responder="hang_reset = 3s")
    assert resident.verdict() == (200, "synced")
    database.sql("SET GLOBAL init_connect = 'DO SLEEP(3)'")  # runs at the login of every account but root
    try:
        for _ in range(35):
            assert resident.next_verdict() == (200, "synced")
        wait_until(lambda: "hung" in warnings_of(resident), 20, "/node warns of a new login")
    finally:
        database.sql("SET GLOBAL init_connect = ''")
    assert not resident.lines("out of service")


def test_an_account_whose_plugin_needs_a_package_that_is_missing_is_access_denied_and_ends_no_thread(
    database: Node, make_responder: MakeResponder
) -> None:
    database.sql("INSTALL SONAME 'auth_ed25519'")
    try:
        database.sql("CREATE OR REPLACE USER modern@localhost IDENTIFIED VIA ed25519 USING PASSWORD('x')")
        responder = make_responder(database, client="[client]\nuser = modern\npassword = x\n")
        assert responder.verdict() == (503, "access-denied")
        with responder.no_growth():
            assert responder.next_verdict() == (503, "access-denied")
        put(responder.client, f"[client]\nuser = {ACCOUNT}\n")
        assert responder.next_verdict() == (200, "synced")
    finally:
        database.sql("DROP USER IF EXISTS modern@localhost")
        database.sql("UNINSTALL SONAME 'auth_ed25519'")


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog"])
@pytest.mark.parametrize("tls", ["", "ssl = 1", "ssl-ca = /etc/ssl/certs/ca-certificates.crt\nssl-verify-server-cert"])
def test_the_password_is_never_sent_in_clear_text_without_verified_tls(
    net: Net, make_responder: MakeResponder, plugin: str, tls: str
) -> None:
    address = net.next_address()
    with hostile((address, 3306), asks_for(plugin)) as server:
        client = f"[client]\nuser = {ACCOUNT}\npassword = top-secret\n{tls}\n"
        responder = make_responder(client=client, database=f"host = {address}")
        expected = "config-error" if tls else "access-denied"
        assert responder.verdict() == (503, expected)
        assert responder.next_verdict() == (503, expected)
    assert server.heard or tls  # if TLS is required, even the account's name is not sent
    assert b"top-secret" not in server.heard


def test_something_else_at_the_databases_port_is_an_error_and_not_the_end(
    net: Net, make_responder: MakeResponder
) -> None:
    other = make_responder()
    responder = make_responder(database=f"host = {other.address[0]}\nport = {other.address[1]}")
    for _ in range(3):
        assert responder.next_verdict()[0] == 503
    assert responder.threads == THREADS
