"""The recipes of docs/probes.md, each from its block there, with the real program where Debian has it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from loopback import Daemon, HAProxy, Net, Node, find_program, wait_until
from loopback.doors import CHECKOUT, door
from loopback.files import put
from loopback.namespace import Namespace
from loopback.responder import PORT
from responder.client import exchange
from responder.conftest import MakeResponder
from responder.process import Responder
from xha.core.config.xha_conf import parse_config

SECONDS = 60  # what a busy machine may take
TEXT = (CHECKOUT / "docs/probes.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
FIRST, SECOND, VIP, PREFIX = "192.0.2.11", "192.0.2.12", "192.0.2.100", "/24"
HAPROXY = ("haproxy httpchk", "haproxy send-proxy", "haproxy tcp-check")
PLUGINS = Path("/usr/lib/nagios/plugins")


def test_every_block_of_the_page_is_tried_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in BLOCKS if f'BLOCKS["{name}"]' not in source and name not in HAPROXY] == []


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=SECONDS, env={**os.environ, **environment}
    )


class TestHAProxy:
    @pytest.mark.parametrize("name", HAPROXY)
    def test_a_server_goes_down_and_up_with_its_node(
        self, net: Net, database: Node, make_responder: MakeResponder, name: str
    ) -> None:
        block = BLOCKS[name]
        silent = parse_config(BLOCKS["xha.conf"], "docs/probes.md").responder.answer_silent
        assert silent is not None
        lines = BLOCKS["xha.conf"].partition("\n")[2] if name == "haproxy tcp-check" else ""
        pair = [make_responder(database, listen=[(net.next_address(), PORT)], responder=lines) for _ in range(2)]
        addresses = {FIRST: pair[0].address[0], SECOND: pair[1].address[0], f"{VIP}:": f"{net.next_address()}:"}
        for real, ours in addresses.items():
            assert real in block
            block = block.replace(real, ours)
        block = block.replace("timeout check 3s", "").replace("inter 2s", "inter 500ms")
        block += f"  timeout check {SECONDS}s\n"
        with HAProxy(net, net.directory / name.replace(" ", "-"), block) as haproxy:
            servers = ("db1", "db2")
            wait_until(
                lambda: all(haproxy.server(one)["check_status"].endswith("OK") for one in servers),
                SECONDS,
                "checks pass",
            )
            put(pair[0].disabled, "{}")
            haproxy.wait_status("db1", "DOWN", SECONDS)
            pair[0].disabled.unlink()
            haproxy.wait_status("db1", "UP", SECONDS)
            assert haproxy.server("db2")["status"] == "UP"


class InNamespace(Responder):
    """A responder at 127.0.0.1 of a network namespace; the database's unix socket is reached from there too."""

    def __init__(self, namespace: Namespace, node: Node) -> None:
        self._namespace = namespace
        super().__init__(
            namespace.net, "in-a-namespace", node, listen=[("127.0.0.1", PORT)], wrapper=namespace.enter("env")
        )

    def wait_listening(self) -> None:
        ask = self._namespace.enter(find_program("curl", "curl"), "-sS", "-o", "/dev/null", f"http://127.0.0.1:{PORT}/")
        self.wait_ready(lambda: run(*ask).returncode == 0, SECONDS, "it answers")


class TestKeepalived:
    def test_the_address_goes_and_comes_with_the_node(self, net: Net, database: Node) -> None:
        directory = net.directory / "keepalived"
        with Namespace(net, directory, FIRST + PREFIX) as namespace, InNamespace(namespace, database) as responder:
            config = directory / "keepalived.conf"
            put(config, BLOCKS["keepalived vrrp"])
            keepalived = [find_program("keepalived", "keepalived"), "--dont-fork", "--log-console", "--vrrp"]
            files = ["-f", str(config), "-p", str(directory / "pid"), "-r", str(directory / "vrrp.pid")]
            with Daemon(net, namespace.enter(*keepalived, *files), directory / "keepalived.log") as running:

                def has_address() -> bool:
                    shown = run(*namespace.enter(find_program("ip", "iproute2"), "-4", "-o", "address", "show", "eth0"))
                    return f" {VIP}/" in shown.stdout

                wait_until(has_address, SECONDS, lambda: f"the address is there\n{running.tail()}")
                put(responder.disabled, "{}")
                wait_until(lambda: not has_address(), SECONDS, lambda: f"the address is gone\n{running.tail()}")
                responder.disabled.unlink()
                wait_until(has_address, SECONDS, lambda: f"the address is back\n{running.tail()}")
                running.stop(SECONDS)

    @pytest.mark.parametrize(("keyword", "code"), [("status_code", 0), ("statuscode", 5)])
    def test_it_takes_the_block_for_lvs_and_not_a_misspelt_one(self, tmp_path: Path, keyword: str, code: int) -> None:
        path, log = tmp_path / "keepalived.conf", tmp_path / "log"
        put(path, BLOCKS["keepalived lvs"].replace("status_code", keyword))
        config_test = [find_program("keepalived", "keepalived"), f"--config-test={log}", "-f", str(path)]
        # A session of its own, which it may end when it is done.
        done = subprocess.run(config_test, start_new_session=True, check=False, timeout=SECONDS)
        assert done.returncode == code, log.read_text()

    def test_a_digest_of_the_root_holds_and_one_of_ready_does_not(self, shared: Responder) -> None:
        host, port = shared.address

        def digest(path: str) -> str:
            done = run(find_program("genhash", "keepalived"), "-s", host, "-p", str(port), "-u", path)
            assert re.search(r"\b[0-9a-f]{32}\b", done.stdout), done
            return done.stdout

        first = digest("/ready")
        wait_until(lambda: digest("/ready") != first, SECONDS, "another age")
        assert len({digest("/") for _ in range(20)}) == 1


class TestNagios:
    def lines(self) -> dict[str, list[str]]:
        """The command lines of the block, in words."""
        found = re.findall(r"command_name\s+(\S+)\s+command_line\s+(.+)", BLOCKS["nagios"])
        return {name: line.split() for name, line in found}

    def test_check_http_is_ok_and_critical_as_a_load_balancer_is_told(
        self, net: Net, database: Node, make_responder: MakeResponder
    ) -> None:
        assert (PLUGINS / "check_http").exists(), "monitoring-plugins-basic is not installed: make deps"
        responder = make_responder(database)
        values = {"$USER1$": str(PLUGINS), "$HOSTADDRESS$": responder.address[0]}
        words = [re.sub(r"\$\w+\$", lambda m: values[m[0]], word) for word in self.lines()["check_galera_serves"]]
        good = run(*words, "-t", str(SECONDS))
        assert (good.returncode, good.stdout[:8]) == (0, "HTTP OK:"), good
        put(responder.disabled, "{}")
        responder.outlive_reading()
        bad = run(*words, "-t", str(SECONDS))
        assert (bad.returncode, bad.stdout[:14]) == (2, "HTTP CRITICAL:"), bad
        assert "503" in bad.stdout

    def test_xha_check_prints_one_line_with_performance_data(
        self, database: Node, make_responder: MakeResponder
    ) -> None:
        config = str(make_responder(database).config)
        program, *words = self.lines()["check_galera_node"]
        assert program == "/usr/local/bin/xha-check"
        done = run(door("xha-check"), *words, "--config", config)
        assert done.returncode == 0, done
        assert re.match(r"GALERA OK|OK|XHA OK", done.stdout), done.stdout
        assert " | " in done.stdout


def test_consul_s_check_is_passing_and_critical(database: Node, make_responder: MakeResponder) -> None:
    responder = make_responder(database)
    [check] = json.loads(BLOCKS["json consul"])["service"]["checks"]
    assert set(check) == {"name", "http", "method", "interval", "timeout"}
    url = check["http"].replace(f"127.0.0.1:{PORT}", "{}:{}".format(*responder.address))
    # Consul's own headers.
    headers = {"User-Agent": "Consul Health Check", "Accept": "text/plain, text/*, */*", "Connection": "close"}

    def status() -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=check["method"])) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert status() == 200
    put(responder.disabled, "{}")
    responder.outlive_reading()
    assert status() == 503


MYSQL_SERVERS = """
CREATE TABLE mysql_servers (hostgroup_id INT NOT NULL DEFAULT 0, hostname VARCHAR NOT NULL, port INT NOT NULL
DEFAULT 3306, status VARCHAR CHECK (UPPER(status) IN ('ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD')) NOT NULL
DEFAULT 'ONLINE', PRIMARY KEY (hostgroup_id, hostname, port));
CREATE TABLE scheduler (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, active INT CHECK (active IN (0, 1)) NOT NULL
DEFAULT 1, interval_ms INTEGER CHECK (interval_ms >= 100 AND interval_ms <= 100000000) NOT NULL, filename VARCHAR NOT
NULL, arg1 VARCHAR, arg2 VARCHAR, arg3 VARCHAR, arg4 VARCHAR, arg5 VARCHAR, comment VARCHAR NOT NULL DEFAULT '');
"""
# In the place of ProxySQL's admin interface, which is SQLite behind MySQL's protocol.
ADMIN = """#!{python}
import pathlib, sqlite3, sys
here = pathlib.Path(__file__).parent
statement = sys.argv[sys.argv.index("-e") + 1]
with (here / "said").open("a") as said:
    said.write(statement + "\\n")
if not statement.startswith("LOAD "):
    with sqlite3.connect(here / "admin.db") as admin:
        for row in admin.execute(statement):
            print(*row, sep="\\t")
"""


class TestProxySQL:
    def test_the_program_takes_out_and_puts_back_what_its_responder_says(
        self, net: Net, database: Node, make_responder: MakeResponder, tmp_path: Path
    ) -> None:
        responders = [make_responder(database, listen=[(net.next_address(), PORT)]) for _ in range(2)]
        hosts = [one.address[0] for one in responders]
        program, stub = tmp_path / "xha-proxysql", tmp_path / "mysql"
        put(program, BLOCKS["sh proxysql"], 0o755)
        put(stub, ADMIN.format(python=sys.executable), 0o755)
        with closing(sqlite3.connect(tmp_path / "admin.db")) as admin, admin:
            admin.executescript(MYSQL_SERVERS)
            rows = [(10, hosts[0], "ONLINE"), (10, hosts[1], "ONLINE"), (10, "by-hand", "OFFLINE_HARD")]
            rows.append((20, hosts[0], "ONLINE"))  # another hostgroup is none of its business
            admin.executemany("INSERT INTO mysql_servers (hostgroup_id, hostname, status) VALUES (?, ?, ?)", rows)

        def states() -> list[str]:
            with closing(sqlite3.connect(tmp_path / "admin.db")) as admin, admin:
                return [row[0] for row in admin.execute("SELECT status FROM mysql_servers ORDER BY rowid")]

        def turn() -> list[str]:
            """Let the scheduler run once, and return the states: ProxySQL is told to use them if one has changed."""
            before = states()
            put(tmp_path / "said", "")
            done = run(str(program), "10", PATH=f"{tmp_path}:{os.environ['PATH']}")
            assert done.returncode == 0, done
            said = (tmp_path / "said").read_text()
            assert ("LOAD MYSQL SERVERS TO RUNTIME" in said) == (states() != before), said
            return states()

        def settles(*wanted: str) -> None:
            # More than one turn, because a busy machine may be later than the program waits.
            wait_until(lambda: turn() == [*wanted, "OFFLINE_HARD", "ONLINE"], SECONDS, lambda: f"{wanted}: {states()}")

        settles("ONLINE", "ONLINE")
        put(responders[1].disabled, "{}")
        settles("ONLINE", "OFFLINE_SOFT")
        responders[0].kill()
        responders[1].disabled.unlink()
        settles("OFFLINE_SOFT", "ONLINE")

    def test_the_scheduler_s_row_fits_its_table(self) -> None:
        with closing(sqlite3.connect(":memory:")) as admin:
            admin.executescript(MYSQL_SERVERS)
            for statement in BLOCKS["sql proxysql"].split(";"):
                if statement.strip().startswith("INSERT"):
                    admin.execute(statement)
            assert list(admin.execute("SELECT filename, arg1 FROM scheduler")) == [
                ("/usr/local/bin/xha-proxysql", "10")
            ]


# What load balancers of clouds send, as they document it or were seen to.
CLOUDS = {
    "HAProxy in an amphora": b"GET / HTTP/1.0\r\n\r\n",
    "AWS": b"GET / HTTP/1.1\r\nHost: 192.0.2.11:49000\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
    b"Accept-Encoding: gzip, compressed\r\n\r\n",
    "Google": b"GET / HTTP/1.1\r\nHost: 192.0.2.11\r\nUser-Agent: GoogleHC/1.0\r\nConnection: Keep-alive\r\n\r\n",
    "Azure": b"GET / HTTP/1.1\r\nHost: 192.0.2.11:49000\r\nUser-Agent: Load Balancer Agent\r\n"
    b"Connection: Keep-Alive\r\n\r\n",
}
HEADERS = {
    "no PROXY header": b"",
    "PROXY 1": b"PROXY TCP4 192.0.2.1 192.0.2.11 4711 49000\r\n",
    "PROXY 2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x0b\x12\x67\xbf\x68",
}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("header", HEADERS)
def test_a_cloud_s_check_is_answered(shared: Responder, cloud: str, header: str) -> None:
    assert exchange(shared.address, HEADERS[header] + CLOUDS[cloud]).status == 200
