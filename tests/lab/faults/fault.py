"""What a fault is: something that happens to a standing cluster, and what ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
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
    does: so many starts of it there are needed, any other is not. `fenced` are the hosts that a world with fencing
    shoots for it: one that was shot has to start its mysqld again. `elsewhere` is how many more starts are needed, on
    whichever host they come. `back` are the hosts that must be Synced again afterwards. `hand` is what a person does
    where the agent leaves it to him, before what was lost is counted.
    """

    name: str
    title: str
    strike: Act
    prepare: Act = nothing
    relieve: Act = nothing
    lasts: float = 0.0
    ends: tuple[str, ...] = ()
    fenced: tuple[str, ...] = ()
    elsewhere: int = 0
    back: tuple[str, ...] = HOSTS
    hand: Act = nothing

    def count_needless(self, starts: Mapping[str, int], booted: Collection[str]) -> int:
        """How many of the `starts` of mysqld, by host, this fault did not make necessary; `booted` got new power."""
        shot = [name for name in self.fenced if name in booted]
        needed = Counter((*self.ends, *shot))
        return max(0, sum(max(0, count - needed[name]) for name, count in starts.items()) - self.elsewhere)
