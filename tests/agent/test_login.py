"""Where and as whom the agent logs in to its own server."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopback import Node
from xha.adapters import login
from xha.adapters.account import own_account
from xha.adapters.database import ReadError
from xha.adapters.login import find_target, open_session
from xha.adapters.target import Target
from xha.core.config import ConfigError
from xha.core.parameters import Settings
from xha.core.verdict import Code

SOCKET = "/run/here.sock"


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What /etc/sysconfig/clustercheck says."""
    said: dict[str, str] = {}
    monkeypatch.setattr(login, "read_sysconfig", lambda: said)
    return said


def test_nobody_named_is_this_process_s_account_by_the_socket() -> None:
    assert find_target(Settings(), SOCKET) == Target(own_account(), socket=SOCKET)


def test_an_account_logs_in_by_the_server_s_own_socket() -> None:
    assert find_target(Settings(test_user="t", test_passwd="p"), SOCKET) == Target("t", "p", socket=SOCKET)


def test_extra_port_of_clustercheck_s_files(files: dict[str, str]) -> None:
    files.update(MYSQL_USERNAME="c", MYSQL_PASSWORD="p", MYSQL_HOST="127.0.0.1", MYSQL_PORT="3307")
    assert find_target(Settings(), SOCKET) == Target("c", "p", host="127.0.0.1", port=3307)


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
    session = open_session(Settings(), str(node.socket), 5)
    try:
        assert session.read().status.wsrep_cluster_status == "Primary"
    finally:
        session.close()


@pytest.mark.parametrize(
    ("user", "socket", "code"),
    [("nobody-like-this", "", Code.ACCESS_DENIED), ("", "/nowhere.sock", Code.SERVER_DOWN)],
)
def test_only_a_server_that_nobody_hears_is_down(node: Node, user: str, socket: str, code: Code) -> None:
    with pytest.raises(ReadError) as caught:
        open_session(Settings(test_user=user, test_passwd="gEhEiM"), socket or str(node.socket), 5)
    assert caught.value.unreadable.code is code
    assert "gEhEiM" not in str(caught.value)
