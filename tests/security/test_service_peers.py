"""Any process may answer a check: the check ends in time, stays small, and never reports that service as healthy.

Every case runs through xha-check as an operator runs it, and its time is the one that the check itself reports.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loopback import Daemon, Net, wait_until
from loopback.doors import door
from security.hostile_peers import COMMON, HTTP_ALWAYS, Hostile
from security.measured import MORE, MOST, check_measured, wrapper
from services.host import NO_TIME, Services

DEADLINE, KILL_DELAY = 1.0, 0.2
TRIES = 15  # a busy machine has no time for most of them
ACCOUNT = "username = xha\npassword_file = {directory}/password\n"
TOKEN = f"auth_url = http://{{where}}\nproject = a\n{ACCOUNT}"
BUS = "expect = one\nhosts = h1\ntransport_url_file = {directory}/transport\n"
UNKNOWN_NAME = re.compile("its name is unknown|the name of .* is unknown")
STAGES = ("login", "declare", "message")


class Attack(NamedTuple):
    """A service, its section's lines, the level, and the protocol and ways of the peer that answers."""

    service: str
    lines: str
    level: str
    protocol: str
    ways: tuple[str, ...]


ATTACKS = {
    "an API": Attack(
        "nova-api", "url = http://{where}\n", "protocol", "http", (*COMMON, *HTTP_ALWAYS, "nested", "wide")
    ),
    "keystone": Attack("keystone", f"url = http://{{where}}\n{TOKEN}", "deep", "keystone", (*COMMON, "wide")),
    "a WebSocket": Attack(
        "nova-novncproxy", "url = http://{where}\n", "deep", "websocket", (*COMMON, "opened, and talks")
    ),
    "memcached": Attack(
        "memcached",
        "host = {host}\nport = {port}\n",
        "deep",
        "memcached",
        (*COMMON, *(f"stats {way}" for way in COMMON)),
    ),
    "a stats socket": Attack(
        "haproxy", "stats_socket = {where}\n", "deep", "haproxy", (*COMMON, *(f"stat {way}" for way in COMMON))
    ),
    "a greeting": Attack(
        "rabbitmq", "host = {host}\nport = {port}\n", "protocol", "amqp", (*COMMON, "nested")
    ),
    "a broker": Attack(
        "rabbitmq",
        f"host = {{host}}\nport = {{port}}\n{ACCOUNT}",
        "deep",
        "amqp",
        (*(f"{stage} {way}" for stage in STAGES for way in COMMON), "message of others"),
    ),
    "a worker's broker": Attack(
        "nova-conductor", BUS, "protocol", "amqp", ("declare endless", "message drip", "message of others")
    ),
}  # fmt: skip
CASES = [pytest.param(name, way, id=f"{name}: {way}") for name, attack in ATTACKS.items() for way in attack.ways]


@contextlib.contextmanager
def listening(net: Net, directory: Path, protocol: str) -> Iterator[tuple[socket.socket, str]]:
    """A listening socket and its address: a path for a stats socket."""
    if protocol != "haproxy":
        with socket.create_server((net.next_address(), 0), backlog=50) as listener:
            host, port = listener.getsockname()
            yield listener, f"{host}:{port}"
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / "stats.sock"))
        listener.listen(50)
        yield listener, str(directory / "stats.sock")


def section(attack: Attack, where: str, directory: Path) -> str:
    host, _, port = where.rpartition(":")
    (directory / "password").write_text("an0ther-pass\n")
    (directory / "transport").write_text(f"rabbit://xha:an0ther-pass@{where}/\n")
    lines = attack.lines.format(where=where, host=host, port=port, directory=directory)
    return f"[service {attack.service}]\n{lines}deadline = {DEADLINE}s\nprocess = ^no-such-process\n"


def check_in_time(services: Services, name: str, level: str, deadline: float = DEADLINE, **how: Any) -> dict[str, Any]:
    """The result, of the first try in which this machine had the time to run it at all."""
    for _ in range(TRIES):
        result = check_measured(services, name, level, **how)
        if result["duration_ms"] <= (deadline + KILL_DELAY) * 1000 and NO_TIME not in result["message"]:
            break
    assert result["duration_ms"] <= (deadline + KILL_DELAY) * 1000, result
    return result


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """xha-check with the test's own xha.conf."""
    return Services(tmp_path / "xha")


@pytest.fixture(scope="module")
def alone(net: Net, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What each kind's check takes, in KiB, if nothing listens: its libraries."""
    services, found = Services(tmp_path_factory.mktemp("alone") / "xha"), {}
    for attack in ATTACKS.values():
        where = "/no/such/socket" if attack.protocol == "haproxy" else f"{net.next_address()}:1"
        services.write(section(attack, where, services.directory))
        found[attack.service] = check_measured(services, attack.service, attack.level)["peak"]
    return found


@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_hostile_peer_costs_the_deadline_at_most_and_is_never_well(  # noqa: PLR0913, PLR0917 - two tables
    services: Services, net: Net, tmp_path: Path, alone: dict[str, int], name: str, way: str
) -> None:
    attack = ATTACKS[name]
    with listening(net, tmp_path, attack.protocol) as (listener, where), Hostile(listener, attack.protocol, way):
        services.write(section(attack, where, tmp_path))
        result = check_in_time(services, attack.service, attack.level)
    assert result["status"] in ("critical", "unknown", "warning"), result
    assert result["blame"] in ("self", None, "dependency:rabbitmq"), result
    assert result["status"] != "warning" or result["blame"] == "dependency:rabbitmq", result
    assert "fault of xha" not in result["message"]
    assert result["message"]
    assert result["peak"] <= min(MOST, alone[attack.service] + MORE), result


ANSWERS = (
    "headers",
    "bomb",
    "redirect, a body",
    "nested",
    "a list of nothing",
    "a long name",
    "a page of another kind",
)


@pytest.mark.parametrize("way", [*COMMON, *ANSWERS])
def test_a_hostile_management_api_leaves_gaps_and_nothing_is_known(
    services: Services, net: Net, tmp_path: Path, way: str
) -> None:
    with contextlib.ExitStack() as stack:
        broker, place = stack.enter_context(listening(net, tmp_path, "amqp"))
        api, where = stack.enter_context(listening(net, tmp_path, "http"))
        stack.enter_context(Hostile(broker, "amqp", "well"))
        stack.enter_context(Hostile(api, "http", way))
        services.write(f"{section(ATTACKS['a broker'], place, tmp_path)}api = http://{where}\n")
        for _ in range(TRIES):
            result = check_in_time(services, "rabbitmq", "deep")
            # The broker is well, and a busy machine is not.
            if "no answer in time" not in result["message"] and "no end after" not in result["message"]:
                break
    assert (result["status"], result["proved"][:9]) == ("unknown", "a message"), str(result)
    assert "not looked at: /api/" in result["message"]
    assert result["peak"] <= MOST, result


@pytest.mark.parametrize("way", ["a token of another kind", "a token for a list"])
def test_a_token_s_document_of_another_shape_is_no_fault_of_the_check(
    services: Services, net: Net, tmp_path: Path, way: str
) -> None:
    with listening(net, tmp_path, "keystone") as (listener, where), Hostile(listener, "keystone", way):
        services.write(section(ATTACKS["keystone"], where, tmp_path))
        assert check_in_time(services, "keystone", "deep")["proved"] == "it gives xha a token"


def test_a_redirect_leads_nowhere(services: Services, net: Net, tmp_path: Path) -> None:
    """A redirect leads neither to a file nor to another host.

    Its body is not waited for, which requests does by default. A url that leads elsewhere is a setting.
    """
    with listening(net, tmp_path, "http") as (listener, where), Hostile(listener, "http", "redirect to a file"):
        services.write(section(ATTACKS["an API"], where, tmp_path))
        result = check_in_time(services, "nova-api", "protocol")
    assert (result["status"], result["message"]) == (
        "unknown",
        "needs another url or path, for this one leads elsewhere: / answered 302, not 200",
    )
    assert "root:" not in json.dumps(result)


def test_a_resolver_that_does_not_answer_is_told(services: Services, net: Net, tmp_path: Path) -> None:
    """A silent nameserver: glibc waits 5 s for it, and no signal ends that."""
    if os.geteuid() != 0:
        pytest.skip("not root: the machine's own nameserver cannot be another one for a moment")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((net.next_address(), 53))
        (tmp_path / "resolv.conf").write_text(f"nameserver {silent.getsockname()[0]}\n")
        mount = f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"'
        within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]
        for name in ("an API", "memcached", "a stats socket", "a greeting", "a broker", "a WebSocket"):
            attack = ATTACKS[name]
            services.write(section(attack, "controller.example.org:80", tmp_path))
            for _ in range(TRIES):
                said = services.run("--service", attack.service, "--level", attack.level, "--json", wrapper=within)
                [result] = json.loads(said.out)["services"]
                if result["duration_ms"] <= (DEADLINE + KILL_DELAY) * 1000:
                    break
            assert result["duration_ms"] <= (DEADLINE + KILL_DELAY) * 1000, result
            assert result["status"] == "unknown", result
            assert UNKNOWN_NAME.search(result["message"]), result


# --- programs: a user who can put one into root's PATH is root. A program that hangs, or prints forever, is only
# broken.

PROGRAMS = {
    "hangs": ("exec sleep 60", "does not end within 1.5 s", "critical"),
    "hangs by its child": ("sleep 60 & exit 0", "does not end within 1.5 s", "critical"),
    "prints for ever": ("exec yes '<node/>'", "crm_mon prints more than 8192 KiB", "unknown"),
    "complains for ever": ("exec yes >&2", "crm_mon prints more than 8192 KiB", "unknown"),
    "one line without an end": ("exec tr '\\0' x </dev/zero", "crm_mon prints more than 8192 KiB", "unknown"),
    "nothing": ("exit 0", "crm_mon said no XML", "unknown"),
    "rubbish": ("head -c 100000 /dev/urandom", "crm_mon said no XML", "unknown"),
}


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_program_that_hangs_or_never_stops_printing(services: Services, tmp_path: Path, title: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: Pacemaker's programs cannot be others for a moment")
    script, words, status = PROGRAMS[title]
    programs = {"crm_mon": script, "corosync-quorumtool": "exit 0", "crmadmin": "exit 0"}
    mounts = []
    for name, text in programs.items():
        path = shutil.which(name, path="/usr/sbin:/usr/bin")
        assert path, f"{name} is not there: apt-get install pacemaker corosync, or make deps"
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
        mounts.append(f"mount --bind {tmp_path / name} {path}")
    services.write("[service pacemaker]\ndeadline = 5s\n")
    file = tmp_path / "peak"
    within = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]
    for _ in range(TRIES):
        said = services.run("--service", "pacemaker", "--json", wrapper=[*within, *wrapper(file)])
        [result] = json.loads(said.out)["services"]
        if result["duration_ms"] < (5 + KILL_DELAY) * 1000 and NO_TIME not in result["message"]:
            break
    assert (result["status"], result["duration_ms"] < (5 + KILL_DELAY) * 1000) == (status, True), result
    assert words in result["message"]
    assert int(file.read_text()) <= MOST


def test_command_lines_of_2_mib_are_nobody_s_memory(services: Services, tmp_path: Path) -> None:
    """Any user may have many of them, and a check examines all processes of the host."""
    services.write("[service memcached]\nprocess = ^no-such-process\n")
    words = ["x" * 120_000] * 15  # an argument has at most 128 KiB, all together a quarter of the stack's limit
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            long = subprocess.Popen([sys.executable, "-IS", "-c", "input()", *words], stdin=subprocess.PIPE)
            stack.enter_context(long)
            stack.callback(long.kill)
        result = check_measured(services, "memcached", "process")
    assert (result["status"], result["message"]) == ("critical", "no process matches ^no-such-process")
    assert result["peak"] <= MOST


# --- the resident that runs the checks again and again


def test_hostile_peers_all_at_once_hold_up_no_other_check_and_make_no_resident_grow(net: Net, tmp_path: Path) -> None:
    ways = {"keystone": "endless", "memcached": "drip", "a stats socket": "stat endless", "a broker": "declare huge"}
    records = tmp_path / "services"
    records.mkdir()
    text = f"[responder]\nservices_directory = {records}\n"
    with contextlib.ExitStack() as stack:
        for name, way in ways.items():
            attack = ATTACKS[name]
            listener, where = stack.enter_context(listening(net, tmp_path, attack.protocol))
            stack.enter_context(Hostile(listener, attack.protocol, way))
            text += f"{section(attack, where, tmp_path)}interval = 2s\nfall = 1\nlevel = deep\n"
        (tmp_path / "xha.conf").write_text(text)
        argv = [*wrapper(tmp_path / "peak"), door("xha-services"), "--config", str(tmp_path / "xha.conf")]
        # The measuring process must outlive what it measures.
        runner = stack.enter_context(Daemon(net, argv, tmp_path / "log"))
        names = [ATTACKS[name].service for name in ways]

        def rounds() -> list[float]:
            found = []
            for name in names:
                with contextlib.suppress(OSError, ValueError):
                    found.append(json.loads((records / f"{name}.json").read_text())["at"])
            return found

        began = time.monotonic()
        wait_until(lambda: len(rounds()) == len(names), 60, lambda: f"each has a result: {rounds()}\n{runner.tail()}")
        first = rounds()
        wait_until(lambda: min(rounds()) > max(first), 60, lambda: f"each has another one\n{runner.tail()}")
        assert time.monotonic() - began < 90

        def not_down() -> set[tuple[str, str, str | None]]:
            found = [json.loads((records / f"{name}.json").read_text()) for name in names]
            said = {(one["name"], one["status"], one["blame"]) for one in found}
            return {one for one in said if one[1:] != ("critical", "self")}

        # A busy machine may have no time for one of them: that is unknown, until the next round. What keystone sends is
        # more than is read of an answer, or its time is up before that.
        gap = {("keystone", "unknown", None)}
        wait_until(lambda: not_down() <= gap, 60, lambda: f"{not_down()}\n{runner.tail()}")
        [child] = [int(pid) for pid in Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()]
        os.kill(child, 15)
        wait_until((tmp_path / "peak").exists, 30, "it has ended")
        wait_until(lambda: (tmp_path / "peak").read_text() != "", 10, "its memory was written down")
        assert int((tmp_path / "peak").read_text()) <= MOST
