"""A monitor asks the resource's keeper first, and looks itself where that one does not say that all is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host import AGENT, Host, Resource, Result
from loopback import Net, wait_until
from loopback.doors import CHECKOUT

LOOKS = "xha.app.agent.monitor"


@pytest.fixture(scope="module")
def one(net: Net) -> Iterator[Resource]:
    with Host(net, net.directory / "asked") as host:
        resource = Resource(host, "p_mysql", net.next_address())
        resource._make_directory()
        assert resource.call("start").code == 0
        wait_until(lambda: resource.run_file("keeper.json").get("code") == "synced", 60, "the keeper says synced")
        yield resource
        resource.call("stop")


def trace(one: Resource, level: int = 0, interval: int = 10000, **parameters: str) -> tuple[Result, bool]:
    """A monitor's answer, and whether it has looked itself."""
    interpreter = Path(f"/proc/{one.host.init}/root{AGENT}").read_text().split("\n", 1)[0][2:].split()
    words = {f"OCF_RESKEY_{name}": value for name, value in {**one.parameters, **parameters}.items()}
    meta = {"OCF_RESOURCE_INSTANCE": one.resource, "OCF_CHECK_LEVEL": str(level)}
    command = [*interpreter, "-X", "importtime", AGENT, "monitor"]
    result = one.host.run(*command, OCF_RESKEY_CRM_meta_interval=str(interval), **meta, **words)
    return result, LOOKS in result.err


def asked(one: Resource) -> Result:
    """A monitor that the keeper has answered: at the latest after it has ended its look."""

    def answered() -> Result | None:
        result, looked = trace(one)
        return None if looked else result

    return wait_until(answered, 60, "the keeper answers a monitor")


def test_the_keeper_tells_a_monitor_that_all_is_well(one: Resource) -> None:
    assert asked(one).code == 0
    assert one.monitor()[:3] == (0, "", "")


def test_what_the_keeper_does_not_answer_is_looked_at(one: Resource) -> None:
    asked(one)
    for result, looked in (
        trace(one, level=10),
        trace(one, interval=0),
        trace(one, hang_grace="never"),
    ):
        assert looked, result


def test_a_keeper_that_is_stopped_holds_up_nobody(one: Resource) -> None:
    asked(one)
    one.signal("STOP", one.keeper_pid)
    try:
        result, looked = trace(one)
        assert (result.code, looked) == (0, True)
    finally:
        one.signal("CONT", one.keeper_pid)


QUESTIONS = """
import _socket, sys
sys.path.insert(0, sys.argv[1])
import xha
from xha.adapters.network.resident_client import describe, render
own = describe(xha.__version__, xha.__file__)
for words in ([], own, [*own, b"monitor"], [*own, b"monitor", b"\\xff", b"OCF_RESOURCE_INSTANCE=../x"],
              [*own, b"clustercheck", b"x"], [*own, b"http"], [*own, b"monitor", b"OCF_RESOURCE_INSTANCE=\\xff\\n"]):
    for message in (render(words), render(words)[:-1] or b"9", b"99999999:" + render(words)):
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        sock.settimeout(10)
        sock.connect(sys.argv[2])
        sock.send(message)
        assert sock.recv(99) in (b"no", b""), message
"""


def test_nothing_that_is_asked_ends_the_keeper(one: Resource) -> None:
    asked(one)
    before = one.keeper_pid
    socket = f"/run/xha/galera/{one.resource}/ask"
    one.host.run("/usr/bin/python3", "-IBS", "-c", QUESTIONS, str(CHECKOUT / "lib"), socket, check=True)
    asked(one)
    assert one.keeper_pid == before


def test_a_server_that_is_stopped_or_gone_is_looked_for(one: Resource) -> None:
    asked(one)
    server = one.server_pids()[0]
    one.signal("STOP", server)
    try:
        result, looked = trace(one)
        assert looked
    finally:
        one.signal("CONT", server)
    asked(one)
    one.signal("KILL", server)
    wait_until(lambda: not one.server_pids(), 30, "the server is gone")
    result, looked = trace(one)
    assert looked
    assert result.code != 0


def test_a_socket_that_others_could_have_put_there_is_not_asked(one: Resource) -> None:
    assert one.call("stop").code == 0
    assert one.call("start").code == 0
    asked(one)
    directory = f"/run/xha/galera/{one.resource}"
    one.host.run("chmod", "0777", directory, check=True)
    result, looked = trace(one)
    one.host.run("chmod", "0755", directory, check=True)
    assert (result.code, looked) == (0, True)
