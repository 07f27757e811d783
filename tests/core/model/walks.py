"""Random walks of the model: hypothesis would shrink what it finds, these are fifty times faster."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from core.model.test_election_model import ElectionModel


class Chance(NamedTuple):
    """A source of random numbers, and of how many nodes one is drawn."""

    numbers: random.Random
    nodes: int


def walk(seed: int, size: int | None = None) -> None:
    """Take the model through misfortunes at random. size: of the cluster, None for one of two or of three.

    :raises AssertionError: where an invariant does not hold.
    """
    numbers = random.Random(seed)
    model = ElectionModel()
    model.begin(size=size or numbers.choice([2, 3, 3]), born=numbers.random() < 0.9)
    chance = Chance(numbers, size or 3)
    rules = numbers.sample(sorted(MOVES), 8)
    for _ in range(numbers.randrange(2, 14)):
        name = numbers.choice(rules)
        getattr(model, name)(**{key: draw(chance) for key, draw in MOVES[name].items()})
        if name in BETWEEN:
            model.rounds(numbers.choice([0, 0, 1, 2, 5]))
    model.teardown()


def who(chance: Chance) -> int:
    return chance.numbers.randrange(chance.nodes)


def some(chance: Chance) -> set[int]:
    return {index for index in range(chance.nodes) if chance.numbers.random() < 0.5}


def coin(chance: Chance) -> bool:
    return chance.numbers.random() < 0.5


def rarely(chance: Chance) -> bool:
    return chance.numbers.random() < 0.3


def each(draw: Callable[[Chance], Any]) -> Callable[[Chance], Any]:
    return lambda chance: tuple(draw(chance) for _ in range(chance.nodes))


def below(first: int, end: int) -> Callable[[Chance], Any]:
    return lambda chance: chance.numbers.randrange(first, end)


MOVES: dict[str, dict[str, Callable[[Chance], Any]]] = {
    "commit": {"who": who, "slow": some},
    "kill": {"who": some, "gap": coin, "ddl": rarely},
    "power_off": {"who": some, "gap": coin},
    "power_on": {"who": who},
    "stop": {"who": who},
    "start": {"who": who},
    "bootstrap_by_hand": {"who": who},
    "shut_down": {"who": who},
    "fence": {"by": who, "victim": who},
    "cut": {"islands": each(who), "gap": some},
    "heal": {},
    "pause": {"who": who},
    "evict": {
        "who": who,
        "origin": who,
        "writes": below(0, 3),
        "looks": below(0, 13),
        "applies": coin,
        "slow": some,
    },
    "take_disk": {"who": who},
    "lose_starter": {"who": who},
    "blind": {"who": who, "looks": below(1, 13)},
    "slow": {"who": who, "looks": below(1, 7)},
    "write_apart": {"who": who},
    "doom": {"who": who},
    "cut_short": {"who": who},
    "hang": {"last": who},
    "tick": {"who": who, "late": some, "held": lambda chance: chance.numbers.choice([None, None, *range(10)])},
    "grant": {"who": who},
    "leave_one_by_one": {"last": who, "pause": coin, "clean": each(coin)},
    "carry_on_without": {"who": who, "gap": coin, "writes": below(0, 3), "anew": rarely},
    "black_out": {
        "order": lambda chance: chance.numbers.sample(range(chance.nodes), chance.nodes),
        "pauses": lambda chance: (chance.numbers.randrange(6), chance.numbers.randrange(6)),
    },
}
BETWEEN = {"kill", "power_off", "power_on", "stop", "start", "fence", "cut", "heal", "take_disk", "grant"}
