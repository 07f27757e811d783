"""Real oslo.messaging servers on a real broker: they answer, freeze, are called by a wrong name, run twice."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from loopback import Net, wait_until
from loopback.rabbitmq import PASSWORD, USER, Broker, Rabbits
from services.host import BLIND, CAUTION, DOWN, WELL, Services, blamed, short
from services.rabbit_host import Worker, url_of
from services.standins import PASSWORD as ACCOUNT_PASSWORD
from services.standins import Api, Keystone, Reply, serving
from xha.core.services.workers.oslo_rpc import RpcTarget

NOT_HERE = (0, "not-applicable", None)
# What a loaded machine may add to a deadline, in seconds; a check that hangs never ends.
LOADED = 20
PATIENT = "deadline = 30s"  # where nothing is frozen: a broker of a busy machine answers late


@pytest.fixture(scope="module")
def lone_broker(net: Net) -> Iterator[Broker]:
    with Rabbits(net, net.directory / "oslo-rabbit") as rabbits:
        yield rabbits.brokers[0]


@pytest.fixture
def broker(lone_broker: Broker) -> Iterator[Broker]:
    yield lone_broker
    lone_broker.thaw()


@pytest.fixture(scope="module")
def session_conductor(net: Net, lone_broker: Broker) -> Iterator[Worker]:
    directory = net.directory / "conductor"
    with Worker(net, directory, "nova-conductor", url_of(lone_broker), "nova", "conductor", "ctl1", "nova") as worker:
        worker.wait_listening()
        yield worker


@pytest.fixture
def conductor(session_conductor: Worker, services: Services, broker: Broker) -> Iterator[Worker]:
    services.write(section("nova-conductor", nova_conf(services, url_of(broker)), session_conductor.process, PATIENT))
    yield session_conductor
    session_conductor.thaw()


def nova_conf(services: Services, url: str, host: str = "ctl1") -> str:
    path = services.directory / "nova.conf"
    path.write_text(f"[DEFAULT]\ntransport_url = {url}\nhost = {host}\n")
    return f"config = {path}"


def section(kind: str, *lines: str) -> str:
    return "\n".join([f"[service {kind}]", *lines, ""])


def volumes(net: Net, broker: Broker, number: int, kind: str) -> Worker:
    directory = net.directory / f"volume-{kind}-{number}"
    target = ("openstack", "cinder-volume", f"{kind}@lvm", kind)
    return Worker(net, directory, "cinder-volume", url_of(broker), *target)


def volume_section(services: Services, broker: Broker, kind: str, *lines: str) -> str:
    path = services.directory / "cinder.conf"
    path.write_text(f"[DEFAULT]\ntransport_url = {url_of(broker)}\nhost = {kind}\nenabled_backends = lvm\n")
    return section("cinder-volume", f"config = {path}", PATIENT, *lines)


def wait_consumers(broker: Broker, kind: str, number: int) -> None:
    """Wait until so many workers listen: oslo.messaging asks for messages in a thread, behind its `start`."""
    target = RpcTarget("openstack", "cinder-volume", f"{kind}@lvm")
    queue = target.instance_queue if kind == "backend" else target.queue

    def count() -> int:
        with connected(broker) as channel:
            return int(channel.queue_declare(queue, passive=True).method.consumer_count)

    wait_until(lambda: count() == number, 60, lambda: f"{number} listen at {queue}: {count()}")


@pytest.mark.parametrize(
    ("level", "proved"), [("process", "runs with"), ("protocol", "conductor.ctl1 answered a call, ")]
)
def test_a_conductor_that_is_well(services: Services, conductor: Worker, level: str, proved: str) -> None:
    result = services.check("nova-conductor", level)
    assert short(result) == WELL
    assert proved in result["proved"]


def test_the_password_in_its_file_is_never_shown(services: Services, conductor: Worker, broker: Broker) -> None:
    for url in (url_of(broker), url_of(broker).replace(PASSWORD, "hush-4711"), "rabbit://x:hush-4711@h:port/"):
        nova_conf(services, url)
        said = services.run("--service", "nova-conductor", "--json")
        assert said.code == (0 if PASSWORD in url else 3), said.out
        assert PASSWORD not in said.out + said.err
        assert "hush-4711" not in said.out + said.err


def test_nothing_of_the_check_stays_in_the_broker(services: Services, conductor: Worker, broker: Broker) -> None:
    before = queue_names(broker)  # one of an earlier test's check may be among them, and go
    assert short(services.check("nova-conductor")) == WELL
    wait_until(lambda: queue_names(broker) <= before, 180, lambda: f"no queue is left: {queue_names(broker) - before}")


def queue_names(broker: Broker) -> set[str]:
    queues = broker.ask("/api/queues?columns=name")
    assert isinstance(queues, list)
    return {queue["name"] for queue in queues}


def test_a_frozen_conductor(services: Services, conductor: Worker, broker: Broker) -> None:
    conductor.freeze()
    result = services.check("nova-conductor")
    assert short(result) == DOWN
    assert result["message"] == f"process {conductor.pid} is stopped"
    # From another host, which cannot see its process: its connection and its queue still exist.
    lines = (nova_conf(services, url_of(broker)), "process = ^no", "expect = one", "deadline = 5s")
    services.write(section("nova-conductor", *lines))
    remote = services.check("nova-conductor")
    assert short(remote) == DOWN
    assert remote["message"].endswith("no answer in time: it is frozen or overloaded")
    assert 1.9 <= remote["seconds"] < 5 + LOADED


def test_a_wrong_name_and_a_wrong_exchange(services: Services, conductor: Worker, broker: Broker) -> None:
    config = nova_conf(services, url_of(broker))
    services.write(section("nova-conductor", config, conductor.process, "hosts = ctl1.example.com"))
    result = services.check("nova-conductor")
    assert short(result) == BLIND  # it is connected, and nobody can know under which name it listens
    assert result["message"].startswith("needs hosts, the worker's names on the bus: conductor.ctl1.example.com: ")
    services.write(section("nova-conductor", config, conductor.process, "exchange = neutron"))
    result = services.check("nova-conductor")
    assert short(result) == BLIND
    assert "needs the right exchange, neutron is none" in result["message"]


def test_an_account_that_the_broker_refuses(services: Services, conductor: Worker, broker: Broker) -> None:
    nova_conf(services, url_of(broker).replace(PASSWORD, "changed"))
    result = services.check("nova-conductor")
    assert short(result) == BLIND
    assert result["message"].startswith("needs the worker's own account: ")
    assert "changed" not in result["message"]


def test_a_queue_that_was_deleted_is_declared_anew(services: Services, conductor: Worker, broker: Broker) -> None:
    """Until then nobody can know whether the worker has another name: unknown, which takes nothing out of service."""
    broker.send("DELETE", "/api/queues/%2F/conductor.ctl1")
    seen = []

    def is_well() -> bool:
        seen.append(services.check("nova-conductor"))
        return short(seen[-1]) == WELL

    wait_until(is_well, 60, lambda: f"oslo.messaging has declared its queue: {seen[-1]}")
    assert all(short(one) == BLIND and one["message"].startswith("needs hosts") for one in seen[:-1]), seen


def test_a_frozen_or_absent_broker_is_not_the_worker_s_fault(
    services: Services, conductor: Worker, broker: Broker, net: Net
) -> None:
    away = url_of(broker).replace(broker.address, net.next_address())
    services.write(section("nova-conductor", nova_conf(services, away), conductor.process, "deadline = 5s"))
    result = services.check("nova-conductor")
    assert short(result) == blamed("rabbitmq")
    assert result["message"].endswith(":5672: connection refused")
    assert "runs with" in result["proved"]
    broker.freeze()
    nova_conf(services, url_of(broker))
    frozen = services.check("nova-conductor")
    assert short(frozen) == blamed("rabbitmq")
    assert frozen["message"].endswith("no answer in time")
    assert frozen["seconds"] < 5 + LOADED


def test_the_second_broker_of_the_url_serves_where_the_first_is_away(
    services: Services, conductor: Worker, broker: Broker, net: Net
) -> None:
    first = f"{USER}:{PASSWORD}@{net.next_address()}:5672"
    nova_conf(services, url_of(broker).replace("rabbit://", f"rabbit://{first},"))
    assert short(services.check("nova-conductor")) == WELL


def test_no_connection_to_the_broker(services: Services, conductor: Worker, broker: Broker) -> None:
    # A process of that name that never connected; the queue of the right one answers nevertheless.
    services.write(section("nova-conductor", nova_conf(services, url_of(broker)), r"process = ^\S*beam\.smp "))
    result = services.check("nova-conductor")
    assert short(result) == DOWN
    assert result["message"] == "no connection to RabbitMQ (port 5672) is established: none"


def test_a_file_that_is_not_there_or_says_nothing(services: Services, conductor: Worker) -> None:
    services.write(section("nova-conductor", "config = /nonexistent/nova.conf", conductor.process))
    result = services.check("nova-conductor")
    assert short(result) == BLIND
    assert result["message"] == "needs its messaging: /nonexistent/nova.conf: no such file or directory"
    empty = services.directory / "empty.conf"
    empty.write_text("[DEFAULT]\n")
    services.write(section("nova-conductor", f"config = {empty}", conductor.process))
    assert "has no transport_url" in services.check("nova-conductor")["message"]


def test_the_transport_url_from_the_environment(services: Services, conductor: Worker, broker: Broker) -> None:
    lines = ("transport_url_env = XHA_URL", "hosts = ctl1", "config = /nonexistent", conductor.process)
    services.write(section("nova-conductor", *lines))
    assert short(services.check("nova-conductor", env={"XHA_URL": url_of(broker)})) == WELL


def test_publishers_that_are_blocked(services: Services, conductor: Worker, broker: Broker) -> None:
    result: dict[str, Any] = {}

    def is_blocked() -> bool:
        result.update(services.check("nova-conductor"))
        return short(result) == blamed("rabbitmq")

    broker.control("set_vm_memory_high_watermark", "0.00001")
    try:
        wait_until(is_blocked, 60, lambda: f"the alarm has reached its connections: {result}")
    finally:
        broker.control("set_vm_memory_high_watermark", "0.6")
    assert "publishers are blocked by a resource alarm" in result["message"]
    wait_until(lambda: short(services.check("nova-conductor")) == WELL, 60, "the alarm is over")


@pytest.fixture
def apis(services: Services, conductor: Worker, broker: Broker, net: Net) -> Iterator[tuple[Keystone, Api]]:
    """A stand-in for keystone and one for nova's API, beside the real worker."""
    with serving(Keystone(net.next_address())) as keystone, serving(Api(net.next_address())) as nova:
        account = ("username = xha", "project = admin", "password_env = XHA_PASSWORD", f"auth_url = {keystone.url}")
        config = nova_conf(services, url_of(broker))
        services.write(section("nova-conductor", config, conductor.process, f"url = {nova.url}", *account))
        yield keystone, nova


LIST = "GET /v2.1/os-services?binary=nova-conductor"


def row(**more: Any) -> Reply:
    base = {"binary": "nova-conductor", "host": "ctl1", "state": "up", "status": "enabled"}
    return Reply(200, {"services": [{**base, **more}]})


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (row(), WELL, "the service list has ctl1 up"),
        (row(state="down", updated_at="2026-11-22T17:00:00"), DOWN, "last report 2026-11-22T17:00:00"),
        (row(status="disabled", disabled_reason="rack"), CAUTION, "disabled by an operator: rack"),
        (row(host="ctl2"), DOWN, "has no nova-conductor on ctl1"),
        (Reply(403), BLIND, "needs an administrator's account"),
        (Reply(503), blamed("nova-api"), "answered 503"),
        (Reply(200, {"versions": []}), blamed("nova-api"), "not a service list"),
        (Reply(0), blamed("nova-api"), "closed without an answer"),
        (Reply(200, seconds=20), blamed("nova-api"), "no answer in time"),
    ],
)
def test_the_service_list(
    services: Services, apis: tuple[Keystone, Api], reply: Reply, expected: Any, words: str
) -> None:
    _, nova = apis
    nova.replies[LIST] = reply
    result = services.check("nova-conductor", "deep", env={"XHA_PASSWORD": ACCOUNT_PASSWORD})
    assert short(result) == expected
    assert words in result["message"]
    assert "conductor.ctl1 answered a call" in result["proved"]
    assert nova.seen[0].headers["X-Auth-Token"]


def test_a_keystone_that_gives_no_token(services: Services, apis: tuple[Keystone, Api]) -> None:
    keystone, _ = apis
    refused = services.check("nova-conductor", "deep", env={"XHA_PASSWORD": "wrong"})
    assert short(refused) == BLIND
    keystone.failure = Reply(0)
    result = services.check("nova-conductor", "deep", env={"XHA_PASSWORD": ACCOUNT_PASSWORD})
    assert short(result) == blamed("keystone")
    assert "answered a call" in result["proved"]
    keystone.failure = Reply(201, seconds=20)
    result = services.check("nova-conductor", "deep", env={"XHA_PASSWORD": ACCOUNT_PASSWORD})
    assert short(result) == blamed("keystone")
    assert "answered a call" in result["proved"]


def test_without_an_account_the_deep_level_says_what_it_needs(services: Services, conductor: Worker) -> None:
    result = services.check("nova-conductor", "deep")
    assert short(result) == BLIND
    assert result["message"].startswith("needs an administrator's auth_url")


def test_a_consoleauth_that_is_gone_upstream(services: Services, broker: Broker) -> None:
    services.write(section("nova-consoleauth", nova_conf(services, url_of(broker))))
    assert short(services.check("nova-consoleauth")) == NOT_HERE


@pytest.mark.parametrize("kind", ["plain", "ping", "backend"])
def test_a_volume_worker_runs_on_exactly_one_host(services: Services, broker: Broker, net: Net, kind: str) -> None:
    elsewhere = "process = ^no-such"
    with volumes(net, broker, 1, kind) as first:
        first.wait_listening()
        wait_consumers(broker, kind, 1)
        for expect in ("running", "one"):
            services.write(volume_section(services, broker, kind, first.process, f"expect = {expect}"))
            result = services.check("cinder-volume")
            assert short(result) == WELL
            assert f"cinder-volume.{kind}@lvm answered a call" in result["proved"]
        # The passive host.
        services.write(volume_section(services, broker, kind, elsewhere, "expect = one"))
        assert short(services.check("cinder-volume")) == NOT_HERE
        services.write(volume_section(services, broker, kind, first.process, "expect = stopped"))
        assert short(services.check("cinder-volume")) == DOWN
        with volumes(net, broker, 2, kind) as second:
            second.wait_listening()
            wait_consumers(broker, kind, 2)
            for process in (first.process, second.process, elsewhere):
                services.write(volume_section(services, broker, kind, process, "expect = one"))
                result = services.check("cinder-volume")
                assert short(result) == DOWN
                assert result["message"] == (f"2 active ones serve {kind}@lvm: each overwrites what the other does")
    services.write(volume_section(services, broker, kind, elsewhere, "expect = one"))
    nowhere: dict[str, Any] = {}

    def runs_nowhere() -> bool:
        nowhere.update(services.check("cinder-volume"))
        return "it runs on no host" in nowhere["message"]

    wait_until(runs_nowhere, 60, lambda: f"the broker has noticed that both are gone: {nowhere}")
    assert short(nowhere) == DOWN
    services.write(volume_section(services, broker, kind, elsewhere, "expect = stopped"))
    assert short(services.check("cinder-volume")) == WELL


def test_an_older_library_s_queue_without_a_listener(services: Services, broker: Broker) -> None:
    """No library is needed: a queue that a worker has left behind, then a consumer that never answers."""
    target = RpcTarget("nova", "conductor", "left-behind")
    with connected(broker) as channel:
        channel.exchange_declare("nova", "topic")
        channel.queue_declare(target.queue)
        channel.queue_bind(target.queue, "nova", target.queue)
        config = nova_conf(services, url_of(broker), "left-behind")
        services.write(section("nova-conductor", config, "process = ^no", "expect = one"))
        result = services.check("nova-conductor")
        assert short(result) == DOWN
        assert "nobody listens on its queue" in result["message"]
        taken: list[Any] = []
        channel.basic_consume(target.queue, lambda *call: taken.append(call), auto_ack=True)
        until = time.monotonic() + 60

        def take_one() -> None:
            while not taken and time.monotonic() < until:
                channel.connection.process_data_events(time_limit=1)

        loop = threading.Thread(target=take_one)
        loop.start()
        result = services.check("nova-conductor")
        loop.join()
        assert short(result) == DOWN
        assert "no answer in time" in result["message"]
        # It received a call like the library's own, which expires with the check.
        [(_, method, properties, body)] = taken
        assert method.routing_key == target.queue
        assert properties.content_type == "application/json"
        assert 0 < int(properties.expiration) <= 5000
        assert json.loads(json.loads(body)["oslo.message"])["method"] == "ping"
        channel.queue_delete(target.queue)


@contextlib.contextmanager
def connected(broker: Broker) -> Iterator[Any]:
    """A channel of the test's own."""
    credentials = pika.PlainCredentials(USER, PASSWORD)
    connection = pika.BlockingConnection(pika.ConnectionParameters(broker.address, credentials=credentials))
    yield connection.channel()
    connection.close()
