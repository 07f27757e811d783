"""The cost of each agent's monitor on the same server. A host calls one every ten seconds for each resource."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.host import Host, Resource
from loopback import Net, find_program, wait_until

HEARTBEAT = "/usr/lib/ocf/resource.d/heartbeat/galera"
RUNNING_PROMOTED = 8
NODE = "bench"
# What Pacemaker passes to every monitor.
META = {"CRM_meta_interval": "10000", "CRM_meta_timeout": "20000", "CRM_meta_on_node": NODE}


class Agent(NamedTuple):
    """An agent: its program, the exit code of a monitor on a healthy node, and further environment variables.

    asks: whether its monitors find the keeper's socket.
    """

    program: str
    healthy: int = 0
    environment: Mapping[str, str] = {}
    asks: bool = True


@contextmanager
def lone_node(net: Net, program: str) -> Iterator[Resource]:
    """A node on a host of its own, which ocf:xha:galera has started and its keeper has found healthy.

    program: the agent. A keeper answers monitors of its own code alone.
    """
    made = Host(net, net.directory / "monitored")
    (made.directory / "ocf/resource.d/xha/galera").write_text(Path(program).read_text())
    with made as host:
        one = Resource(host, "p_mysql", net.next_address())
        one._make_directory()
        one.call("start")
        wait_until(lambda: one.run_file("keeper.json").get("code") == "synced", 30, "the keeper says synced")
        yield one
        one.call("stop")


def heartbeat(one: Resource) -> Agent:
    """ocf:heartbeat:galera as an operator would configure it for the node."""
    parameters = {
        "binary": find_program("mariadbd", "mariadb-server"),
        "pid": str(one.pid_file),
        "wsrep_cluster_address": f"gcomm://{one.address}",
        "cluster_host_map": f"{NODE}:{one.address}",
        "check_user": "root",
    }
    # The agent does not pass its parameter socket to the client that it uses.
    (one.directory / ".my.cnf").write_text(f"[client]\nsocket={one.socket}\n")
    return Agent(HEARTBEAT, RUNNING_PROMOTED, {**_reskeys(parameters), "HOME": str(one.directory)})


def processor_ms(one: Resource, agents: Mapping[str, Agent], rounds: int) -> dict[str, float]:
    """Return the median processor time of each agent's monitor (user and system, with all children), run in turns."""
    spent: dict[str, list[float]] = {name: [] for name in agents}
    for _ in range(rounds):
        for name, agent in agents.items():
            spent[name].append(_monitor(one, agent))
    return {name: 1000 * statistics.median(each) for name, each in spent.items()}


def _monitor(one: Resource, agent: Agent) -> float:
    said = {**_reskeys({**META, **one.parameters}), "OCF_RESOURCE_INSTANCE": one.resource, **agent.environment}
    socket = Path(f"/proc/{one.host.init}/root/run/xha/galera/{one.resource}/ask")
    if not agent.asks:
        socket.rename(socket.with_name("aside"))
    done = one.host.run(agent.program, "monitor", **said)
    if not agent.asks:
        socket.with_name("aside").rename(socket)
    if done.code != agent.healthy:
        raise RuntimeError(f"{agent.program} monitor: exit {done.code}: {done.err}")
    return done.cpu


def _reskeys(parameters: Mapping[str, str]) -> dict[str, str]:
    return {f"OCF_RESKEY_{name}": value for name, value in parameters.items()}
