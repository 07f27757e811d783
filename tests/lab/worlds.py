"""The worlds in which a cluster is tried: the document's, one with fencing, and one as xha advises it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from lab.client import KINDS
from lab.document import HAPROXY_CFG, OPTIONS, SEED_PROPERTIES, balancer_files, wsrep_cnf
from lab.measure import FRESH, PERSISTENT, POOL
from lab.place import ADDRESSES, HOSTS, POWER, REPOSITORY, VIP
from lab.step import On, Step


def sound_properties(hosts: Sequence[str]) -> Step:
    devices = [
        f"pcs stonith create fence_{host} fence_lab pcmk_host_list={host} plug={host} ip={POWER}" for host in hosts
    ]
    rest = (
        "pcs property set stonith-enabled=true",
        "pcs property set no-quorum-policy=freeze",
        "pcs property set start-failure-is-fatal=false",
        "pcs resource defaults update resource-stickiness=10",
        "pcs property unset dc-deadtime --force",
    )
    return Step(
        "the cluster's properties, sound",
        On.ONE,
        said=SEED_PROPERTIES.said,
        today="\n".join((*devices, *rest)),
        why="A host that says nothing may still write. fence_lab turns its power off for real.",
    )


def read_advised(name: str) -> str:
    """Return the text of a file of docs/, which is for controller-1 to -3, for the hosts of a laboratory."""
    text = (REPOSITORY / "docs" / name).read_text(encoding="utf-8").replace("10.0.0.5", VIP)
    for number, address in enumerate(ADDRESSES.values(), start=6):
        text = text.replace(f"10.0.0.{number}", address)
    return text.rstrip("\n")


def fast_properties(hosts: Sequence[str]) -> Step:
    return Step(
        "the cluster's properties, fast",
        On.ONE,
        said=SEED_PROPERTIES.said,
        today=f"{sound_properties(hosts).today}\npcs property set load-threshold=10000%",
        why="Three hosts share one machine, and each takes its load for its own: at twice the cores Pacemaker would do "
        "one thing at a time, and a VIP wait for the stop of the server (measured: 6 s). A controller has its load for "
        "itself.",
    )


# docs/haproxy.cfg and docs/galera.cnf are for three controllers, and so is this world.
FAST_HAPROXY = Step("docs/haproxy.cfg", On.EVERY, path=HAPROXY_CFG, said="", today=read_advised("haproxy.cfg"))
FAST_GALERA = Step(
    "docs/galera.cnf",
    On.EVERY,
    path=OPTIONS,
    said="",
    today=read_advised("galera.cnf")
    .replace("wsrep_node_name=controller-1", "wsrep_node_name={name}")
    .replace(f"wsrep_node_address={ADDRESSES[HOSTS[0]]}", "wsrep_node_address={address}")
    .replace("gcache.size=1G", "gcache.size=32M"),
    why="gcache.size only spares the laboratory's memory.",
)
FAST_RESPONDER = Step(
    "the responder, resident",
    On.EVERY,
    said="",
    today="systemctl enable --now xha-responder.socket",
    why="A process for each probe, as xinetd starts it in the other worlds, cannot be asked twice a second by six.",
)


@dataclass(frozen=True)
class World:
    """What differs from one world to the other.

    `properties`: of Pacemaker. `balancer`: HAProxy's file and the responder. `galera`: the server's options.
    Each of these is the step, or the steps, for the hosts that are named.
    `kinds`: how its writers connect, one each. `faults`: those that are tried in it, all if it names none.
    `says`: what a reader of the report has to know of it.
    """

    name: str
    says: str
    properties: Callable[[Sequence[str]], Step]
    balancer: Callable[[Sequence[str]], tuple[Step, ...]] = balancer_files
    galera: Callable[[Sequence[str]], Step] = wsrep_cnf
    kinds: tuple[str, ...] = KINDS
    faults: tuple[str, ...] = ()


SEED = World(
    "seed",
    "The guide's configuration: no fencing, quorum ignored, HAProxy with `inter 10s`, Galera's defaults.",
    lambda _: SEED_PROPERTIES,
)
SOUND = World("sound", "The same with fencing.", sound_properties)
FAST = World(
    "fast",
    "With fencing, docs/haproxy.cfg, docs/galera.cnf, and a resident responder. Six writers, two of each kind.",
    fast_properties,
    balancer=lambda _: (FAST_HAPROXY, FAST_RESPONDER),
    galera=lambda _: FAST_GALERA,
    kinds=(PERSISTENT, FRESH, POOL) * 2,
    faults=(
        *("kill-active", "kill-two", "kill-all", "freeze-active", "freeze-briefly", "power-active", "power-all"),
        *("stall-2s", "binlog-frozen", "datadir-full", "planned-stop", "standby", "standby-apart", "drain"),
        *("rolling", "switchover"),
    ),
)
WORLDS = {world.name: world for world in (SEED, SOUND, FAST)}
