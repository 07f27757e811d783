"""The keeper while all is well: on a real corosync and Pacemaker of one host, and a real server.

The machine has one cluster at a time: `flock /tmp/lab.lock make bench` where others use the laboratory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent import host as hosts
from agent.host import Host, Resource
from bench.measures import Bench, Row, say
from loopback import Net, wait_until
from services.pacemaker import NODE, SETUP
from xha.core.election.position_report import PositionReport, State, render_position_report

SECONDS, MOST_OF_A_CORE, NOTICED_SECONDS, ANSWERED_SECONDS = 60, 0.003, 1.0, 2.0
NAME = "p_mysql"
CONFIGURATION = """\
<configuration><crm_config><cluster_property_set id="own">
  <nvpair id="own-s" name="stonith-enabled" value="false"/>
  <nvpair id="own-q" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config>
<nodes/><resources><clone id="mysql"><primitive id="{name}" class="ocf" provider="xha" type="galera">
  <instance_attributes id="p">{parameters}</instance_attributes>
  <operations><op id="m" name="monitor" interval="10s" timeout="30s"/>
  <op id="s" name="start" interval="0" timeout="150s"/></operations></primitive></clone></resources>
<constraints/></configuration>"""


@contextmanager
def cluster_host(net: Net) -> Iterator[Host]:
    """A host as tests/agent has it, with a cluster of its own in its namespaces."""
    cluster = SETUP.partition("ip link set lo up\n")[2]
    assert "hostname" not in cluster  # a Host has no UTS namespace; corosync names the node
    mounts = "for path in /dev/shm /var/lib/pacemaker /var/lib/corosync /etc/corosync /var/log; do\n"
    mounts += "    mount -t tmpfs -o mode=755 xha-test $path\ndone\nchmod 1777 /dev/shm\n"
    begins = hosts.SETUP.partition('touch "$1/ready"')[0]
    before = hosts.SETUP
    hosts.SETUP = begins + mounts + cluster.replace("pacemakerd\n", 'touch "$1/ready"\npacemakerd\n')
    try:
        with Host(net, net.directory / "keeper") as host:
            wait_until(lambda: "with quorum" in host.run("crm_mon", "-1").out, 120, "the cluster has a DC and quorum")
            yield host
    finally:
        hosts.SETUP = before


def begin(host: Host, net: Net) -> Resource:
    """Have Pacemaker start a node, and return it once its keeper finds it well."""
    one = Resource(host, NAME, net.next_address())
    one._make_directory()
    given = {**one.parameters, "wsrep_cluster_address": f"gcomm://{one.address}"}
    pairs = "".join(f'<nvpair id="p-{name}" name="{name}" value="{value}"/>' for name, value in given.items())
    text = CONFIGURATION.format(name=NAME, parameters=pairs)
    host.run("cibadmin", "--replace", "--scope", "configuration", "--xml-text", text, check=True)
    wait_until(lambda: one.run_file("keeper.json").get("code") == "synced", 120, "the keeper says synced")
    return one


def measure_keeper(bench: Bench) -> list[Row]:
    """Return what a keeper takes while nothing happens, and how soon it notices what does."""
    say(f"the keeper while all is well, {SECONDS} s")
    with cluster_host(bench.net) as host:
        one = begin(host, bench.net)
        pid = host_pid(one)
        time.sleep(15)  # past what it does once it is well
        own, forked = share(pid, SECONDS)
        answered = max(answer_seconds(one, f"asked{number}") for number in range(5))
        say(f"keeper: {own:.3%} own, {forked:.3%} forked, answered in {answered:.2f} s")
        noticed = notice_seconds(one)
    total = own + forked
    return [
        Row(
            "the keeper while all is well",
            f"{total:.3%} of a core (forked tools {forked:.3%})",
            "",
            f"at most {MOST_OF_A_CORE:.1%}",
            total <= MOST_OF_A_CORE,
        ),
        Row(
            "a joiner's question is answered, slowest of 5",
            f"{answered:.1f} s",
            "",
            f"within {ANSWERED_SECONDS:g} s",
            answered <= ANSWERED_SECONDS,
        ),
        Row(
            "a lost Primary is noticed",
            f"{noticed:.1f} s",
            "",
            f"within {NOTICED_SECONDS:g} s",
            noticed <= NOTICED_SECONDS,
        ),
    ]


def host_pid(one: Resource) -> int:
    """The keeper's pid in this machine's namespace."""
    inside = f"\t{one.keeper_pid}\n"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        names = next((line for line in status.splitlines(keepends=True) if line.startswith("NSpid:")), "")
        if b"keeper" in words and names.endswith(inside):
            return int(process.name)
    raise RuntimeError("the keeper is not found")


def share(pid: int, seconds: float) -> tuple[float, float]:
    """Which share of a core a process takes, and what it has forked and waited for."""
    began, before = time.monotonic(), _spent(pid)
    time.sleep(seconds)
    after, passed = _spent(pid), time.monotonic() - began
    own, forked = ((late - early) / passed for early, late in zip(before, after))
    return own, forked


def _spent(pid: int) -> tuple[float, float]:
    """The seconds that its threads ran (schedstat, nanoseconds), and those of its children (stat, ticks of 10 ms)."""
    own = sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own, (int(fields[13]) + int(fields[14])) / 100


def answer_seconds(one: Resource, epoch: str) -> float:
    """How long after another node asks this keeper's report answers it. The other node is only its report."""
    asks = render_position_report(PositionReport("another", State.STOPPED, opens=epoch))
    name = f"xha-{NAME}-report"
    set_it = ("attrd_updater", "--name", name, f"--update={asks}", "--private", "--node", "another")
    one.host.run(*set_it, check=True)
    began = time.monotonic()
    read_it = ("attrd_updater", "--name", name, "--query", "--node", NODE)
    wait_until(lambda: epoch in one.host.run(*read_it).out, 20, "the question is answered")
    return time.monotonic() - began


def notice_seconds(one: Resource) -> float:
    """How long after the server was told to leave its component the keeper says so."""
    leaves = threading.Thread(target=one.sql, args=("SET GLOBAL wsrep_cluster_address = ''",))
    began = time.monotonic()
    leaves.start()
    wait_until(lambda: one.run_file("keeper.json").get("code") != "synced", 20, "the keeper notices")
    seconds = time.monotonic() - began
    leaves.join()
    return seconds
