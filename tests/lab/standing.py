"""From three bare hosts to the document's cluster, with an agent, and a client that connects through the VIP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from lab import cluster, document
from lab.contenders import Contender
from lab.host import Host
from lab.laboratory import Laboratory
from lab.place import HOSTS
from lab.step import On, Step
from lab.waiting import wait_until
from lab.worlds import World

Settled = Callable[[Laboratory], object]

STEP_SECONDS = 120
ELECTION_SECONDS = 120
SYNC_SECONDS = 180


def stand_up(lab: Laboratory, contender: Contender, world: World, *, in_full: bool = False) -> None:
    """Carry out the document on `lab` with `contender` as the agent. Returns when all nodes are Synced.

    Unless `in_full`, the steps that need pcsd are replaced by one that does not, and the VIP and HAProxy are set up
    while the nodes copy their data. The result is the same. With more hosts than three it is not `in_full`.
    """
    for step, settled in plan(contender, world, in_full=in_full, hosts=tuple(lab.hosts)):
        carry_out(lab, step)
        settled(lab)
        lab.say(step.title)
    lab.place.resources.write_text(cluster.read_resources(lab["h1"]))


def plan(
    contender: Contender, world: World, *, in_full: bool, hosts: Sequence[str] = HOSTS
) -> list[tuple[Step, Settled]]:
    """Every step in order, each with what must be true before the next one."""
    balancer, database = (document.BALANCER,), (document.ACCOUNTS, world.galera(hosts), contender.create)
    steps = (
        *world.balancer(hosts),
        *(document.PCSD if in_full else (document.without_pcsd(hosts),)),
        document.FIRST_ELECTION,
        document.START,
        world.properties(hosts),
        *(balancer + database if in_full else database + balancer),
    )
    settled: dict[Step, Settled] = {document.START: wait_online, steps[-1]: wait_synced}
    return [(step, settled.get(step, lambda _: None)) for step in steps]


def carry_out(lab: Laboratory, step: Step) -> None:
    """Do what `step` says today, on one host or on all at the same time."""
    if step.on is On.ONE:
        carry_out_on(lab["h1"], step)
    else:
        lab.on_all(lambda host: carry_out_on(host, step))


def carry_out_on(host: Host, step: Step) -> None:
    if step.path:
        host.write(step.path, step.today.replace("{address}", host.address).replace("{name}", host.name) + "\n")
    else:
        host.sh(f"set -e\n{step.today}", timeout=STEP_SECONDS)


def wait_online(lab: Laboratory) -> None:
    everybody = set(lab.hosts)
    wait_until(
        "Pacemaker to see all hosts online",
        lambda: cluster.online(lab["h1"]) == everybody,
        timeout=ELECTION_SECONDS,
        every=0.5,
    )


def wait_synced(lab: Laboratory) -> None:
    wait_until("all nodes to be Synced", lambda: cluster.all_synced(lab), timeout=SYNC_SECONDS, every=0.5)
