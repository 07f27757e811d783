"""The laboratory itself: three hosts that reach each other and nothing else, and nothing left of them afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cgroups, processes
from lab.laboratory import Laboratory, environment, guarded
from lab.place import ADDRESSES, BASE, VIP, Place
from lab.shell import run
from lab.sweep import mounts_under, sweep
from lab.waiting import wait_until

pytestmark = pytest.mark.lab

BUILDER = """
import os, sys
from lab.laboratory import Laboratory, guarded
from lab.place import Place

lab = Laboratory(Place(sys.argv[1]))
with guarded(lab.place):
    lab.build(bare=True)
    print("built", flush=True)
    os.read(0, 1)
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[Laboratory]:
    """Three bare hosts."""
    lab = Laboratory(Place(f"bare-{os.getpid()}"))
    with guarded(lab.place):
        lab.build(bare=True)
        yield lab


@pytest.fixture
def place() -> Iterator[Place]:
    """A place of its own for a test, swept whatever the test did there."""
    own = Place(f"own-{os.getpid()}")
    yield own
    sweep(own)


def debris(place: Place) -> list[str]:
    """Everything that is left of the laboratory at `place`."""
    left = [*mounts_under(place.root), *(str(pid) for pid in processes.naming(f"{place.root}/"))]
    left += [str(path) for path in (place.root, place.lock) if path.exists()]
    for hierarchy in cgroups.hierarchies():
        left += [str(path) for path in (hierarchy / cgroups.FAMILY / place.name,) if path.exists()]
    return left


def build_elsewhere(place: Place) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, place.name], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_hosts_reach_each_other_and_the_client_and_no_other_network(hosts: Laboratory) -> None:
    for address in (*(host.address for host in hosts), "192.168.0.100"):
        hosts["h1"].sh(f"ping -c 1 -W 2 {address}")
    routes = hosts["h1"].sh("ip -4 route").out.split("\n")
    assert [route.split()[0] for route in routes if route] == ["192.168.0.0/24"]


def test_each_host_has_an_identity_of_its_own(hosts: Laboratory) -> None:
    for file in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/etc/hostname"):
        assert len({host.sh(f"cat {file}").out for host in hosts}) == len(hosts.hosts), file


def test_a_service_stopped_on_one_host_runs_on_on_the_others(hosts: Laboratory) -> None:
    hosts.on_all(lambda host: host.sh("systemctl start xinetd"))
    hosts["h1"].sh("systemctl stop xinetd")
    # A service counts as started before it runs its program.
    wait_until("xinetd on two", lambda: [len(host.pids_of("xinetd")) for host in hosts] == [0, 1, 1], timeout=60)


def test_power_off_ends_everything_at_once_and_keeps_the_disks(hosts: Laboratory) -> None:
    host = hosts["h2"]
    host.sh(f"ip address add {VIP}/24 dev eth0; echo kept >/root/note; echo kept >/var/lib/mysql/note")
    host.power_off()
    assert not host.has_power()
    assert not hosts["h1"].sh("ping -c 1 -W 1 h2", check=False).ok
    host.power_on()
    host.wait_booted()
    assert host.sh("cat /root/note /var/lib/mysql/note").out == "kept\nkept\n"
    assert VIP not in host.sh("ip address").out
    hosts["h1"].sh("ping -c 1 -W 2 h2")


def test_a_pulled_cable_stays_out_over_a_power_cycle(hosts: Laboratory) -> None:
    host = hosts["h3"]
    hosts.network.pull_cable("h3")
    assert not hosts["h1"].sh("ping -c 1 -W 1 h3", check=False).ok
    host.power_off()
    host.power_on()
    host.wait_booted()
    assert not hosts["h1"].sh("ping -c 1 -W 1 h3", check=False).ok
    hosts.network.heal()
    wait_until("h3 to be reached", lambda: hosts["h1"].sh("ping -c 1 -W 1 h3").ok, timeout=60)


def test_one_port_can_be_cut_while_the_rest_passes(hosts: Laboratory) -> None:
    connect = "timeout 1 bash -c 'echo >/dev/tcp/h2/{port}'"
    for port in (3306, 4567):
        hosts["h2"].sh(f"setsid -f socat TCP-LISTEN:{port},fork,reuseaddr /dev/null >/dev/null 2>&1")
    for port in (3306, 4567):
        wait_until(f"port {port}", lambda port=port: hosts["h1"].sh(connect.format(port=port)).ok, timeout=60)
    hosts.network.drop("tcp dport 3306")
    assert not hosts["h1"].sh(connect.format(port=3306), check=False).ok
    wait_until("port 4567", lambda: hosts["h1"].sh(connect.format(port=4567)).ok, timeout=60)
    assert not hosts["h1"].sh(connect.format(port=3306), check=False).ok
    hosts.network.heal()
    wait_until("port 3306", lambda: hosts["h1"].sh(connect.format(port=3306)).ok, timeout=60)


def test_the_power_switch_turns_a_host_off_and_on_for_a_fence_agent(hosts: Laboratory) -> None:
    fence = "printf 'action={action}\\nip=192.168.0.1\\nplug=h3\\n' | fence_lab"
    hosts["h1"].sh(fence.format(action="off"))
    assert not hosts["h3"].has_power()
    assert hosts["h1"].sh(fence.format(action="status"), check=False).code == 2
    hosts["h1"].sh(fence.format(action="on"))
    hosts["h3"].wait_booted()
    assert hosts["h1"].sh(fence.format(action="status")).ok


def test_nothing_is_left_after_an_orderly_end(place: Place) -> None:
    lab = Laboratory(place)
    with guarded(place):
        lab.build(bare=True)
        assert debris(place)
    assert debris(place) == []


@pytest.mark.parametrize("moment", ["while it builds", "when it stands"])
def test_nothing_is_left_after_its_owner_was_killed(place: Place, moment: str) -> None:
    with build_elsewhere(place) as owner:
        if moment == "while it builds":
            wait_until("the first host", lambda: mounts_under(place.root / "hosts"), timeout=30, every=0.02)
        else:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"built\n"
        owner.send_signal(signal.SIGKILL)
    wait_until("the guard to sweep", lambda: not debris(place), timeout=60)


def test_a_laboratory_can_be_built_where_a_killed_one_and_its_guard_left_everything(place: Place) -> None:
    with build_elsewhere(place) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"built\n"
        guard = next(pid for pid in processes.naming(place.name) if pid != owner.pid and is_guard(pid))
        os.kill(guard, signal.SIGKILL)
        owner.send_signal(signal.SIGKILL)
    assert debris(place)
    lab = Laboratory(place)
    with guarded(place):
        lab.build(bare=True)
        assert all(host.has_power() for host in lab)
    assert debris(place) == []


def is_guard(pid: int) -> bool:
    return b"lab.guard" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_machine_s_own_network_is_untouched(hosts: Laboratory) -> None:
    assert hosts
    links = run(["ip", "-brief", "link"]).out.split()
    assert not {"bridge", "client", *ADDRESSES} & {link.partition("@")[0] for link in links}
    assert not Path("/run/netns").exists() or not list(Path("/run/netns").glob("*xha*"))
    assert BASE.is_dir()
