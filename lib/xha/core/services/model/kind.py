"""A row of the catalogue: a kind of service, how it is configured, and what each level proves and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .result import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, Protocol

    from ...config.xha_conf import Config
    from .reach import Place

    class ServiceSettings(Protocol):
        """What the settings of every kind have. Each kind is a NamedTuple with further fields of its own."""

        @property
        def name(self) -> str:
            """The service's name: NAME of its section [service NAME]."""

        @property
        def process(self) -> str:
            """A regular expression for the whole command line of its main process, with words joined by one blank."""

        @property
        def deadline(self) -> float:
            """Seconds after which the check is ended from outside. Its own timeouts are shorter."""

        @property
        def neighbours(self) -> tuple[Place, ...]:
            """Where other sections of the same kind have theirs: what listens there is not this service."""


class Proof(NamedTuple):
    """What one level of a check proves, what it cannot see, and which keys of its section it needs."""

    proves: str
    misses: str = ""
    needs: str = ""


class Service(NamedTuple):
    """One kind of service.

    module: the name of its check in xha.app.checks. It is imported only when it runs.
    settings: makes the kind's NamedTuple from name, process, deadline and the parsed keys. A key has the name of its
      field.
    defaults: the row's own values of those fields.
    find_fault: returns a key and what is wrong with it if values that are each valid contradict each other.
    complete: returns the settings, completed from other sections of xha.conf.
    find_place: returns where the settings have the service, for a kind of which a host may have several.
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
    find_place: Callable[[Any], Place | None] = lambda settings: None


class Secret(NamedTuple):
    """Where a secret is: in a file (a name without a slash is a systemd credential), or in an environment variable."""

    path: str | None = None
    variable: str | None = None
