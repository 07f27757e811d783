"""NamedTuple and TYPE_CHECKING as typing has them, without its import, which costs a monitor more than all its work.

What a process that ends at once imports takes them from here. mypy sees the original.
"""

from __future__ import annotations

__all__ = ["TYPE_CHECKING", "NamedTuple"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        """Makes a tuple's class of a class body: annotations are the fields, what they are set to their defaults."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.get("__annotations__", {})
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for attribute in body.keys() - fields.keys() - {"__module__"}:
                setattr(made, attribute, body[attribute])
            return made

    class NamedTuple(metaclass=_Maker):
        """What a class of facts names as its base; it becomes a tuple's."""
