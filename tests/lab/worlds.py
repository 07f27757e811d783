"""The two worlds in which a cluster is tried: with the document's properties, and with fencing of silent hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from lab.document import SEED_PROPERTIES
from lab.place import POWER
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


@dataclass(frozen=True)
class World:
    """`properties`: the step that sets them, for these hosts."""

    name: str
    properties: Callable[[Sequence[str]], Step]


SEED = World("seed", lambda _: SEED_PROPERTIES)
SOUND = World("sound", sound_properties)
WORLDS = {world.name: world for world in (SEED, SOUND)}
