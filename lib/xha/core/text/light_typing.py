"""NamedTuple and TYPE_CHECKING without importing typing. That import costs a monitor more than all of its work.

Modules that are imported by short-lived processes take both from here. mypy sees the original of typing.
"""

from __future__ import annotations

__all__ = ["TYPE_CHECKING", "NamedTuple"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        """Makes a named tuple from a class body: annotations are the fields, assigned values are the defaults."""

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
        """The base that a class of facts names. The class becomes a tuple."""
