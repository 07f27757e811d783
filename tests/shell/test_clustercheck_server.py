"""clustercheck behind a real xinetd, asked by HAProxy's own probe, by HAProxy, and by clients with no manners."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loopback import HAProxy, Net, Node, Xinetd
from shell.conftest import PASSWORD, USER
from shell.host import Host
from shell.probes import DISABLED, HAPROXY, NOT_SYNCED, SYNCED, probe, probe_in_time, vanish

PORT = 9200
# The stanza that comes with percona-clustercheck; type is added because no /etc/services names it, group because
# Debian has none called nobody, cps because 300 probes come at once here. The account is in /etc/sysconfig.
STANZA = """\
service mysqlchk
{{
        disable         = no
        type            = UNLISTED
        flags           = REUSE
        socket_type     = stream
        port            = 9200
        bind            = {address}
        wait            = no
        user            = nobody
        group           = nogroup
        server          = {server}
        log_on_failure  += USERID
        only_from       = 0.0.0.0/0
        per_source      = UNLIMITED
        instances       = UNLIMITED
        cps             = 1000 1
}}
"""
HTTPCHK = """\
listen mysql
  bind {bind}
  mode tcp
  option httpchk
  timeout check 5s
  server node {node}:3306 check addr {address} port 9200 inter 500 rise 2 fall 2
"""


@pytest.fixture
def server(host: Host, percona: Node, net: Net, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Where xinetd answers by clustercheck."""
    address = net.next_address()
    host.write("/etc/sysconfig/clustercheck", f'MYSQL_USERNAME={USER}\nMYSQL_PASSWORD="{PASSWORD}"\n')
    config = STANZA.format(address=address, server=host.door("clustercheck"))
    xinetd = Xinetd(net, net.directory / f"xinetd-{address}", config)
    xinetd.argv = host.enter(*xinetd.argv)
    with xinetd:
        xinetd.wait_listening(address, PORT)
        yield address, PORT


def test_300_probes_are_300_answers_and_no_reset(server: tuple[str, int], host: Host) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = collections.Counter(pool.map(lambda _: probe(server), range(100)))
        host.run("xha-check", "--disable")  # then it asks no database, and closes the sooner
        answers.update(pool.map(lambda _: probe(server), range(200)))
    # Its deadline is a second for the whole reading: four at once on a busy machine may need more, and say so.
    assert answers[SYNCED] + answers[NOT_SYNCED] == 100
    assert answers[SYNCED] > 50
    assert answers[DISABLED] == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\n\n",
        b"GET /\n\n",
        b"GET /\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.0\r\n\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00GET / HTTP/1.0\r\n\r\n",
        b"x" * 9000,
    ],
)
def test_whatever_is_asked_the_answer_is_the_script_s(server: tuple[str, int], request_bytes: bytes) -> None:
    assert probe_in_time(server, request_bytes) == SYNCED


def test_who_asks_nothing_is_answered_too(server: tuple[str, int]) -> None:
    assert probe_in_time(server, b"") == SYNCED  # telnet
    assert probe_in_time(server, b"", half_close=True) == SYNCED  # nc </dev/null
    assert probe_in_time(server, HAPROXY, half_close=True) == SYNCED


def test_who_vanishes_is_no_loss(server: tuple[str, int]) -> None:
    for _ in range(5):
        vanish(server)
    assert probe_in_time(server) == SYNCED


def test_it_says_what_is_wrong_in_the_script_s_words(server: tuple[str, int], host: Host, percona: Node) -> None:
    host.run("xha-check", "--disable")
    assert probe(server) == DISABLED
    host.run("xha-check", "--enable")
    percona.freeze()
    assert probe(server) == NOT_SYNCED
    percona.kill()
    assert probe(server) == NOT_SYNCED


def test_nothing_but_the_answer_reaches_the_client(server: tuple[str, int], host: Host, percona: Node) -> None:
    # Both would be a traceback, or a line on standard error, before the status line.
    host.path("/etc/sysconfig/clustercheck").write_bytes(b"ERR_FILE=/dev/stderr\nDEFAULTS_EXTRA_FILE=\0\n")
    assert probe(server) == NOT_SYNCED
    host.write("/etc/sysconfig/clustercheck", "ERR_FILE=/dev/stdout\nMYSQL_PORT=1\nMYSQL_HOST=127.0.0.1\n")
    assert probe(server) == NOT_SYNCED


def test_haproxy_follows_it_down_and_up_and_never_sees_a_reset(
    server: tuple[str, int], host: Host, percona: Node, net: Net
) -> None:
    section = HTTPCHK.format(bind=f"{net.next_address()}:3306", node=percona.address, address=server[0])
    with HAProxy(net, net.directory / "shell-haproxy", section) as haproxy:
        haproxy.wait_status("node", "UP")
        assert haproxy.server("node")["check_status"] == "L7OK"
        host.run("xha-check", "--disable")
        haproxy.wait_status("node", "DOWN")
        assert (haproxy.server("node")["check_status"], haproxy.server("node")["check_code"]) == ("L7STS", "503")
        host.run("xha-check", "--enable")
        haproxy.wait_status("node", "UP")
        log = haproxy.log.read_text()
    assert "reset" not in log.lower()
    assert "Layer4" not in log
    assert "Layer7 invalid response" not in log
