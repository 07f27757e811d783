"""What a worker's answer, silence, connections and row in the service list mean."""

from __future__ import annotations

from typing import Any

import pytest

from xha.core.config.xha_conf import parse_config
from xha.core.services.model.result import Level, Result
from xha.core.services.rabbitmq.login import AmqpError, AmqpFault
from xha.core.services.settings import ServiceConfig, ServiceFault, find_service
from xha.core.services.workers.judge import (
    Ping,
    Silence,
    WorkerSettings,
    find_targets,
    judge_absence,
    judge_broker,
    judge_pings,
    judge_services,
    judge_sockets,
    parse_services,
)
from xha.core.services.workers.oslo_config import Messaging
from xha.core.services.workers.oslo_rpc import Answered, RpcReply, RpcTarget

PONG = RpcReply(Answered.PONG, '"pong"')
TARGET = RpcTarget("openstack", "cinder-volume", "ctl1@lvm")


def settings(kind: str, text: str = "") -> WorkerSettings:
    found = find_service(kind, parse_config(f"[service {kind}]\n{text}", "xha.conf"))
    assert isinstance(found, ServiceConfig)
    assert isinstance(found.settings, WorkerSettings)
    return found.settings


VOLUME = settings("cinder-volume")


def shape(result: Result) -> tuple[str, str | None]:
    return result.status.value, result.blame


@pytest.mark.parametrize(
    ("kind", "messaging", "queues"),
    [
        ("nova-conductor", Messaging(), ["nova/conductor.me"]),
        ("nova-scheduler", Messaging(host="ctl1"), ["nova/scheduler.ctl1"]),
        ("nova-consoleauth", Messaging(exchange="mine"), ["mine/consoleauth.me"]),
        ("cinder-scheduler", Messaging(backends=("x@lvm",)), ["openstack/cinder-scheduler.me"]),
        ("cinder-volume", Messaging(), ["openstack/cinder-volume.me"]),
        (
            "cinder-volume",
            Messaging(host="ctl1", backends=("@lvm", "ha@ceph")),
            ["openstack/cinder-volume.ctl1@lvm", "openstack/cinder-volume.ha@ceph"],
        ),
        ("neutron-rpc-server", Messaging(), ["neutron/q-plugin.me", "neutron/q-reports-plugin.me"]),
    ],
)
def test_whom_to_call(kind: str, messaging: Messaging, queues: list[str]) -> None:
    targets = find_targets(settings(kind), messaging, "me")
    assert [f"{target.exchange}/{target.queue}" for target in targets] == queues
    assert {target.method for target in targets} == {"ping" if kind.startswith("nova") else "oslo_rpc_server_ping"}


def test_hosts_of_the_section_come_first() -> None:
    found = find_targets(settings("cinder-volume", "hosts = a@x, b@y"), Messaging(host="c", backends=("c@z",)), "me")
    assert [target.host for target in found] == ["a@x", "b@y"]


def test_an_answer_is_a_proof_and_so_is_a_refusal() -> None:
    pings = [Ping(TARGET, PONG, 1, 7), Ping(TARGET, RpcReply(Answered.REFUSED, "NoSuchMethod"), 1, 12)]
    result = judge_pings(VOLUME, pings, True, "process 1 runs")
    assert shape(result) == ("ok", None)
    assert result.message.endswith("answered a call, 12 ms")


def test_an_error_for_an_answer_is_a_warning() -> None:
    result = judge_pings(VOLUME, [Ping(TARGET, RpcReply(Answered.FAILED, "DBError: x"), 1)], True, "")
    assert shape(result) == ("warning", "self")
    assert "DBError" in result.message


@pytest.mark.parametrize(
    ("silence", "expected"),
    [
        (Silence.TIMEOUT, ("critical", "self")),
        (Silence.NO_QUEUE, ("critical", "self")),
        (Silence.NO_CONSUMER, ("critical", "self")),
        (Silence.QUEUE_DOWN, ("warning", "dependency:rabbitmq")),
        (Silence.BLOCKED, ("warning", "dependency:rabbitmq")),
        (Silence.NO_EXCHANGE, ("unknown", None)),
    ],
)
@pytest.mark.parametrize("is_here", [True, False])
def test_who_is_to_blame_for_silence(silence: Silence, expected: tuple[str, str | None], is_here: bool) -> None:
    result = judge_pings(VOLUME, [Ping(TARGET, PONG, 1), Ping(TARGET, silence)], is_here, "process 1 runs")
    assert shape(result) == expected
    # Without any answer, a worker that is connected may only have other names than those that were asked for.
    alone = judge_pings(VOLUME, [Ping(TARGET, silence)], is_here, "process 1 runs")
    assert shape(alone) == (("unknown", None) if silence is Silence.NO_QUEUE and is_here else expected)
    assert silence.value in result.message
    assert result.proved == "process 1 runs"


def test_two_active_volume_workers_are_critical_on_both_hosts() -> None:
    for is_here in (True, False):
        result = judge_pings(VOLUME, [Ping(TARGET, PONG, 2)], is_here, "")
        assert shape(result) == ("critical", "self")
        assert "2 active ones serve ctl1@lvm" in result.message


def test_two_conductors_of_one_name_are_a_matter_of_taste() -> None:
    assert shape(judge_pings(settings("nova-conductor"), [Ping(TARGET, PONG, 2)], True, "")) == ("ok", None)


def test_answered_from_elsewhere_the_passive_host_is_right() -> None:
    assert shape(judge_pings(VOLUME, [Ping(TARGET, PONG, 1)], False, "")) == ("not-applicable", None)


@pytest.mark.parametrize(
    ("text", "here", "level", "expected"),
    [
        ("", True, Level.PROCESS, None),
        ("", False, Level.PROCESS, None),
        ("required = 0", False, Level.DEEP, ("not-applicable", None)),
        ("required = 0", True, Level.DEEP, None),
        ("expect = stopped", True, Level.PROTOCOL, ("critical", "self")),
        ("expect = stopped", False, Level.PROTOCOL, ("ok", None)),
        ("expect = one", True, Level.PROCESS, None),
        ("expect = one", False, Level.PROCESS, ("not-applicable", None)),
        ("expect = one", False, Level.PROTOCOL, None),
    ],
)
def test_what_follows_from_presence_alone(text: str, here: bool, level: Level, expected: Any) -> None:
    result = judge_absence(settings("cinder-volume", text), level, here)
    assert (shape(result) if result else None) == expected


def test_consoleauth_need_not_be_there() -> None:
    result = judge_absence(settings("nova-consoleauth"), Level.PROTOCOL, False)
    assert result is not None
    assert shape(result) == ("not-applicable", None)


def test_connections() -> None:
    assert judge_sockets(1, ["CLOSE_WAIT"], {5672}) == ""
    assert judge_sockets(0, ["CLOSE_WAIT", "CLOSE_WAIT"], {5672, 5671}) == (
        "no connection to RabbitMQ (port 5671, 5672) is established: only CLOSE_WAIT"
    )
    assert judge_sockets(0, [], {5672}).endswith("established: none")


@pytest.mark.parametrize("fault", AmqpFault)
def test_a_broker_that_cannot_be_used_is_not_the_worker_s_fault(fault: AmqpFault) -> None:
    result = judge_broker(VOLUME, Level.PROTOCOL, AmqpError("h:5672", fault), "process 1 runs")
    ours = {AmqpFault.ACCOUNT, AmqpFault.VHOST, AmqpFault.PERMISSION, AmqpFault.TLS, AmqpFault.NAME}
    assert shape(result) == (("unknown", None) if fault in ours else ("warning", "dependency:rabbitmq"))
    assert fault.value in result.message


def row(host: str = "ctl1@lvm", **more: Any) -> dict[str, Any]:
    base = {"binary": "cinder-volume", "host": host, "state": "up", "status": "enabled", "updated_at": "2026-11-22T01"}
    return {**base, **more}


def listed(*rows: dict[str, Any], kind: str = "cinder-volume") -> Result:
    found = parse_services({"services": list(rows)}, kind)
    hosts = ["ctl1@lvm"] if kind == "cinder-volume" else ["ctl1"]
    result = judge_services(settings(kind), hosts, found, "answered")
    assert result.level is Level.DEEP
    assert result.proved.startswith("answered")
    return result


def test_the_list_has_it_up() -> None:
    assert shape(listed(row(), row("other@lvm", state="down"))) == ("ok", None)


def test_a_driver_that_did_not_start_answers_calls_and_is_down_in_the_list() -> None:
    result = listed(row(state="down"))
    assert shape(result) == ("critical", "self")
    assert "last report 2026-11-22T01" in result.message


def test_the_list_does_not_know_it() -> None:
    assert shape(listed(row("other@lvm"))) == ("critical", "self")
    assert shape(listed({**row(), "binary": "cinder-scheduler"})) == ("critical", "self")


def test_an_operator_s_decision_is_no_fault() -> None:
    result = listed(row(status="disabled", disabled_reason="maintenance of the rack"))
    assert shape(result) == ("warning", "self")
    assert "maintenance of the rack" in result.message
    assert shape(listed(row(state="down", forced_down=True))) == ("warning", "self")


def test_no_conductor_is_to_blame_for_a_scheduler() -> None:
    # A scheduler writes its own reports: it stayed up while all conductors were frozen for 75 s (make test-openstack).
    down = {"binary": "nova-scheduler", "host": "ctl1", "state": "down"}
    assert shape(listed(down, kind="nova-scheduler")) == ("critical", "self")


@pytest.mark.parametrize("document", [None, [], {}, {"services": {}}, {"services": [1]}])
def test_what_is_no_service_list(document: Any) -> None:
    with pytest.raises(ValueError, match="no"):
        parse_services(document, "cinder-volume")


@pytest.mark.parametrize(
    ("kind", "lines", "key"),
    [
        ("nova-conductor", "transport_url_file = /a\ntransport_url_env = B", "transport_url_env"),
        ("nova-conductor", "username = x", "username"),
        ("nova-conductor", "expect = twice", "expect"),
        ("nova-conductor", "process = conductor", "process"),
        ("nova-conductor", "transport_url_env = rabbit://u:S3CRET@h", "transport_url_env"),
        ("neutron-rpc-server", "username = x", "unknown key 'username'"),
        ("rabbitmq", "username = x", "username"),
        ("rabbitmq", "username = x\npassword_file = /a\npassword_env = B", "password_env"),
        ("rabbitmq", "nodes = 3", "nodes"),
        ("rabbitmq", "nodes = rabbit", "nodes"),
        ("rabbitmq", "api = http://h:15672", "api"),
        ("rabbitmq", "api = http://u:S3CRET@h:15672", "api"),
        ("rabbitmq", "api_username = x", "api_username"),
    ],
)
def test_a_wrong_section_names_file_section_and_key(kind: str, lines: str, key: str) -> None:
    fault = find_service(kind, parse_config(f"[service {kind}]\n{lines}", "xha.conf"))
    assert isinstance(fault, ServiceFault)
    assert fault.message.startswith("xha.conf: ")
    assert f"[service {kind}]" in fault.message
    assert key in fault.message
    assert "S3CRET" not in fault.message
