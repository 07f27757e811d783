"""What the other tests rely on: claims do not collide, and nothing outlives its owner."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from loopback import Daemon, Died, MissingProgram, Net, Node, claim, find_program, wait_until
from loopback.addresses import PORTS

TESTS = Path(__file__).parents[1]

# An owner that starts a node, freezes it and waits to be killed. Prints the pid of mysqld, and its directory.
OWNER = """
import signal
from loopback import Node, claim
with claim() as net, Node(net, net.directory / "killed-owner", net.address(11)) as node:
    node.freeze()
    print(node.pid, node.directory, flush=True)
    signal.pause()
"""


def owner_process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "wrapper", [pytest.param([], id="same addresses"), pytest.param(["unshare", "--net"], id="addresses of its own")]
)
def test_two_processes_claim_two_networks(net: Net, wrapper: list[str]) -> None:
    """Where the addresses are another network namespace's, the directories are the machine's all the same."""
    if wrapper and os.geteuid() != 0:
        pytest.skip("not root: another network namespace cannot be made")
    (net.directory / "ours").touch()
    program = "from loopback import claim\nwith claim() as net: print(net.prefix)"
    other = subprocess.run(
        [*wrapper, sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() not in ("", net.prefix)
    assert (net.directory / "ours").exists()


def test_a_released_network_leaves_no_directory() -> None:
    with claim() as other:
        (other.directory / "file").touch()
    assert not other.directory.exists()


def test_a_killed_owner_leaves_no_mysqld_even_a_frozen_one() -> None:
    with owner_process() as owner:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        owner.send_signal(signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(int(pid)), 30, f"mysqld {pid} is gone")

    def is_swept() -> bool:
        """The next claim of its network removes what it left: one of this test's, or that of a parallel run.

        Other runs may have freed networks of a lower number meanwhile, which are claimed first.
        """
        with contextlib.ExitStack() as claimed:
            for _ in range(8):
                claimed.enter_context(claim())
            return not Path(directory).exists()

    wait_until(is_swept, 30, f"{directory} is gone")


def test_children_of_a_daemon_end_with_it(net: Net) -> None:
    directory = net.directory / "grandchild"
    directory.mkdir()
    script = f"setsid sleep 1000 & echo $! >{directory}/pid.new; mv {directory}/pid.new {directory}/pid; wait"
    with Daemon(net, ["/bin/sh", "-c", script], directory / "log") as daemon:
        wait_until((directory / "pid").exists, 20, "the child runs")
        child = int((directory / "pid").read_text())
        assert psutil.pid_exists(child)
        daemon.kill()
        wait_until(lambda: not psutil.pid_exists(child), 20, "the child is gone")


def test_a_server_that_cannot_start_says_why(net: Net) -> None:
    node = Node(net, net.directory / "broken", net.next_address(), options=["--no-such-option"])
    with pytest.raises(Died, match="no-such-option"), node:
        pass


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(MissingProgram, match="apt-get install some-package"):
        find_program("no-such-program", "some-package")


def test_addresses_come_round_again_but_never_while_somebody_listens(net: Net) -> None:
    with contextlib.ExitStack() as listening:
        taken = net.next_address()
        listening.enter_context(socket.create_server((taken, 1)))
        given = [net.next_address() for _ in range(400)]
    assert taken not in given
    assert len(set(given)) < len(given)


def test_a_port_is_free_on_every_address_and_given_to_no_client(net: Net) -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    first = net.next_port()
    assert not lowest <= first <= highest
    with socket.create_server((net.next_address(), first)):
        ports = [net.next_port() for _ in range(2 * PORTS)]
    assert first not in ports
    assert len(set(ports)) == PORTS - 1
