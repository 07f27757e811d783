"""After an unexpected exception the keeper and --watch continue and report it; the server is not touched."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.host import Host, Resource
from agent.test_life import await_code
from loopback import Net, find_program
from responder.process import ENVIRONMENT
from security.resident import FAULT, Site, with_lines

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

SWITCH = "/run/xha-test-fault"
# In the agent itself, before its own last line: a step raises as long as the file exists.
LAST = "\nposix._exit("
FAULTY = f"""
import os
if sys.argv[1:] == ["keeper"]:
    from xha.app.keeper import keeper
    step = keeper.step
    def step_or_raise(memory, seen):
        if os.path.exists("{SWITCH}") and seen.trouble is None:
            raise ZeroDivisionError("for a test")
        return step(memory, seen)
    keeper.step = step_or_raise
"""


@pytest.fixture(scope="module")
def host(net: Net) -> Iterator[Host]:
    find_program("mariadbd", "mariadb-server")
    with Host(net, net.directory / "faulty") as running:
        agent = running.directory / "ocf/resource.d/xha/galera"
        text = agent.read_text()
        assert LAST in text
        agent.write_text(text.replace(LAST, f"{FAULTY}{LAST}"))
        yield running


@pytest.fixture
def resource(host: Host) -> Iterator[Resource]:
    one = Resource(host, "faulty-db", host.net.next_address())
    one._make_directory()
    yield one
    host.run("rm", "-f", SWITCH)
    end = one.call("stop")
    assert (end.code, one.server_pids()) == (0, []), end.err


def test_an_exception_in_a_step_of_the_keeper_is_degraded_and_said_once(host: Host, resource: Resource) -> None:
    short: dict[str, Any] = {"hang_grace": "2s", "sst_stall": "2s", "rejoin_grace": "2s"}
    assert resource.call("start", **short).code == 0
    keeper, [server] = resource.keeper_pid, resource.server_pids()
    before = host.syslog
    host.run("touch", SWITCH, check=True)
    seen = await_code(resource, 190, 30, **short)
    assert "the keeper has a fault of its own, and tries again: ZeroDivisionError: for a test" in seen.reason
    # Longer than every grace period that would make it a failure: what was not examined is not hung, stalled or lost.
    until, codes = time.monotonic() + 15, set()
    while time.monotonic() < until:
        codes.add(resource.monitor(**short).code)
        time.sleep(0.5)
    assert codes == {190}
    assert (resource.keeper_pid, resource.server_pids()) == (keeper, [server])
    told = host.syslog[len(before) :]  # a datagram for each message, and no newline between them
    assert told.count(FAULT) == 1, told
    assert "in step_or_raise" in told
    host.run("rm", SWITCH, check=True)
    await_code(resource, 0, 30, **short)
    assert (resource.keeper_pid, resource.server_pids()) == (keeper, [server])


def test_a_full_run_directory_ends_no_keeper(host: Host, resource: Resource) -> None:
    assert resource.call("start").code == 0
    keeper, [server] = resource.keeper_pid, resource.server_pids()
    host.run("sh", "-c", "mount -o remount,size=300k /run; cat /dev/zero >/run/full 2>/dev/null")
    try:
        host.run("touch", SWITCH)  # so that phase and reason change, and must be written
        time.sleep(8)
        assert resource.keepers() == [keeper]
    finally:
        host.run("sh", "-c", f"rm -f /run/full {SWITCH}; mount -o remount,size=100m /run", check=True)
    await_code(resource, 0, 60)
    assert (resource.keeper_pid, resource.server_pids()) == (keeper, [server])


# --- xha-check --watch

EVERY_SECOND_LOOK = """
from itertools import count
import xha.doors.check.{module} as module
numbers, real = count(), module.{name}
def look_or_raise(*arguments, **named):
    if next(numbers) % 2:
        raise KeyError("for a test")
    return real(*arguments, **named)
module.{name} = look_or_raise
"""


@pytest.mark.parametrize(
    ("module", "name", "arguments", "line"),
    [
        ("cluster.cluster", "look_at_cluster", ["cluster", "--watch"], "unreachable"),
        ("services.watch", "run_services", ["service", "memcached", "--watch"], "critical"),
    ],
)
def test_watch_goes_on_after_a_look_that_broke_off(
    site: Site, module: str, name: str, arguments: list[str], line: str
) -> None:
    nobody = "host = 127.0.0.1\nport = 1\nprocess = ^no-such-memcached\n"  # nor that of another test
    site.write(f"[cluster]\nmembers = 127.0.0.1:1\n[service memcached]\n{nobody}")
    command = [*with_lines("check.main", EVERY_SECOND_LOOK.format(module=module, name=name)), *arguments]
    process = subprocess.Popen(
        [*command, "--config", str(site.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    try:
        assert process.stdout is not None
        said, deadline = "", time.monotonic() + 60
        while said.count("this look broke off") < 2 and time.monotonic() < deadline:
            if select.select([process.stdout], [], [], 1)[0]:
                data = os.read(process.stdout.fileno(), 65536).decode()
                assert data, said
                said += data
        assert "xha-check: this look broke off, a fault of xha's own: KeyError: 'for a test'" in said
        assert line in said
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in said + out.decode() + err.decode()


def test_an_exception_is_a_sentence_for_who_runs_xha_check(site: Site) -> None:
    lines = (
        "from xha.doors.check.node import node\ndef broken(*_):\n    raise KeyError('for a test')\nnode.run = broken\n"
    )
    done = subprocess.run(
        [*with_lines("check.main", lines), "node", "--config", str(site.config)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    said = "xha-check: a fault of its own: KeyError: 'for a test'; syslog has where\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", said)
