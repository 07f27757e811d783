"""Where and as which account the agent logs in to its own server."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from loopback import Node
from xha.adapters.host.login_name import own_account, server_uids
from xha.adapters.mysql import agent_login as login
from xha.adapters.mysql.agent_login import find_target, own_target
from xha.adapters.mysql.login_target import Target
from xha.adapters.mysql.session import ReadError, Session
from xha.adapters.network.channel import Allowance
from xha.core.node.verdict import Code
from xha.core.ocf.galera_settings import Settings
from xha.core.text.values import ConfigError

SOCKET = "/run/here.sock"
MYSQL = server_uids("mysql")


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The content of /etc/sysconfig/clustercheck."""
    said: dict[str, str] = {}
    monkeypatch.setattr(login, "read_sysconfig", lambda: said)
    return said


def test_nobody_named_is_this_process_s_account_by_the_socket() -> None:
    assert find_target(Settings(), SOCKET) == Target(own_account(), socket=SOCKET, server_uids=MYSQL)


def test_an_account_logs_in_by_the_server_s_own_socket() -> None:
    found = find_target(Settings(test_user="t", test_passwd="p"), SOCKET)
    assert found == Target("t", "p", socket=SOCKET, server_uids=MYSQL)


def test_extra_port_of_clustercheck_s_files(files: dict[str, str]) -> None:
    files.update(MYSQL_USERNAME="c", MYSQL_PASSWORD="p", MYSQL_HOST="127.0.0.1", MYSQL_PORT="3307")
    found = find_target(Settings(), SOCKET)
    assert found._replace(tls=None) == Target("c", "p", host="127.0.0.1", port=3307, server_uids=MYSQL)
    assert found.tls is not None  # a server with require_secure_transport lets nobody in without


def test_root_s_own_account_by_the_socket_is_not_lost_to_clustercheck_s_files(files: dict[str, str]) -> None:
    files.update(MYSQL_USERNAME="c", MYSQL_PASSWORD="p", MYSQL_HOST="127.0.0.1", MYSQL_PORT="3307")
    assert own_target(Settings(), SOCKET) == Target(own_account(), socket=SOCKET, server_uids=MYSQL)


def test_the_account_behind_the_socket_is_the_resource_s_user_root_or_our_own() -> None:
    expected = {0, os.geteuid(), pwd.getpwnam("nobody").pw_uid}
    assert find_target(Settings(user="nobody"), SOCKET).server_uids == expected
    assert find_target(Settings(user="no-such-account"), SOCKET).server_uids == {0, os.geteuid()}


def test_the_option_file_names_the_account_and_never_another_server(tmp_path: Path) -> None:
    conf = tmp_path / "check.cnf"
    conf.write_text("[client]\nuser=f\npassword=p\nhost=10.0.0.9\nport=3399\nsocket=/elsewhere\n")
    conf.chmod(0o600)
    target = find_target(Settings(test_conf=str(conf), test_user="t"), SOCKET)
    assert (target.user, target.password, target.socket, target.host) == ("f", "p", SOCKET, None)


def test_an_option_file_that_is_not_there_is_no_login_as_root() -> None:
    with pytest.raises(ConfigError, match="test_conf: /nowhere: no such file"):
        find_target(Settings(test_conf="/nowhere"), SOCKET)


def test_a_real_server_is_read(node: Node) -> None:
    session = Session(find_target(Settings(), str(node.socket)), Allowance(5))
    try:
        assert session.read(Allowance(5)).status.wsrep_cluster_status == "Primary"
    finally:
        session.close()


@pytest.mark.parametrize(
    ("user", "socket", "code"),
    [("nobody-like-this", "", Code.ACCESS_DENIED), ("", "/nowhere.sock", Code.SERVER_DOWN)],
)
def test_only_a_server_that_nobody_hears_is_down(node: Node, user: str, socket: str, code: Code) -> None:
    target = find_target(Settings(test_user=user, test_passwd="gEhEiM"), socket or str(node.socket))
    with pytest.raises(ReadError) as caught:
        Session(target, Allowance(5))
    assert caught.value.unreadable.code is code
    assert "gEhEiM" not in str(caught.value)
