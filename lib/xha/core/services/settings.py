"""`[service NAME]` of xha.conf: text in, the kind's settings out, or a ConfigError with file, section and key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..config import ConfigError
from ..durations import parse_duration
from ..values import parse_positive_duration, parse_text
from .catalogue import CATALOGUE
from .result import Level, parse_level
from .values import parse_count, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable

    from ..config import Config
    from .service import Service, ServiceSettings

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

INTERVAL, DEADLINE, FALL = 10.0, 5.0, 3


class ServiceConfig(NamedTuple):
    """One service that is to be checked. Durations in seconds; level None is the row's own."""

    name: str
    kind: str
    settings: ServiceSettings
    level: Level | None = None
    interval: float = INTERVAL
    fall: int = FALL
    grace: float = 0.0

    @property
    def row(self) -> Service:
        """The row of its kind in the catalogue."""
        return CATALOGUE[self.kind]

    @property
    def deadline(self) -> float:
        """Seconds after which its check is ended."""
        return self.settings.deadline


def default_service(kind: str) -> ServiceConfig:
    """Return what `[service KIND]` without a key means. :raises KeyError: for a kind that there is not."""
    row = CATALOGUE[kind]
    return ServiceConfig(kind, kind, _make_settings(row, kind, {}))


def find_service(name: str, config: Config) -> ServiceConfig | None:
    """Return a service of xha.conf or of the catalogue, with what other sections say of it; None for neither."""
    service = next((one for one in config.services if one.name == name), None)
    if service is None and name in CATALOGUE:
        service = default_service(name)
    return service and complete_service(service, config)


def list_names(config: Config) -> tuple[str, ...]:
    """Return the names that find_service knows."""
    return tuple(dict.fromkeys((*(one.name for one in config.services), *CATALOGUE)))


def complete_service(service: ServiceConfig, config: Config) -> ServiceConfig:
    """Return the service with what other sections of xha.conf say of it."""
    return service._replace(settings=service.row.complete(service.settings, config))


def parse_service(path: str, section: str, name: str, items: Mapping[str, str]) -> ServiceConfig:
    """Return the service of a section; path and section are for messages. :raises ConfigError: see there."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{path}: [{section}]: a name is of a-z, 0-9, dot, dash and underscore")
    kind = items.get("kind", name)
    row = CATALOGUE.get(kind)
    if row is None:
        where = f"[{section}] kind" if "kind" in items else f"[{section}] has no kind"
        raise ConfigError(f"{path}: {where}: there are {', '.join(CATALOGUE)}")
    common: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, text in items.items():
        if key == "kind":
            continue
        parse = _COMMON.get(key) or row.keys.get(key) or _OF_EVERY_KIND.get(key)
        if parse is None:
            listing = ", ".join((*_COMMON, *_OF_EVERY_KIND, "kind", *row.keys))
            raise ConfigError(f"{path}: unknown key {key!r} in [{section}]; there are {listing}")
        try:
            (common if key in _COMMON else own)[key] = parse(text)
        except ValueError as error:
            raise ConfigError(f"{path}: [{section}] {key}: {error}") from None
    service = ServiceConfig(name, kind, _make_settings(row, name, own), **common)
    _refuse_contradictions(path, section, service)
    return service


def _make_settings(row: Service, name: str, values: Mapping[str, Any]) -> ServiceSettings:
    return row.settings(**{"name": name, "process": row.process, "deadline": DEADLINE, **row.defaults, **values})


def _refuse_contradictions(path: str, section: str, service: ServiceConfig) -> None:
    if service.level is not None and service.level not in service.row.levels:
        words = ", ".join(level.word for level in service.row.levels)
        raise ConfigError(f"{path}: [{section}] level: {service.kind} has {words}")
    fault = service.row.find_fault(service.settings)
    if fault:
        raise ConfigError(f"{path}: [{section}] {fault[0]}: {fault[1]}")


_COMMON: Mapping[str, Callable[[str], Any]] = {
    "level": parse_level,
    "interval": parse_positive_duration,
    "fall": parse_count,
    "grace": parse_duration,
}
_OF_EVERY_KIND: Mapping[str, Callable[[str], Any]] = {
    "deadline": parse_positive_duration,
    "process": lambda text: parse_pattern(parse_text(text)),
}
