"""What a fault is: something that happens to a working cluster, and what ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from lab.contenders import Contender
from lab.laboratory import Laboratory
from lab.place import BALANCER_PORT, HOSTS
from lab.worlds import SEED, World

# The host to which the document's haproxy.cfg sends every client. The other two are `backup`.
ACTIVE = "h1"


@dataclass(frozen=True)
class Scene:
    """Where a fault happens: the laboratory, the agent that runs Galera there, and its configuration."""

    lab: Laboratory
    contender: Contender
    world: World = SEED


Act = Callable[[Scene], None]


def nothing(_: Scene) -> None:
    """The act of a fault that needs no preparation, or that ends by itself."""


def lacks_nothing(_: Scene) -> str:
    """Of a fault that can be tried everywhere."""
    return ""


@dataclass(frozen=True)
class Fault:
    """One fault. `title` says what happens, in words for a person.

    `prepare`: prepares the fault without harm. `strike`: does the harm and returns at once.
    `relieve`: runs `lasts` seconds later, ends what does not end by itself (a cable, power, an operator's order), and
      repairs nothing. If nothing ends the fault, `lasts` is how long to look for harm.
    `ends`: the hosts whose mysqld the fault itself stops, each as often as it does. So many starts are needed there;
      any other start is not.
    `fenced`: the hosts that are shot for this fault in a world with fencing. A host that was shot has to start its
      mysqld again.
    `elsewhere`: how many more starts are needed, on whatever host.
    `back`: the hosts that must be Synced again afterwards.
    `port`: the VIP's port that the writers use.
    `lacks`: why the fault cannot be tried in a scene, as a sentence, "" if it can.
    `hand`: what a person does if the agent leaves the decision to a person, before lost rows are counted.
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
    port: int = BALANCER_PORT
    lacks: Callable[[Scene], str] = lacks_nothing

    def count_needless(self, starts: Mapping[str, int], booted: Collection[str]) -> int:
        """Return how many of the `starts` of mysqld, by host, this fault did not require. booted: got new power."""
        shot = [name for name in self.fenced if name in booted]
        needed = Counter((*self.ends, *shot))
        return max(0, sum(max(0, count - needed[name]) for name, count in starts.items()) - self.elsewhere)
