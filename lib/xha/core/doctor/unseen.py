"""Facts that could not be looked at. An absent fact is never a good one: whoever asks for it raises Unlooked."""

from __future__ import annotations

from typing import NamedTuple, TypeVar, Union

T = TypeVar("T")


class Unseen(NamedTuple):
    """A fact that could not be looked at. what: which, and the cause; needs: what a person gives so that it can be."""

    what: str
    needs: str


class Unlooked(Exception):
    """Raised where a rule asks for a fact that could not be looked at, or for several of them."""

    def __init__(self, unseen: Unseen, *more: Unseen) -> None:
        super().__init__(unseen.what)
        self.unseen, self.all = unseen, (unseen, *more)


Look = Union[T, Unseen]
"""A fact, or why it could not be looked at."""


def require(fact: Look[T]) -> T:
    """Return the fact. :raises Unlooked: if it could not be looked at."""
    if isinstance(fact, Unseen):
        raise Unlooked(fact)
    return fact
