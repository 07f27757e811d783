"""xha.conf as xha-check meets it: absent, wrong, unreadable; what is wrong is named by file, section and key."""

from __future__ import annotations

import pytest

from loopback import Node, wait_until
from shell.host import Host

NOBODY = 65534

WRONG = [
    ("[database]\nsockte = /x\n", ["[database]", "'sockte'"]),
    ("[databse]\nsocket = /x\n", ["databse"]),
    ("[database]\nsocket = relative\n", ["[database]", "socket", "'relative'"]),
    ("[database]\nport = 99999\n", ["[database]", "port", "'99999'"]),
    ("[responder]\ndeadline = 1\n", ["[responder]", "deadline", "'1'"]),
    ("[responder]\ndeadline = 0s\n", ["[responder]", "deadline", "'0s'"]),
    ("[responder]\nallow_from = 10.0.0.0/33\n", ["[responder]", "allow_from", "10.0.0.0/33"]),
    ("[responder]\ndisabled_file = /run/a\0b\n", ["[responder]", "disabled_file"]),
    ("[policy]\navailable_when_donor = perhaps\n", ["[policy]", "available_when_donor", "'perhaps'"]),
    ("[policy]\nlast_node = 2\n", ["[policy]", "last_node", "'2'"]),
    ("socket = /x\n", ["line 1"]),
    ("[database]\nport = 1\nport = 2\n", ["[database]", "port", "line 3"]),
    ("[database]\n[database]\n", ["[database]", "line 2"]),
    ("rubbish", ["line 1"]),
]


@pytest.mark.parametrize(("text", "named"), WRONG, ids=[text.replace("\n", " ") for text, _ in WRONG])
def test_a_mistake_is_named_by_file_section_and_key(host: Host, galera: Node, text: str, named: list[str]) -> None:
    host.write("/etc/xha/xha.conf", text)
    result = host.run("xha-check")
    assert (result.code, result.err) == (3, "")
    for word in ["config-error", "/etc/xha/xha.conf", *named]:
        assert word in result.out


@pytest.mark.parametrize("mode", ["--json", "--nagios", "--cluster", "--cluster --nagios", "--disable", "--enable"])
def test_a_mistake_is_named_in_every_mode(host: Host, galera: Node, mode: str) -> None:
    host.write("/etc/xha/xha.conf", "[database]\nsockte = /x\n")
    result = host.run("xha-check", *mode.split())
    assert result.code == 3
    assert "/etc/xha/xha.conf: unknown key 'sockte' in [database]" in result.said
    assert ("GALERA UNKNOWN: " in result.out) == ("--nagios" in mode)
    assert not host.path("/etc/xha/disabled").exists()


@pytest.mark.parametrize("text", ["[service x]\nkind = y\n", "[service mysql]\npassword s3cret\n[service mysql]\n"])
def test_a_mistake_in_a_service_s_section_is_no_fault_of_the_node_s(host: Host, galera: Node, text: str) -> None:
    host.write("/etc/xha/xha.conf", f"[database]\nsocket = {galera.socket}\n[responder]\ndeadline = 5s\n")
    for mode in ("--node", "--cluster", "--node --nagios", "--cluster --nagios"):
        well = host.run("xha-check", *mode.split())
        with host.path("/etc/xha/xha.conf").open("a") as file:
            file.write(text)
        wrong = host.run("xha-check", *mode.split())
        assert (wrong.code, wrong.err) == (well.code, well.err), mode
        assert "synced" in wrong.out or "in service" in wrong.out
        assert "config-error" not in wrong.said
        host.write("/etc/xha/xha.conf", f"[database]\nsocket = {galera.socket}\n[responder]\ndeadline = 5s\n")


def test_the_default_file_may_be_absent(host: Host, galera: Node) -> None:
    host.path("/etc/xha/xha.conf").unlink()
    # Without it the deadline is a second, which a busy machine may not have.
    wait_until(lambda: host.run("xha-check", "--socket", str(galera.socket)).code == 0, 30, "it is synced")


def test_a_file_that_was_named_must_be_there(host: Host, galera: Node) -> None:
    for arguments in ([], ["--cluster"], ["--enable"]):
        result = host.run("xha-check", "--config", "/run/no-such.conf", *arguments)
        assert result.code == 3
        assert "/run/no-such.conf: no such file" in result.said


def test_an_unreadable_file_is_no_absent_one(host: Host, galera: Node) -> None:
    host.path("/etc/xha/xha.conf").chmod(0o600)
    result = host.run("xha-check", user=NOBODY)
    assert result.code == 3
    assert "/etc/xha/xha.conf: permission denied" in result.out


def test_a_directory_is_no_configuration(host: Host, galera: Node) -> None:
    result = host.run("xha-check", "--config", "/etc")
    assert result.code == 3
    assert "/etc: is a directory" in result.out


def test_percent_signs_mean_themselves(host: Host, galera: Node) -> None:
    host.write("/etc/xha/xha.conf", "[database]\nsocket = /run/%(x)s%%.sock\n")
    assert "/run/%(x)s%%.sock: no such file" in host.run("xha-check").out


def test_a_policy_is_told_with_the_answer(host: Host, galera: Node) -> None:
    text = f"[database]\nsocket = {galera.socket}\n[policy]\navailable_when_donor = 1\nlast_node = haproxy\n"
    host.write("/etc/xha/xha.conf", text)
    out = host.run("xha-check", "--json").out
    assert '"available_when_donor": true' in out
    assert '"last_node": "haproxy"' in out


def test_what_is_not_utf_8_is_named_in_every_mode(host: Host, galera: Node) -> None:
    host.path("/etc/xha/xha.conf").write_bytes("[database]\nmüll = 1\n".encode("latin-1"))
    for arguments in ([], ["--json"], ["--nagios"], ["--cluster"]):
        result = host.run("xha-check", *arguments)
        assert result.code == 3
        assert "/etc/xha/xha.conf: not UTF-8 text" in result.said
