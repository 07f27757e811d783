"""A tuple class of core/text/light_typing.py is the same as typing would make from the same body."""

from __future__ import annotations

import pickle
import typing

import pytest

from xha.core.text import light_typing as typed


class Ours(typed.NamedTuple):
    """A point."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()

    @property
    def sum(self) -> int:
        return self.x + self.y

    @classmethod
    def origin(cls) -> Ours:
        return cls(0)

    def __str__(self) -> str:
        return f"{self.x}/{self.y}"


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()


def test_fields_and_defaults_are_the_same() -> None:
    assert Ours._fields == Theirs._fields
    assert Ours._field_defaults == Theirs._field_defaults
    assert list(Ours.__annotations__) == list(Theirs.__annotations__)
    assert (Ours.__doc__, Ours.__module__, Ours.__qualname__) == (Theirs.__doc__, Theirs.__module__, "Ours")
    assert Ours.__mro__[1:] == (tuple, object)


def test_a_value_is_a_tuple_that_says_what_it_is() -> None:
    one = Ours(1, y=2)
    assert one == (1, 2, ()) == Theirs(1, 2)
    assert repr(one) == "Ours(x=1, y=2, names=())"
    assert one._replace(y=5)._asdict() == {"x": 1, "y": 5, "names": ()}
    assert pickle.loads(pickle.dumps(one)) == one


def test_methods_and_properties_are_kept() -> None:
    assert (Ours(1, 2).sum, str(Ours(1, 2)), Ours.origin()) == (3, "1/2", Ours(0))


def test_what_typing_refuses_is_refused() -> None:
    with pytest.raises(TypeError):
        Ours()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Ours(1).x = 2  # type: ignore[misc]
