"""The result of one check of one service, and its exit code."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

from ...node.verdict import NagiosCode
from ...text.json_types import parse_text
from ...text.numbers import parse_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Callable


class Level(IntEnum):
    """How deep a check looks. The numbers are those of OCF_CHECK_LEVEL."""

    PROCESS = 0
    PROTOCOL = 10
    DEEP = 20

    @property
    def word(self) -> str:
        """The level as xha.conf and the command line write it."""
        return self.name.lower()


class Status(str, Enum):
    """The stable name of a service's state."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


SELF = "self"
_DEPENDENCY = "dependency:"


def dependency(name: str) -> str:
    """Return the blame of another service, such as `dependency:keystone`, `dependency:mysql`, `dependency:rabbitmq`.

    A name may come from that service and have any length, so it is cut.
    """
    return _DEPENDENCY + name[:200]


class Result(NamedTuple):
    """The result of a check.

    blame: "self", "dependency:NAME", or None if nothing is wrong or the cause is not known.
    proved: what the check has seen to work, also if something failed after it.
    duration_ms and age_ms: set by the caller of the check.
    """

    name: str
    level: Level
    status: Status
    blame: str | None
    proved: str
    message: str
    duration_ms: int = 0
    age_ms: int = 0

    @property
    def is_down(self) -> bool:
        """Whether the service itself is broken. Only this takes it out of a load balancer."""
        return self.status is Status.CRITICAL and self.blame == SELF

    def document(self) -> dict[str, Any]:
        """Return the JSON object of one service (docs/schema-1.json)."""
        return {**self._asdict(), "level": self.level.word, "status": self.status.value}


def parse_level(text: str) -> Level:
    """Return the level of a word. :raises ValueError: naming the text."""
    for level in Level:
        if level.word == text:
            return level
    raise ValueError(f"{text!r} is none of {', '.join(level.word for level in Level)}")


def parse_result(document: Mapping[str, Any]) -> Result:
    """Return the result in a JSON object. :raises ValueError: naming the field, for anything else."""
    try:
        return Result(**{name: parse_field(document, name, parse) for name, parse in _FIELDS.items()})
    except TypeError:
        raise ValueError("it is no object") from None


def parse_field(document: Mapping[str, Any], name: str, parse: Callable[[Any], Any]) -> Any:
    """Return one field of an object. :raises ValueError: naming the field. :raises TypeError: if it is no object."""
    try:
        value = document[name]
    except KeyError:
        raise ValueError(f"{name} is missing") from None
    try:
        return parse(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} has a value that it cannot have") from None


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "name": parse_text,
    "level": parse_level,
    "status": Status,
    "blame": lambda value: None if value is None else parse_text(value),
    "proved": parse_text,
    "message": parse_text,
    "duration_ms": parse_count,
    "age_ms": parse_count,
}


def passed(name: str, level: Level, proved: str, message: str = "") -> Result:
    """Return that the service works. proved says which part of it was tested."""
    return Result(name, level, Status.OK, None, proved, message or proved)


def failed(name: str, level: Level, message: str, *, blame: str = SELF, proved: str = "") -> Result:
    """Return that something is broken: critical if it is the service itself, a warning if it is a dependency."""
    status = Status.CRITICAL if blame == SELF else Status.WARNING
    return Result(name, level, status, blame, proved, message)


def cautioned(name: str, level: Level, message: str, *, blame: str = SELF, proved: str = "") -> Result:
    """Return that the service works, but that a person should look at something."""
    return Result(name, level, Status.WARNING, blame, proved, message)


def unknown(name: str, level: Level, message: str, *, proved: str = "") -> Result:
    """Return that the check could not look: no account, no permission, a wrong setting. Never green, never red."""
    return Result(name, level, Status.UNKNOWN, None, proved, message)


def not_applicable(name: str, level: Level, message: str) -> Result:
    """Return that there is nothing to check here, and that this is as it should be."""
    return Result(name, level, Status.NOT_APPLICABLE, None, "", message)


_EXIT_CODES = {
    Status.OK: NagiosCode.OK,
    Status.NOT_APPLICABLE: NagiosCode.OK,
    Status.WARNING: NagiosCode.WARNING,
    Status.UNKNOWN: NagiosCode.UNKNOWN,
}


def exit_code(result: Result) -> NagiosCode:
    """Return 2 for a fault of the service itself, 1 for a warning or a dependency's fault, 3 for unknown, else 0."""
    if result.status is Status.CRITICAL:
        return NagiosCode.CRITICAL if result.blame == SELF else NagiosCode.WARNING
    return _EXIT_CODES[result.status]


_WORST_FIRST = (NagiosCode.CRITICAL, NagiosCode.WARNING, NagiosCode.UNKNOWN, NagiosCode.OK)


def worst_first(code: NagiosCode) -> int:
    """Return the place of an exit code in the order 2, 1, 3, 0."""
    return _WORST_FIRST.index(code)


def worst_exit_code(results: Iterable[Result]) -> NagiosCode:
    """Return the worst exit code of several results, in the order 2, 1, 3, 0; for no result, 3."""
    return min((exit_code(result) for result in results), key=worst_first, default=NagiosCode.UNKNOWN)
