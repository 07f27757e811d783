"""A row of the catalogue: what a kind of service is, how it is configured, and what each level proves and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .result import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, Protocol

    from ...config.xha_conf import Config

    class ServiceSettings(Protocol):
        """What the settings of every kind have; each kind is a NamedTuple with fields of its own after these."""

        @property
        def name(self) -> str:
            """The service's name: NAME of its section [service NAME]."""

        @property
        def process(self) -> str:
            """A regular expression for the whole command line of its main process, words joined by one blank."""

        @property
        def deadline(self) -> float:
            """Seconds after which the check is ended from outside. Its own time-outs come first."""


class Proof(NamedTuple):
    """What one level of a check proves, what it cannot see, and which keys of its section it needs."""

    proves: str
    misses: str = ""
    needs: str = ""


class Service(NamedTuple):
    """One kind of service.

    module is the name of its check in xha.adapters.checks, imported only when it runs. settings makes the kind's
    NamedTuple of name, process, deadline and what keys have parsed; a key is named like the field. defaults are the
    row's own values of those fields. find_fault returns the key and what is wrong with it where values that are right
    alone do not go together. complete returns the settings with what other sections of xha.conf say.
    """

    name: str
    title: str
    module: str
    process: str
    settings: Callable[..., ServiceSettings]
    keys: Mapping[str, Callable[[str], Any]]
    levels: Mapping[Level, Proof]
    default_level: Level = Level.PROTOCOL
    defaults: Mapping[str, Any] = {}
    find_fault: Callable[[Any], tuple[str, str] | None] = lambda settings: None
    complete: Callable[[Any, Config], Any] = lambda settings, config: settings


class Secret(NamedTuple):
    """Where a secret is: a file (a name without a slash is a systemd credential), or a variable of the environment."""

    path: str | None = None
    variable: str | None = None
