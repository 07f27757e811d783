"""The two worlds in which a cluster is tried: with the document's properties, and with fencing of silent hosts."""

from __future__ import annotations

from dataclasses import dataclass

from lab.document import SEED_PROPERTIES
from lab.place import HOSTS, POWER
from lab.step import On, Step

SOUND_PROPERTIES = Step(
    "the cluster's properties, sound",
    On.ONE,
    said=SEED_PROPERTIES.said,
    today="\n".join(
        (
            *(
                f"pcs stonith create fence_{host} fence_lab pcmk_host_list={host} plug={host} ip={POWER}"
                for host in HOSTS
            ),
            "pcs property set stonith-enabled=true",
            "pcs property set no-quorum-policy=freeze",
            "pcs property set start-failure-is-fatal=false",
            "pcs resource defaults update resource-stickiness=10",
            "pcs property unset dc-deadtime --force",
        )
    ),
    why="A host that says nothing may still write. fence_lab turns its power off for real.",
)


@dataclass(frozen=True)
class World:
    name: str
    properties: Step


SEED = World("seed", SEED_PROPERTIES)
SOUND = World("sound", SOUND_PROPERTIES)
WORLDS = {world.name: world for world in (SEED, SOUND)}
