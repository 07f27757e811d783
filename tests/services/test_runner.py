"""xha-services and the responder: what port 49000 answers for the services, and a real HAProxy that asks it."""

from __future__ import annotations

import http.client
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loopback import Daemon, HAProxy, Net, is_listening, wait_until
from loopback.doors import CHECKOUT, door
from loopback.files import put
from loopback.memcached import PORT, Memcached
from services.host import ENVIRONMENT
from xha.adapters.files.result_files import write_record
from xha.app.node.reader import ConfigFile
from xha.app.responder.responses import LOOK_SECONDS, Services
from xha.core.config.xha_conf import Config
from xha.core.http.message import Request
from xha.core.services import settings
from xha.core.services.last_result import Record
from xha.core.services.model.result import Level, Result, dependency, failed, not_applicable, passed, unknown
from xha.core.services.settings import parse_services

NAME, DEEP = "memcached", Level.DEEP
NOT_CONFIGURED = (503, "not-configured: no [service NAME] of xha.conf has this name")
FAST = "interval = 300ms\ndeadline = 250ms\nfall = 2\n"


class Place:
    """One host's directory: xha.conf, the records of its services, a responder for them on an address."""

    def __init__(self, net: Net, directory: Path) -> None:
        directory.mkdir()
        self.net = net
        self.records = directory / "services"
        self.records.mkdir()
        self.config = directory / "xha.conf"
        self.address = net.next_address()
        argv = [door("xha-responder"), "--config", str(self.config), f"--listen={self.address}:49000"]
        self.responder = Daemon(net, argv, directory / "responder.log", env=ENVIRONMENT)
        self.runner = Daemon(net, [door("xha-services"), "--config", str(self.config)], directory / "runner.log")
        self.write("")

    def write(self, text: str) -> None:
        put(
            self.config,
            f"[database]\nsocket = /no/such/socket\n[responder]\nservices_directory = {self.records}\n{text}",
        )

    def serve(self) -> Daemon:
        self.responder.start()
        self.responder.wait_ready(lambda: is_listening(self.address, 49000), 20, "the responder listens")
        return self.responder

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, 49000, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, re.sub(r" \d+ ms", "", answer.read().decode()).strip()
        finally:
            connection.close()

    def service(self, name: str = NAME) -> tuple[int, str]:
        return self.ask(f"/service/{name}")

    def wait_service(self, status: int, text: str, seconds: float = 40) -> None:
        wait_until(
            lambda: self.service() == (status, text),
            seconds,
            lambda: f"{status} {text}, it is {self.service()}\n{self.runner.tail()}",
        )

    def record(self, result: Result, failing: int = 0, age: float = 0.0) -> None:
        write_record(str(self.records), Record(result, time.monotonic() - age, time.time() - age, failing))


@pytest.fixture
def place(net: Net, tmp_path: Path) -> Iterator[Place]:
    made = Place(net, tmp_path / "host")
    try:
        yield made
    finally:
        made.responder.kill()
        made.runner.kill()


@pytest.fixture(scope="module")
def session_memcached(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memcached]:
    with Memcached(net, tmp_path_factory.mktemp("memcached")) as running:
        yield running


@pytest.fixture
def memcached(session_memcached: Memcached) -> Iterator[Memcached]:
    yield session_memcached
    session_memcached.thaw()


# Another memcached of this machine would be the service, and listen elsewhere than its section says.
NO_PROCESS = "process = ^no-such-process\n"


def section(memcached: Memcached, more: str = FAST) -> str:
    return f"[service {NAME}]\nhost = {memcached.address}\nport = {PORT}\n{more}"


def test_the_answer_follows_the_service(place: Place, memcached: Memcached) -> None:
    place.write(section(memcached, "interval = 3s\ndeadline = 2s\nfall = 2\n"))
    place.serve()
    assert place.service() == (503, "stale")
    place.runner.start()
    place.wait_service(200, "ok")
    memcached.freeze()
    place.wait_service(200, "critical self 1/2")
    place.wait_service(503, "critical self")
    memcached.thaw()
    place.wait_service(200, "ok")
    place.runner.stop()
    assert place.service() == (200, "ok")  # a result outlives the process that found it
    place.wait_service(503, "stale")
    # xha-services logs each change once.
    log = (place.config.parent / "runner.log").read_text()
    assert log.count("memcached: ok: ") == 2
    assert len(re.findall(r"memcached: critical self: no end after 2 s, waiting for the answer to \w+", log)) == 1


def test_one_that_was_never_seen_to_work_has_no_credit(place: Place, net: Net) -> None:
    place.write(f"[service {NAME}]\nhost = {net.next_address()}\n{NO_PROCESS}fall = 100\n")
    place.serve()
    place.runner.start()
    place.wait_service(503, "critical self")


def test_a_killed_runner_goes_on_where_it_was(place: Place, memcached: Memcached) -> None:
    place.write(section(memcached, "interval = 3s\ndeadline = 2s\nfall = 4\n"))
    place.serve()
    place.runner.start()
    place.wait_service(200, "ok")
    memcached.freeze()
    place.wait_service(200, "critical self 2/4")
    place.runner.kill()
    place.runner.start()
    wait_until(lambda: place.service()[1] in ("critical self 3/4", "critical self"), 30, "it counts on")
    place.wait_service(503, "critical self")


ENDED_BY_ITS_RECORD = """
import os, signal, sys
sys.path.insert(0, sys.argv.pop(1))
from xha.doors import services_daemon as daemon
write = daemon.write_record
def write_and_end(*arguments):
    write(*arguments)
    os.kill(os.getpid(), signal.SIGTERM)
daemon.write_record = write_and_end
daemon.main(sys.argv[1:])
"""


def test_a_record_and_its_line_in_the_log_are_written_before_the_runner_ends(place: Place, net: Net) -> None:
    place.write(f"[service {NAME}]\nhost = {net.next_address()}\n{NO_PROCESS}")
    code = [sys.executable, "-I", "-c", ENDED_BY_ITS_RECORD, str(CHECKOUT / "lib")]
    place.runner.argv = [*code, "--config", str(place.config)]
    place.runner.start()
    place.runner.wait_ended(40)
    assert place.runner.exit_code == 0, place.runner.tail()
    assert (place.records / f"{NAME}.json").exists()
    assert f"{NAME}: critical self: " in place.runner.tail()


def test_nothing_of_a_check_outlives_the_runner(place: Place, memcached: Memcached) -> None:
    place.write(section(memcached, "interval = 1s\ndeadline = 20s\n"))
    memcached.freeze()
    place.runner.start()
    children = wait_until(lambda: psutil.Process(place.runner.pid).children(), 15, "a check runs")
    place.runner.signal(signal.SIGTERM)
    place.runner.wait_ended(10)
    assert place.runner.exit_code == 0
    wait_until(lambda: not any(child.is_running() for child in children), 20, "the check is gone")


def test_a_hung_check_holds_up_no_other(place: Place, memcached: Memcached, net: Net) -> None:
    gone = f"[service cache-2]\nkind = memcached\nhost = {net.next_address()}\n{NO_PROCESS}{FAST}"
    place.write(section(memcached, "interval = 300ms\ndeadline = 20s\n") + gone)
    memcached.freeze()
    place.runner.start()

    def last_run() -> float:
        try:
            return (place.records / "cache-2.json").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    first = wait_until(last_run, 15, "the other is checked")
    wait_until(lambda: last_run() > first + 1, 15, "again and again")
    assert len(psutil.Process(place.runner.pid).children()) <= 2  # and at most one of each at a time


def test_xha_conf_is_read_again_when_it_changes(place: Place, memcached: Memcached) -> None:
    place.serve()
    place.runner.start()
    assert place.service() == NOT_CONFIGURED
    place.write(section(memcached))
    place.wait_service(200, "ok")
    place.write(f"{section(memcached)}[databse]\n")
    wait_until(lambda: place.service() == (503, "unknown config-error"), 10, "wrong")
    assert place.service("nothing") == (503, "unknown config-error")
    wait_until(lambda: "unknown section 'databse'" in place.runner.tail(), 10, "the runner says so too")
    place.write(section(memcached))
    place.wait_service(200, "ok")
    place.write("")
    wait_until(lambda: place.service() == NOT_CONFIGURED, 10, "no longer configured")
    wait_until(lambda: not list(place.records.glob("*.json")), 10, "its file goes")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[service keystone]\nurll = http://s3cret\n", "unknown key 'urll' in [service keystone]"),
        ("[service keystone]\ninterval = fast\n", "[service keystone] interval: 'fast'"),
        ("[service keystone]\n[service  keystone]\n", "[service keystone]: begun twice"),
        ("[service keystone]\n[service keystone]\n", "[service keystone]: begun twice"),
        ("[service keystone]\npassword s3cret\n", "[service keystone]: line 6: neither a [section] nor KEY = VALUE"),
    ],
)
def test_a_wrong_section_is_unknown_until_it_is_mended_and_the_others_are_checked(
    place: Place, memcached: Memcached, wrong: str, said: str
) -> None:
    more = section(memcached, "interval = 1s\n")
    place.write(wrong + more)
    place.serve()
    place.runner.start()
    place.wait_service(200, "ok")
    misconfigured = (503, "unknown: its section in xha.conf is wrong")
    assert place.service("keystone") == misconfigured
    assert place.service("nothing") == NOT_CONFIGURED
    families = {one.name: one for one in text_string_to_metric_families(place.ask("/metrics")[1] + "\n")}
    available = {one.labels["service"]: one.value for one in families["xha_service_available"].samples}
    assert available == {NAME: 1, "keystone": 0}
    place.write(f"{more}[service keystone]\nurl = http://{place.net.next_address()}:1\nfall = 1\n")
    wait_until(lambda: place.service("keystone") == (503, "critical self"), 20, "it is checked")
    place.write(more + wrong)
    wait_until(lambda: place.service("keystone") == misconfigured, 10, "wrong once more")
    wait_until(lambda: not (place.records / "keystone.json").exists(), 10, "what is known no more goes")
    log = (place.config.parent / "runner.log").read_text()
    assert f"{place.config}: {said}" in log
    assert "password s3cret" not in log


def test_a_wrong_section_is_told_once_for_as_long_as_it_is_wrong(place: Place, memcached: Memcached) -> None:
    wrong = "[service keystone]\nurll = x\n"
    place.write(wrong)
    place.runner.start()
    said = "unknown key 'urll' in [service keystone]"
    log = place.config.parent / "runner.log"
    wait_until(lambda: said in log.read_text(), 20, "it is told")
    none = "checking nothing: xha.conf has no [service NAME] that is right"
    wait_until(lambda: none in log.read_text(), 20, "and what is left to check")
    place.write(wrong + section(memcached))
    wait_until(lambda: list(place.records.glob("memcached.json")), 20, "another one is checked")
    assert log.read_text().count(said) == 1
    place.write(section(memcached, "interval = 2s\n"))
    wait_until(lambda: log.read_text().count("checking memcached") == 2, 20, "mended")
    place.write(wrong + section(memcached))
    wait_until(lambda: log.read_text().count(said) == 2, 20, "wrong again, and told again")


@pytest.mark.parametrize(
    ("result", "failing", "age", "answer"),
    [
        (passed(NAME, DEEP, "it works"), 0, 0.0, (200, "ok")),
        (passed(NAME, DEEP, "it works"), 0, 31.0, (503, "stale")),
        (failed(NAME, DEEP, "secret text"), 1, 0.0, (200, "critical self 1/3")),
        (failed(NAME, DEEP, "secret text"), 3, 0.0, (503, "critical self")),
        (failed(NAME, DEEP, "secret text", blame=dependency("mysql")), 0, 0.0, (200, "warning dependency:mysql")),
        (unknown(NAME, DEEP, "secret text"), 0, 0.0, (503, "unknown")),
        (not_applicable(NAME, DEEP, "secret text"), 0, 0.0, (503, "not applicable")),
    ],
)
def test_what_a_load_balancer_is_told(
    place: Place, result: Result, failing: int, age: float, answer: tuple[int, str]
) -> None:
    place.write(f"[service {NAME}]\n")
    place.serve()
    place.record(result, failing, age)
    assert place.service() == answer
    assert place.ask(f"/service/{NAME}", "HEAD") == (answer[0], "")
    assert place.ask(f"/service/{NAME}", "OPTIONS")[0] == answer[0]
    assert place.ask(f"/service/{NAME}", "POST")[0] == 405


@pytest.mark.parametrize("text", ["", "{", "null", '{"name": 1}', "x" * 200_000])
def test_a_file_that_is_no_record_is_none(place: Place, text: str) -> None:
    place.write(f"[service {NAME}]\n")
    place.serve()
    (place.records / f"{NAME}.json").write_text(text)
    status, said = place.service()
    assert (status, said.partition(": ")[0]) == (503, "unknown"), said
    assert said.startswith("unknown: its record cannot be used: "), said
    assert place.ask("/service/..%2fxha")[0] == 503
    assert place.ask("/service/../xha")[0] == 503


def test_metrics_carry_the_services_too(place: Place) -> None:
    place.write(f"[service {NAME}]\n[service nova-api]\n")
    place.serve()
    place.record(passed(NAME, DEEP, "it works")._replace(duration_ms=1500))
    status, text = place.ask("/metrics")
    assert status == 200
    families = {family.name: family.samples for family in text_string_to_metric_families(text + "\n")}
    assert {one.labels["service"]: one.value for one in families["xha_service_available"]} == {NAME: 1, "nova-api": 0}
    assert families["xha_service_duration_seconds"][0].value == 1.5
    assert "xha_available" in families


def test_who_may_not_ask_learns_nothing(place: Place) -> None:
    place.write(f"allow_from = 192.0.2.0/24\n[service {NAME}]\n")
    place.serve()
    place.record(passed(NAME, DEEP, "it works"))
    wait_until(lambda: place.service()[0] == 403, 10, "refused")
    assert place.service("nothing")[0] == 403


class WatchedFile(ConfigFile):
    """xha.conf, and how often it was examined."""

    looks = 0

    def copy(self) -> ConfigFile:
        return self

    def refresh(self) -> Config:
        self.looks += 1
        return super().refresh()


def test_one_look_at_the_files_serves_all_who_ask_within_its_time(place: Place) -> None:
    place.write(f"[service {NAME}]\n")
    file = WatchedFile(str(place.config))
    services, request = Services(file), Request("GET", f"/service/{NAME}")
    began = time.monotonic()
    answers = {services.reply(request, "127.0.0.1") for _ in range(1000)}
    assert 1 <= file.looks <= (time.monotonic() - began) / LOOK_SECONDS + 1
    assert [answer.partition(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 503 Service Unavailable"]
    time.sleep(LOOK_SECONDS)
    place.record(passed(NAME, DEEP, "it works"))
    assert services.reply(request, "127.0.0.1").startswith(b"HTTP/1.1 200 ")


def test_no_request_parses_the_sections_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write(f"[service {NAME}]\n[service keystone]\nurll = x\n")
    parsed: list[Config] = []

    def parse(config: Config) -> object:
        parsed.append(config)
        return parse_services(config)

    monkeypatch.setattr(settings, "parse_services", parse)
    services = Services(ConfigFile(str(place.config)))
    for _ in range(3):
        for name, said in ((NAME, b"stale"), ("keystone", b"is wrong")):
            assert said in services.reply(Request("GET", f"/service/{name}"), "127.0.0.1")
        assert 'xha_service_available{service="keystone"} 0' in services.metrics()
        time.sleep(LOOK_SECONDS)
    assert len(parsed) == 1
    place.write(f"[service {NAME}]\n[service keystone]\n")
    assert services.reply(Request("GET", "/service/keystone"), "127.0.0.1").endswith(b"stale\n")
    assert len(parsed) == 2


# --- docs/haproxy-openstack.cfg

SERVICES = (
    "keystone",
    "glance-api",
    "glance-registry",
    "nova-api",
    "nova-novncproxy",
    "neutron-server",
    "cinder-api",
    "memcached",
)


def test_the_documented_haproxy_for_the_whole_table(net: Net, tmp_path: Path) -> None:
    with ExitStack() as stack:
        hosts = [Place(net, tmp_path / f"controller-{number}") for number in (1, 2, 3)]
        vip = net.next_address()
        text = "".join((CHECKOUT / "docs" / name).read_text() for name in ("haproxy.cfg", "haproxy-openstack.cfg"))
        sections = text[text.index("\ndefaults\n") :].replace("bind 127.0.0.1:1984", f"bind {vip}:1984")
        assert "timeout check 1500ms" in sections
        sections = sections.replace("timeout check 1500ms", "timeout check 10s")  # a busy machine is late
        for real, ours in zip(("10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8"), (vip, *(one.address for one in hosts))):
            assert f" {real}:" in sections
            sections = sections.replace(f" {real}:", f" {ours}:")
        for host in hosts:
            host.write("".join(f"[service {name}]\ninterval = 100s\n" for name in SERVICES))
            stack.callback(host.responder.kill)
            host.serve()
            for name in SERVICES:
                host.record(passed(name, DEEP, "it works"))
        haproxy = stack.enter_context(HAProxy(net, tmp_path / "haproxy", sections))

        def status(proxy: str, number: int) -> str:
            rows = haproxy.show_stat()
            return next(
                row["status"] for row in rows if (row["pxname"], row["svname"]) == (proxy, f"controller-{number}")
            )

        def wait(proxy: str, number: int, wanted: str) -> None:
            wait_until(lambda: status(proxy, number) == wanted, 30, lambda: f"{proxy} {number} is {wanted}")

        first, second, third = hosts
        for name in SERVICES:
            first.record(failed(name, DEEP, "broken"), failing=3)
            second.record(failed(name, DEEP, "its database", blame=dependency("mysql")))
            third.record(failed(name, DEEP, "broken, once"), failing=1)
        for name in SERVICES:
            wait(name, 1, "DOWN")
        for name in SERVICES:
            for number in (2, 3):
                wait(name, number, "UP")  # and not `UP 1/2`, which one good check gives after a start
        assert not [
            line for line in haproxy.tail(100).splitlines() if "/controller-3 is DOWN" in line and "mysql" not in line
        ]
        wait("mysql", 1, "DOWN")  # there is no database
        first.record(passed("keystone", DEEP, "it works"))
        wait("keystone", 1, "UP")
        second.record(not_applicable("glance-registry", DEEP, "gone"))
        wait("glance-registry", 2, "DOWN")
        covered = {row["pxname"] for row in haproxy.show_stat()} - {"stats"}
        assert covered == {*SERVICES, "mysql", "mysql-writer"}
