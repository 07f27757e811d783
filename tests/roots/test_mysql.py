"""What the responder says of a real MySQL Server: no Galera is in it, so a reading that works is `wsrep-off`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Callable

import pytest

from loopback import Net
from responder.process import Responder
from roots.mysql_server import MySQL

USER, PASSWORD = "xha", "se-cret-phrase"
CLIENT = f"[client]\nuser = {USER}\npassword = {PASSWORD}\n"
READ = "wsrep-off"


@pytest.fixture
def account(mysql: MySQL) -> Iterator[str]:
    """The check's account, by caching_sha2_password, which is the default. The server has not seen its password yet."""
    name = f"'{USER}'@'%'"
    with mysql.account(name, f"IDENTIFIED BY '{PASSWORD}'"):
        mysql.sql("FLUSH PRIVILEGES")  # which empties the cache of proven passwords
        yield name


def ask(net: Net, mysql: MySQL, *, tcp: bool = False, client: str = CLIENT) -> tuple[str, str]:
    """The code and message of a new responder's first answer."""
    database = f"host = {mysql.address}\nport = {mysql.port}" if tcp else f"socket = {mysql.socket}"
    with Responder(net, f"mysql-{net.next_address()}", client=client, database=database) as responder:
        verdict = json.loads(responder.ask("/node").body)["verdict"]
        assert PASSWORD not in responder.tail(1000)
        return verdict["code"], verdict["message"]


class TestCachingSha2:
    """caching_sha2_password proves a password by a digest only if the server has it in its cache already."""

    def test_by_the_unix_socket(self, net: Net, mysql: MySQL, account: str, tell: Callable[[str], None]) -> None:
        tell(f"MySQL Server {mysql.version()}")
        assert ask(net, mysql)[0] == READ

    def test_over_tcp_the_password_itself_is_not_sent_to_who_has_not_proved_to_be_the_server(
        self, net: Net, mysql: MySQL, account: str
    ) -> None:
        code, message = ask(net, mysql, tcp=True)
        assert code == "access-denied"
        assert "nothing proves that it is the server" in message

    def test_over_tcp_once_the_server_has_it_in_its_cache(self, net: Net, mysql: MySQL, account: str) -> None:
        assert ask(net, mysql)[0] == READ
        assert ask(net, mysql, tcp=True)[0] == READ

    def test_through_tls_that_has_verified_the_server(self, net: Net, mysql: MySQL, account: str) -> None:
        verified = f"{CLIENT}ssl-ca = {mysql.authority.ca}\nssl-verify-server-cert\n"
        assert ask(net, mysql, tcp=True, client=verified)[0] == READ

    def test_through_tls_to_a_server_that_another_authority_has_signed(
        self, net: Net, mysql: MySQL, account: str
    ) -> None:
        foreign = f"{CLIENT}ssl-ca = {mysql.authority.other_ca}\nssl-verify-server-cert\n"
        assert ask(net, mysql, tcp=True, client=foreign)[0] == "config-error"


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        pytest.param(("offline_mode", "ON", "OFF"), "maintenance", id="offline_mode: error 3032"),
        pytest.param(("init_connect", "'no SQL'", "''"), "rejecting-queries", id="init_connect fails: error 1184"),
        pytest.param(("read_only", "ON", "OFF"), READ, id="read_only: it can be read"),
    ],
)
def test_a_state_of_the_server(net: Net, mysql: MySQL, account: str, setting: tuple[str, str, str], code: str) -> None:
    with mysql.setting(*setting):
        assert ask(net, mysql)[0] == code
    assert ask(net, mysql)[0] == READ


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("PASSWORD EXPIRE", "password has expired", id="the password has expired: error 1862"),
        pytest.param("ACCOUNT LOCK", "locked", id="the account is locked: error 3118"),
        pytest.param("IDENTIFIED BY 'another'", "Access denied", id="another password: error 1045"),
    ],
)
def test_a_state_of_the_account(net: Net, mysql: MySQL, account: str, change: str, words: str) -> None:
    mysql.sql(f"ALTER USER {account} {change}")
    code, message = ask(net, mysql)
    assert code == "access-denied"
    assert words in message


def test_a_server_that_requires_tls(net: Net, mysql: MySQL, account: str) -> None:
    """Error 3159 over plain TCP. TLS is used where the server offers it."""
    verified = f"{CLIENT}ssl-ca = {mysql.authority.ca}\nssl-verify-server-cert\n"
    with mysql.setting("require_secure_transport", "ON", "OFF"):
        assert ask(net, mysql)[0] == READ  # the unix socket counts as secure, and its login fills the cache
        assert ask(net, mysql, tcp=True, client=verified)[0] == READ
        assert ask(net, mysql, tcp=True)[0] == READ
