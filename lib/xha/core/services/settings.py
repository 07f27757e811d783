"""`[service NAME]` of xha.conf: raw sections in, services and faults out. A fault names file, section and key."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from ..config.sections import SERVICE_SECTION
from ..text.durations import parse_duration
from ..text.escape import clean
from ..text.values import ConfigError, parse_positive_duration, parse_text
from .catalogue import CATALOGUE
from .model.result import Level, parse_level
from .model.values import parse_count, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Callable

    from ..config.xha_conf import Config
    from .model.kind import Service, ServiceSettings
    from .model.reach import Place

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# An invalid name, and a message that quotes it, are cut to these lengths.
_LONGEST_NAME, _LONGEST = 100, 1000

INTERVAL, DEADLINE, FALL = 10.0, 5.0, 3


class ServiceConfig(NamedTuple):
    """One service to check. Durations are in seconds. level None means the level of the row."""

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


class ServiceFault(NamedTuple):
    """A section that is wrong, so that nothing is known about its service. message names file, section and key.

    name is printable, like every text that is shown. kind is "" if the section names no existing kind.
    """

    name: str
    kind: str
    message: str


def default_service(kind: str) -> ServiceConfig:
    """Return the service of `[service KIND]` without any key. :raises KeyError: for an unknown kind."""
    row = CATALOGUE[kind]
    return ServiceConfig(kind, kind, _make_settings(row, kind, {}))


def find_service(name: str, config: Config) -> ServiceConfig | ServiceFault | None:
    """Return a service of xha.conf or of the catalogue, completed from other sections; None if neither has it.

    A service whose section is wrong is returned as a fault, and not taken from the catalogue: the section may hold its
    address or its account.
    """
    services, faults = parse_services(config)
    known: dict[str, ServiceConfig | ServiceFault] = {one.name: one for one in services}
    known.update((one.name, one) for one in faults)
    if name not in known and name in CATALOGUE:
        return complete_service(default_service(name), config)
    return known.get(name)


def list_names(config: Config) -> tuple[str, ...]:
    """Return the names that find_service finds."""
    services, faults = parse_services(config)
    return tuple(dict.fromkeys([*(one.name for one in services), *(one.name for one in faults), *CATALOGUE]))


def complete_service(service: ServiceConfig, config: Config) -> ServiceConfig:
    """Return the service, completed from other sections of xha.conf."""
    settings: Any = service.row.complete(service.settings, config)
    neighbours = tuple(_find_neighbours(service, config))
    return service._replace(settings=settings._replace(neighbours=neighbours) if neighbours else settings)


def _find_neighbours(service: ServiceConfig, config: Config) -> Iterator[Place]:
    """Yield where other sections of the same kind have theirs."""
    for section in config.service_sections:
        name, items = section.title[len(SERVICE_SECTION) :].strip(), dict(section.items)
        if name == service.name or section.fault or items.get("kind", name) != service.kind:
            continue
        try:
            other = parse_service(section.path, section.title, name, items)
        except ConfigError:
            continue
        place = service.row.find_place(other.settings)
        if place is not None:
            yield place


def parse_services(config: Config) -> tuple[tuple[ServiceConfig, ...], tuple[ServiceFault, ...]]:
    """Return the services of xha.conf, completed from other sections, and the services whose section is wrong.

    No name is in both: if two sections have one name, it is not known which of them was meant.
    """
    services: dict[str, ServiceConfig] = {}
    faults: dict[str, ServiceFault] = {}
    for section in config.service_sections:
        name = section.title[len(SERVICE_SECTION) :].strip()
        shown = name if _NAME.fullmatch(name) else name.encode("unicode_escape").decode()[:_LONGEST_NAME]
        try:
            if section.fault:
                raise ConfigError(f"{section.path}: {section.fault}")
            if name in services or shown in faults:
                raise ConfigError(f"{section.path}: [{section.title}]: begun twice")
            service = parse_service(section.path, section.title, name, dict(section.items))
            services[name] = complete_service(service, config)
        except ConfigError as error:
            services.pop(name, None)
            kind = dict(section.items).get("kind", name)
            fault = ServiceFault(shown, kind if kind in CATALOGUE else "", clean(str(error), _LONGEST))
            faults.setdefault(shown, fault)
    return tuple(services.values()), tuple(faults.values())


def parse_service(path: str, section: str, name: str, items: Mapping[str, str]) -> ServiceConfig:
    """Return the service of a section. path and section are for messages. :raises ConfigError: see there."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{path}: [{section}]: a name is of a-z, 0-9, dot, dash and underscore")
    kind = items.get("kind", name)
    row = CATALOGUE.get(kind)
    if row is None:
        where = f"[{section}] kind" if "kind" in items else f"[{section}] has no kind"
        raise ConfigError(f"{path}: {where}: {_suggest(kind, CATALOGUE)}")
    common: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, text in items.items():
        if key == "kind":
            continue
        parse = _COMMON.get(key) or row.keys.get(key) or _OF_EVERY_KIND.get(key)
        if parse is None:
            known = (*_COMMON, *_OF_EVERY_KIND, "kind", *row.keys)
            raise ConfigError(f"{path}: unknown key {key!r} in [{section}]; {_suggest(key, known)}")
        try:
            (common if key in _COMMON else own)[key] = parse(text)
        except ValueError as error:
            raise ConfigError(f"{path}: [{section}] {key}: {error}") from None
    service = ServiceConfig(name, kind, _make_settings(row, name, own), **common)
    _refuse_contradictions(path, section, service)
    return service


def _suggest(word: str, known: Iterable[str]) -> str:
    """Return which of the known words may have been meant, or all of them."""
    names = list(known)
    near = get_close_matches(word, names, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


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
