"""Three real brokers in one cluster: one frozen, one away and back, a split brain, an alarm on another node."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from loopback import Net, wait_until
from loopback.rabbitmq import PASSWORD, USER, Broker, Rabbits
from services.host import CAUTION, DOWN, WELL, Services, blamed, short
from services.rabbit_host import SECRETS, names, rabbitmqctl, section


@pytest.fixture(scope="module")
def session_rabbits(net: Net) -> Iterator[Rabbits]:
    with Rabbits(net, net.directory / "rabbits", 3) as rabbits:
        yield rabbits


@pytest.fixture
def rabbits(session_rabbits: Rabbits) -> Rabbits:
    session_rabbits.mend()  # before a test and not after it: what the last one leaves ends with the brokers
    return session_rabbits


def check(services: Services, broker: Broker, **options: Any) -> dict[str, Any]:
    services.write(section(broker, names(broker.rabbits), f"api = {broker.api}", **options))
    return services.check("rabbitmq", "deep", env=SECRETS)


def has_mirrors(broker: Broker) -> bool:
    """RabbitMQ 4.0 has no mirrored classic queues."""
    overview = broker.ask("/api/overview")
    assert isinstance(overview, dict)
    return int(overview["rabbitmq_version"].partition(".")[0]) < 4


def declare_queues(broker: Broker, *, mirrored: bool) -> None:
    broker.send("PUT", "/api/queues/%2F/qq", {"durable": True, "arguments": {"x-queue-type": "quorum"}})
    if mirrored:
        policy = {"ha-mode": "all", "ha-sync-mode": "manual"}
        broker.send("PUT", "/api/policies/%2F/ha", {"pattern": "^mq", "definition": policy, "apply-to": "queues"})
        broker.send("PUT", "/api/queues/%2F/mq", {"durable": True})


def publish(broker: Broker, queue: str, number: int) -> None:
    credentials = pika.PlainCredentials(USER, PASSWORD)
    connection = pika.BlockingConnection(pika.ConnectionParameters(broker.address, credentials=credentials))
    channel = connection.channel()
    channel.confirm_delivery()
    for _ in range(number):
        channel.basic_publish("", queue, b"x", pika.BasicProperties(delivery_mode=2))
    connection.close()


def wait_result(
    services: Services, broker: Broker, expected: tuple[int, str, str | None], *says: str, seconds: float = 90
) -> dict[str, Any]:
    """Wait until the check gives this result, with a line for each pattern: the brokers' statistics lag."""
    last: dict[str, Any] = {}

    def is_so() -> bool:
        last.update(check(services, broker))
        said = f"{last['message']}\n{last['proved']}"
        return short(last) == expected and all(re.search(pattern, said, re.MULTILINE) for pattern in says)

    wait_until(is_so, seconds, lambda: f"{expected} and {says}, not {last}")
    return last


def ask_with_rabbitmqctl(services: Services, broker: Broker, *lines: str, **env: str) -> dict[str, Any]:
    """The result of a check that has rabbitmqctl instead of the API.

    A machine without CPU time to spare needs more than half a minute for its two Erlang VMs, which is no answer.
    """
    rabbits = broker.rabbits
    env = {**SECRETS, "HOME": str(rabbits.directory), "ERL_EPMD_PORT": str(rabbits.epmd_port), **env}
    services.write(section(broker, f"rabbitmqctl = {rabbitmqctl(rabbits)}", *lines, deadline="60s"))
    for _ in range(5):
        result = services.check("rabbitmq", "deep", env={**env, "PATH": os.environ["PATH"]}, timeout=90)
        if "rabbitmqctl did not answer in time" not in result["message"]:
            break
    return result


def test_a_whole_cluster_and_then_a_node_away_and_back_unsynchronised(services: Services, rabbits: Rabbits) -> None:
    one, two, three = rabbits.brokers
    mirrored = has_mirrors(one)
    declare_queues(one, mirrored=mirrored)
    for broker in rabbits.brokers:
        wait_result(services, broker, WELL, f"whole: 3 nodes, {2 if mirrored else 1} queues?$")
    three.control("stop_app")
    # Its mirror is no longer listed: what is left looks complete, and the policy says that it is not.
    thin = "1 queue without all synchronised mirrors of the policy: mq"
    missing = thin if mirrored else f"1 quorum queue with members away on {three.name}: qq"
    for broker in (one, two):
        wait_result(services, broker, blamed(three.name), f"not running: {three.name}", missing)
    gone = check(services, three)
    assert short(gone) == DOWN
    assert gone["message"] == f"{three.address}:5672: connection refused"
    publish(one, "mq" if mirrored else "qq", 5)
    three.control("start_app")
    rabbits.wait_whole()
    if mirrored:
        wait_result(services, one, CAUTION, f"^{thin}$")
        one.control("sync_queue", "mq")
    wait_result(services, one, WELL)
    for name in ("qq", "mq") if mirrored else ("qq",):
        one.send("DELETE", f"/api/queues/%2F/{name}")


def test_an_alarm_on_another_node_blocks_publishers_here(services: Services, rabbits: Rabbits) -> None:
    one, two, _ = rabbits.brokers
    two.control("set_vm_memory_high_watermark", "0.00001")
    try:
        wait_result(services, one, blamed(two.name), f"^memory alarm on {two.name}: publishers are blocked$")
        assert short(check(services, two)) == CAUTION
    finally:
        two.control("set_vm_memory_high_watermark", "0.6")
    wait_result(services, one, WELL)


def test_a_drained_node_and_queues_with_too_few_members(services: Services, rabbits: Rabbits) -> None:
    one, two, three = rabbits.brokers
    quorum, stream = ({"durable": True, "arguments": {"x-queue-type": kind}} for kind in ("quorum", "stream"))
    one.send("PUT", "/api/queues/%2F/q3", quorum)
    one.send("PUT", "/api/queues/%2F/log", stream)
    alone = {"x-queue-type": "quorum", "x-quorum-initial-group-size": 1}
    one.send("PUT", "/api/queues/%2F/alone", {"durable": True, "arguments": alone})
    wait_result(services, one, WELL, "whole: 3 nodes, \\d+ queues$")
    two.tool("rabbitmq-upgrade", "drain")
    # The API of 3.10 does not tell that it is drained: its members are gone, and the node that tells is not to blame.
    # That of 4.0 does, and lists its members as online.
    away = f"1 quorum queue with members away on {two.name}: q3"
    maintenance = f"in maintenance, drained by an operator: {two.name}"
    wait_result(services, one, blamed(two.name), f"({away}|{maintenance})$")
    drained = check(services, two)
    assert short(drained) == DOWN
    assert drained["message"] == f"{two.address}:5672: connection refused"
    for broker, outcome in ((one, blamed(two.name)), (two, DOWN)):
        told = ask_with_rabbitmqctl(services, broker, f"node = {broker.name}")
        assert short(told) == outcome, told["message"]
        assert told["message"].startswith("in maintenance, drained by an operator: ")
    two.tool("rabbitmq-upgrade", "revive")
    wait_result(services, one, WELL, "whole: 3 nodes, \\d+ queues$")
    one.tool("rabbitmq-queues", "delete_member", "q3", three.name)
    few = "1 quorum queue with too few members: q3 \\(2 of 3\\); rabbitmq-queues grow adds them"
    wait_result(services, one, CAUTION, few)
    for name in ("q3", "log", "alone"):
        one.send("DELETE", f"/api/queues/%2F/{name}")


def test_streams_with_too_few_members(services: Services, rabbits: Rabbits) -> None:
    """Without a size a stream has all nodes; a policy's size comes before its argument's, when it is declared."""
    one, two, three = rabbits.brokers
    alone = {"x-initial-cluster-size": 1}
    sizes: dict[str, dict[str, int]] = {"log": {}, "single": alone, "both": alone}
    policy = {"pattern": "^both$", "definition": {"initial-cluster-size": 2}, "apply-to": "queues"}
    one.send("PUT", "/api/policies/%2F/pairs", policy)
    for name, size in sizes.items():
        one.send("PUT", f"/api/queues/%2F/{name}", {"durable": True, "arguments": {"x-queue-type": "stream", **size}})
    wait_result(services, one, WELL, "whole: 3 nodes, 3 queues$")

    def count() -> dict[str, int]:
        listed: Any = one.ask("/api/queues")
        return {row["name"]: len(row.get("members", ())) for row in listed}

    wait_until(lambda: count() == {"log": 3, "single": 1, "both": 2}, 60, "the members are listed")
    one.tool("rabbitmq-streams", "delete_replica", "log", three.name)
    if has_mirrors(one):  # the API of 3.10 goes on telling the member that is gone, so the check does not judge it
        told: Any = one.ask("/api/queues/%2F/log")
        assert three.name in told["members"], "the API of this version tells the change: let the check judge it"
        wait_result(services, two, WELL, "whole: 3 nodes, 3 queues$")
    else:
        few = "^1 stream with too few members: log \\(2 of 3\\); rabbitmq-streams add_replica adds them$"
        wait_result(services, two, CAUTION, few)
        one.tool("rabbitmq-streams", "add_replica", "log", three.name)
        wait_result(services, two, WELL, "whole: 3 nodes, 3 queues$")
    one.send("DELETE", "/api/policies/%2F/pairs")
    for name in sizes:
        one.send("DELETE", f"/api/queues/%2F/{name}")


def test_an_expected_node_that_never_joined(services: Services, rabbits: Rabbits) -> None:
    one = rabbits.brokers[0]
    services.write(section(one, names(rabbits) + " rabbit@127.0.0.77", f"api = {one.api}"))
    result = services.check("rabbitmq", "deep", env=SECRETS)
    assert short(result) == blamed("rabbit@127.0.0.77")
    assert result["message"].startswith("its cluster lacks nodes: rabbit@127.0.0.77 no member")
    services.write(section(one, "nodes = 4", f"api = {one.api}"))
    message = services.check("rabbitmq", "deep", env=SECRETS)["message"]
    assert "its cluster lacks nodes: 3 members, not 4" in message


def test_a_frozen_node_is_to_blame_for_what_hangs_on_healthy_ones(services: Services, rabbits: Rabbits) -> None:
    one, two, three = rabbits.brokers
    three.freeze()
    for broker in (one, two):
        result = check(services, broker, deadline="5s")
        assert short(result) == blamed(three.address)
        assert result["message"] == "no end after 5 s, waiting for queue.declare"
        assert result["proved"] == f"a login at {broker.address}:5672"
        assert result["duration_ms"] >= 4900  # and, as the message says, it was not killed
    frozen = check(services, three)
    assert short(frozen) == DOWN
    assert frozen["message"].endswith("no answer in time")


def test_a_split_brain_takes_the_smaller_side_out_of_service(services: Services, rabbits: Rabbits) -> None:
    one, two, three = rabbits.brokers
    rabbits.split_off(three)
    minority = wait_result(services, three, DOWN, f"split brain: it is partitioned from {one.name}")
    assert "acknowledged" in minority["proved"]  # AMQP itself does not notice
    for broker in (one, two):
        wait_result(services, broker, blamed(three.name), "split brain")
    # The same from rabbitmqctl, with its own account: Erlang's cookie.
    told = ask_with_rabbitmqctl(services, one, names(rabbits), f"node = {one.name}")
    assert short(told) == blamed(three.name), told["message"]
    assert "split brain" in told["message"]
    # Without the API and without a node's name, the one that answers is asked for its own: it is the smaller side.
    itself = {"RABBITMQ_NODENAME": three.name, "RABBITMQ_USE_LONGNAME": "true"}
    alone = ask_with_rabbitmqctl(services, three, **itself)
    assert short(alone) == DOWN, alone["message"]
    assert f"split brain: it is partitioned from {one.name}, {two.name}" in alone["message"]
