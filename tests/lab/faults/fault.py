"""What a fault is: something that happens to a standing cluster, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.contenders import Contender
from lab.laboratory import Laboratory
from lab.place import HOSTS

# The host that the document's haproxy.cfg sends every client to; the two others are `backup`.
ACTIVE = "h1"


@dataclass(frozen=True)
class Scene:
    """Where a fault happens: the laboratory, and the agent in charge there."""

    lab: Laboratory
    contender: Contender


Act = Callable[[Scene], None]


def nothing(_: Scene) -> None:
    """The act of a fault that needs no preparation, or that ends by itself."""


@dataclass(frozen=True)
class Fault:
    """One fault. `title` says what happens, in a person's words.

    `prepare` sets the stage without harm; `strike` does the harm and returns at once; `relieve`, `lasts` seconds later,
    ends what does not end by itself (a cable, power, an operator's order) and repairs nothing. Where nothing ends it,
    `lasts` is how long to look for harm. `ends` are the hosts whose mysqld the fault itself stops, each as often as it
    does: so many starts of it there are needed, any other is not. `back` are the hosts that must be Synced again
    afterwards.
    """

    name: str
    title: str
    strike: Act
    prepare: Act = nothing
    relieve: Act = nothing
    lasts: float = 0.0
    ends: tuple[str, ...] = ()
    back: tuple[str, ...] = HOSTS
