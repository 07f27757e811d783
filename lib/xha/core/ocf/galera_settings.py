"""The settings of one resource: Pacemaker passes them as OCF_RESKEY_*, and the table of parameters parses them."""

from __future__ import annotations

from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .api import RESKEY
from .galera_parameters import PARAMETERS, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..galera.cluster_address import Peer

__all__ = [
    "PARAMETERS",
    "SECRETS",
    "BadParameter",
    "Parameter",
    "Settings",
    "load_settings",
    "merge_reloaded",
    "parse_settings",
    "parse_settings_leniently",
    "parse_values",
    "render_settings",
    "settings_of_resource",
]

SCHEMA = 1
SECRETS = tuple(parameter.name for parameter in PARAMETERS if parameter.secret)
_LONGEST = 4096


class Settings(NamedTuple):
    """The value of every parameter. "" means that the value is found on this host. Durations are in seconds.

    additional_parameters: words of a command line.
    cluster_host_map: from Pacemaker's node to the host in wsrep_cluster_address.
    arbitrators: hosts that only vote.
    """

    binary: str = ""
    client_binary: str = ""
    config: str = ""
    datadir: str = ""
    user: str = "mysql"
    group: str = "mysql"
    log: str = ""
    pid: str = ""
    socket: str = ""
    test_user: str = ""
    test_passwd: str = ""
    test_conf: str = ""
    additional_parameters: tuple[str, ...] = ()
    enable_creation: bool = False
    wsrep_cluster_address: str = ""
    cluster_host_map: Mapping[str, str] = {}
    arbitrators: tuple[Peer, ...] = ()
    check_user: str = ""
    check_passwd: str = ""
    check_passwd_use_empty: bool = False
    two_node_mode: bool = False
    master_timeout: float = 300.0
    start_wait: float = 10.0
    view_timeout: float = 30.0
    sst_stall: float = 600.0
    rejoin_grace: float = 60.0
    hang_grace: float = 30.0
    drain_timeout: float = 15.0
    evict_stalled: float = 0.0

    def __repr__(self) -> str:  # a tuple's own would show the passwords
        said = {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}
        shown = (f"{name}={'***' if name in SECRETS else repr(value)}" for name, value in said.items())
        return f"Settings({', '.join(shown)})"


class BadParameter(Exception):
    """A parameter whose value cannot be used. The text is one line with the remedy, and never has a password."""

    def __init__(self, parameter: Parameter, value: str, why: str) -> None:
        self.name, self.value = parameter.name, "" if parameter.secret else value
        self.why, self.required = why, parameter.required
        super().__init__(self.tell())

    def tell(self, resource: str = "RESOURCE") -> str:
        """Return what is wrong, and the command that corrects the resource of that name."""
        update = f"pcs resource update {resource} {self.name}="
        return f"{self.name}: {self.why}; {update}{'VALUE' if self.required else ' brings its default back'}"


def parse_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in the environment's OCF_RESKEY_*. A parameter that is absent or empty has its default.

    :raises BadParameter: for the first parameter of the table whose value cannot be used.
    """
    settings, bad = parse_settings_leniently(environment)
    if bad:
        raise bad[0]
    return settings


def parse_settings_leniently(environment: Mapping[str, str]) -> tuple[Settings, tuple[BadParameter, ...]]:
    """Return the settings, with defaults for values that cannot be used, and the errors.

    A stop must work with settings that are wrong.
    """
    values, bad = parse_values(environment, PARAMETERS)
    return Settings(**values), bad


def settings_of_resource(parameters: Mapping[str, str]) -> Settings:
    """Return the settings that a resource's parameters in the configuration come to, as far as they can be read."""
    return parse_settings_leniently({f"{RESKEY}{name}": value for name, value in parameters.items()})[0]


def parse_values(
    environment: Mapping[str, str], parameters: Iterable[Parameter]
) -> tuple[dict[str, Any], tuple[BadParameter, ...]]:
    """Return the values of these parameters in the environment, by name, and the errors."""
    values: dict[str, Any] = {}
    bad = []
    for parameter in parameters:
        text = environment.get(RESKEY + parameter.name)
        if not text:  # it has its default
            if parameter.required:
                bad.append(BadParameter(parameter, "", "it has to be set"))
            continue
        try:
            values[parameter.name] = _parse(parameter, text)
        except ValueError as error:
            bad.append(BadParameter(parameter, text, str(error)))
    return values, tuple(bad)


def _parse(parameter: Parameter, text: str) -> Any:
    if parameter.secret:
        return text
    if not text.isprintable():  # a line break would forge lines of logs; the executor's environment is UTF-8
        raise ValueError("the value holds a character that cannot be printed")
    if len(text) > _LONGEST:
        raise ValueError(f"the value is longer than {_LONGEST} characters")
    return parameter.parse(text.strip())


def merge_reloaded(running: Settings, wanted: Settings) -> Settings:
    """Return the settings after reload-agent: reloadable parameters as wanted, all others as they run."""
    return running._replace(**{one.name: getattr(wanted, one.name) for one in PARAMETERS if one.reloadable})


def render_settings(settings: Settings) -> str:
    """Return the settings as one line of JSON, passwords included, for a file that only root reads."""
    import json

    return json.dumps({"schema": SCHEMA, **settings._asdict(), "cluster_host_map": dict(settings.cluster_host_map)})


def load_settings(text: str) -> Settings | None:
    """Return the settings in render_settings' text. None if it is torn, of another schema, or has another type."""
    from ..galera.cluster_address import Peer
    from ..text.numbers import parse_json, parse_number

    try:
        said = parse_json(text)
        if parse_number(said.pop("schema")) != SCHEMA:
            return None
        said["additional_parameters"] = tuple(said["additional_parameters"])
        said["arbitrators"] = tuple(Peer(*peer) for peer in said["arbitrators"])
        settings = Settings(**said)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(type(value) is type(default) for value, default in zip(settings, Settings())):
        return None
    peers = all(
        isinstance(peer.host, str) and isinstance(peer.port, (int, type(None))) for peer in settings.arbitrators
    )
    words = [*settings.additional_parameters, *settings.cluster_host_map.values()]
    return settings if peers and all(isinstance(word, str) for word in words) else None
