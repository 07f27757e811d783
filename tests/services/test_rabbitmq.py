"""One real RabbitMQ broker: healthy, frozen, gone, full; and everything that an account can be refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from loopback import Net, wait_until
from loopback.rabbitmq import FIRST_HOST, PASSWORD, TLS_PORT, USER, Broker, Rabbits
from responder.certificates import Authority
from services.host import BLIND, CAUTION, DOWN, WELL, Services, short
from services.rabbit_host import SECRETS, section
from xha.core.services.catalogue import CATALOGUE


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def lone_broker(net: Net, authority: Authority) -> Iterator[Broker]:
    certificate, key = authority.certify("rabbit", net.address(FIRST_HOST))
    options = (
        f"listeners.ssl.1 = {{address}}:{TLS_PORT}",
        f"ssl_options.cacertfile = {authority.ca}",
        f"ssl_options.certfile = {certificate}",
        f"ssl_options.keyfile = {key}",
        "ssl_options.verify = verify_peer",
        "ssl_options.fail_if_no_peer_cert = true",
    )
    with Rabbits(net, net.directory / "rabbit", options=options) as rabbits:
        # A broker that has just started tells no partitions: nothing is known of them, and so of the broker.
        wait_until(lambda: "partitions" in str(rabbits.brokers[0].ask("/api/nodes")), 60, "it tells its partitions")
        yield rabbits.brokers[0]


@pytest.fixture
def broker(lone_broker: Broker, services: Services) -> Iterator[Broker]:
    services.write(section(lone_broker, f"api = {lone_broker.api}"))
    yield lone_broker
    lone_broker.thaw()


@pytest.mark.parametrize(
    ("level", "proved"),
    [
        ("process", "runs with"),
        ("protocol", "opens the virtual host /"),
        ("deep", "confirmed, read back, acknowledged; whole: 1 node, 0 queues"),
    ],
)
def test_a_broker_that_is_well(services: Services, broker: Broker, level: str, proved: str) -> None:
    result = services.check("rabbitmq", level, env=SECRETS)
    assert short(result) == WELL
    assert proved in result["proved"]


def test_the_kind_s_own_pattern_finds_a_real_broker(broker: Broker) -> None:
    line = " ".join(psutil.Process(broker.pid).cmdline())
    assert re.match(CATALOGUE["rabbitmq"].process, line), line


def test_without_an_account_it_greets(services: Services, broker: Broker) -> None:
    services.write(section(broker, account=False))
    result = services.check("rabbitmq")
    assert short(result) == WELL
    assert result["proved"].startswith("RabbitMQ ")
    assert result["proved"].endswith(f"greets in AMQP 0-9-1 at {broker.address}:5672")
    deep = services.check("rabbitmq", "deep")
    assert short(deep) == BLIND
    assert deep["message"] == "needs username, and password_file or password_env"
    assert "greets" in deep["proved"]


def test_nothing_of_the_check_stays_in_the_broker(services: Services, broker: Broker) -> None:
    for _ in range(3):
        assert short(services.check("rabbitmq", "deep", env=SECRETS)) == WELL
    wait_until(lambda: broker.ask("/api/queues") == [], 180, "no queue is left")
    wait_until(lambda: broker.ask("/api/connections") == [], 180, "no connection is left")


@pytest.mark.parametrize("level", ["process", "protocol", "deep"])
def test_a_frozen_broker_accepts_and_never_answers(services: Services, broker: Broker, level: str) -> None:
    services.write(section(broker, deadline="5s"))
    broker.freeze()
    result = services.check("rabbitmq", level, env=SECRETS)
    assert short(result) == DOWN
    if level == "process":
        assert result["message"] == f"process {broker.pid} is stopped"
    else:
        assert result["message"] == f"{broker.address}:5672: no answer in time"
        assert 1400 <= result["duration_ms"] < 15000


def test_a_frozen_broker_does_not_greet(services: Services, broker: Broker) -> None:
    services.write(section(broker, account=False, deadline="2s"))
    broker.freeze()
    result = services.check("rabbitmq")
    assert short(result) == DOWN
    assert result["message"].endswith("no answer in time")


@pytest.mark.parametrize("level", ["protocol", "deep"])
def test_a_wrong_password_is_a_fault_of_the_check_s_and_never_shown(
    services: Services, broker: Broker, level: str
) -> None:
    said = services.run("--service", "rabbitmq", "--json", "--level", level, env={"XHA_PASSWORD": "hush-4711"})
    assert said.code == 3
    assert "it refuses the account" in said.out
    assert '"unknown"' in said.out
    assert "hush-4711" not in said.out + said.err
    right = services.run("--service", "rabbitmq", "--json", "--level", level, env=SECRETS)
    assert PASSWORD not in right.out + right.err


def test_no_password_at_all(services: Services, broker: Broker) -> None:
    result = services.check("rabbitmq", "deep")
    assert short(result) == BLIND
    assert result["message"] == "needs its password: the environment has no XHA_PASSWORD"


def test_another_virtual_host(services: Services, broker: Broker) -> None:
    services.write(section(broker, "vhost = nowhere"))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == BLIND
    assert "no such virtual host" in result["message"]


def test_an_account_that_may_do_nothing(services: Services, broker: Broker) -> None:
    broker.send("PUT", "/api/users/nobody", {"password": PASSWORD, "tags": ""})
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    broker.send("PUT", "/api/permissions/%2F/nobody", nothing)
    services.write(section(broker).replace(USER, "nobody"))
    assert short(services.check("rabbitmq", env=SECRETS)) == WELL
    result = services.check("rabbitmq", "deep", env=SECRETS)
    assert short(result) == BLIND
    assert "the account may not do that (403 ACCESS_REFUSED" in result["message"]
    assert result["proved"] == f"a login at {broker.address}:5672"
    # The permissions of docs/services.md suffice; the management API requires a tag in addition.
    own = {"configure": "^xha-", "write": r"^(xha-|amq\.default$)", "read": "^xha-"}
    broker.send("PUT", "/api/permissions/%2F/nobody", own)
    assert short(services.check("rabbitmq", "deep", env=SECRETS)) == WELL
    services.write(section(broker, f"api = {broker.api}").replace(USER, "nobody"))
    result = services.check("rabbitmq", "deep", env=SECRETS)
    assert short(result) == BLIND
    assert "needs an account with the tag monitoring: its management API answers 401" in result["message"]
    assert "acknowledged" in result["proved"]
    broker.send("PUT", "/api/users/nobody", {"password": PASSWORD, "tags": "monitoring"})
    assert short(services.check("rabbitmq", "deep", env=SECRETS)) == WELL


def test_a_memory_alarm_is_a_warning(services: Services, broker: Broker) -> None:
    def check() -> dict[str, Any]:
        return services.check("rabbitmq", "deep", env=SECRETS)

    broker.control("set_vm_memory_high_watermark", "0.00001")
    try:
        alarm = f"memory alarm on {broker.name}: publishers are blocked"
        wait_until(lambda: alarm in check()["message"], 60, "the management API's statistics follow")
        assert short(check()) == CAUTION
        # Without the management API the message about the blocked publisher says as much.
        services.write(section(broker))
        blocked = services.check("rabbitmq", "deep", env=SECRETS)
        assert short(blocked) == CAUTION
        assert blocked["message"].endswith("publishers are blocked by a resource alarm")
        assert blocked["proved"] == f"a login at {broker.address}:5672"
        assert short(services.check("rabbitmq", "protocol", env=SECRETS)) == WELL
    finally:
        broker.control("set_vm_memory_high_watermark", "0.6")
    services.write(section(broker, f"api = {broker.api}"))
    wait_until(lambda: short(check()) == WELL, 60, "the alarm is over, in the statistics, too")


def test_a_management_api_that_is_not_there_is_a_gap(services: Services, broker: Broker) -> None:
    services.write(section(broker, f"api = http://{broker.address}:15673"))
    result = services.check("rabbitmq", "deep", env=SECRETS)
    assert short(result) == BLIND
    assert "not looked at: /api/health/checks/alarms (no connection), /api/nodes (no connection)" in result["message"]
    assert "acknowledged" in result["proved"]


def test_nobody_there(services: Services, net: Net, broker: Broker) -> None:
    services.write(section(broker).replace(f"host = {broker.address}", f"host = {net.next_address()}"))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == BLIND  # the broker runs: it is the section that is wrong
    assert ":5672: connection refused; its process" in result["message"]
    assert result["message"].endswith(f"listens on {broker.address} port 5672, {broker.address} port 5671")
    services.write(services.config.read_text().replace("process = ^", "process = ^no-such-"))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == DOWN
    assert result["message"].endswith(":5672: connection refused")


def test_a_name_that_nobody_knows_says_nothing_of_the_broker(services: Services, broker: Broker) -> None:
    services.write(section(broker).replace(f"host = {broker.address}", "host = no-such-host.invalid"))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == BLIND
    assert result["message"].endswith("no-such-host.invalid:5672: its name is unknown")


def test_something_else_in_its_place(services: Services, broker: Broker) -> None:
    services.write(section(broker, "port = 15672", account=False, deadline="2s"))
    result = services.check("rabbitmq")
    assert short(result) == DOWN
    assert "no answer in time" in result["message"] or "speaks no AMQP" in result["message"]


def test_a_plain_port_where_tls_is_asked_for(services: Services, broker: Broker) -> None:
    services.write(section(broker, "tls = 1"))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == BLIND
    assert result["message"].startswith("needs a port that speaks TLS")


def test_tls_where_nobody_asks_for_it(services: Services, broker: Broker) -> None:
    for account in (True, False):
        services.write(section(broker, f"port = {TLS_PORT}", account=account))
        result = services.check("rabbitmq", env=SECRETS)
        assert short(result) == BLIND
        assert result["message"].startswith("needs tls = 1, for this port speaks TLS")


@pytest.mark.parametrize("account", [True, False], ids=["login", "greeting"])
def test_tls_with_an_authority_that_is_trusted_and_one_that_is_not(
    services: Services, broker: Broker, authority: Authority, account: bool
) -> None:
    certificate, key = authority.certify("check", "127.0.0.1")
    own = (f"cert_file = {certificate}", f"key_file = {key}")
    tls = ("tls = 1", f"port = {TLS_PORT}", *own)
    services.write(section(broker, *tls, f"ca_file = {authority.ca}", account=account))
    assert short(services.check("rabbitmq", "deep" if account else "protocol", env=SECRETS)) == WELL
    for lines in ([f"ca_file = {authority.other_ca}"], []):
        services.write(section(broker, *tls, *lines, account=account))
        result = services.check("rabbitmq", env=SECRETS)
        assert short(result) == BLIND
        assert "its certificate is not trusted" in result["message"]
    # fail_if_no_peer_cert: with TLS 1.3 the refusal comes after the handshake
    services.write(section(broker, *tls[:2], f"ca_file = {authority.ca}", account=account))
    result = services.check("rabbitmq", env=SECRETS)
    assert short(result) == BLIND, result
    assert result["message"].startswith("needs a cert_file and key_file that it trusts")


def test_without_metrics_nothing_is_known_of_partitions(services: Services, broker: Broker) -> None:
    broker.control("eval", "application:set_env(rabbitmq_management_agent, disable_metrics_collector, true).")
    try:
        services.write(section(broker, f"api = {broker.api}"))
        result = services.check("rabbitmq", "deep", env=SECRETS)
        assert short(result) == BLIND
        assert f"not looked at: the partitions of {broker.name}, which its API does not tell" in result["message"]
    finally:
        broker.control("eval", "application:set_env(rabbitmq_management_agent, disable_metrics_collector, false).")
    wait_until(lambda: short(services.check("rabbitmq", "deep", env=SECRETS)) == WELL, 60, "it tells them again")


def test_a_node_that_lost_its_data_is_a_cluster_of_its_own(services: Services, broker: Broker) -> None:
    # The expected nodes do not exist: each refuses the connection that would show a frozen one.
    services.write(section(broker, f"nodes = {broker.name} rabbit@127.0.0.77 rabbit@127.0.0.78", f"api = {broker.api}"))
    result = services.check("rabbitmq", "deep", env=SECRETS)
    assert short(result) == DOWN
    assert result["message"].startswith("it has formed a cluster of its own: rabbit@127.0.0.77, rabbit@127.0.0.78")
    assert "acknowledged" in result["proved"]
