"""xha.conf: text in; a frozen Config out, or a ConfigError that names file, section and key."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..http.clustercheck_body import Body
from ..http.limits import REQUEST_SECONDS
from ..node.verdict import LastNode, Policy
from ..text.durations import parse_duration
from ..text.values import (
    ConfigError,
    parse_account,
    parse_address,
    parse_choice,
    parse_networks,
    parse_path,
    parse_port,
    parse_positive_duration,
    parse_switch,
    parse_text,
    parse_words,
)
from .sections import SERVICE_SECTION, ServiceSection, read_sections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable

    from ..text.values import Network

_RESOURCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
DEFAULT_PORT = 3306
RESPONDER_PORT = 49000
DEFAULT_PATH = "/etc/xha/xha.conf"
DEFAULT_OPTION_FILE = "/etc/xha/client.cnf"
DEFAULT_SERVICES_DIRECTORY = "/run/xha/services"
DEFAULT_DISABLED_FILE = "/etc/xha/disabled"
# Gone at boot: a drain is for a stop or a switchover that is under way.
DEFAULT_DRAIN_FILE = "/run/xha/drain"
DEFAULT_QUERY = "SELECT 1 FROM (SELECT 1) t"
DEFAULT_SERVER_USER = "mysql"
# A directory of its own: whoever owns /run/xha could move the agent's records in it.
DEFAULT_COMMIT_FILE = "/run/xha/responder/commit.json"
# Outlives a boot. The responder's own, too: StateDirectory= of its unit.
DEFAULT_HISTORY_FILE = "/var/lib/xha/responder/history"


class ProbeSwitch(Enum):
    """Whether the responder writes a row a second to know whether the node commits. auto: where the table exists."""

    AUTO = "auto"
    OFF = "off"


class Database(NamedTuple):
    """Where the database is. A value that is None comes from defaults_file, or else from MySQL's own defaults."""

    defaults_file: str = DEFAULT_OPTION_FILE
    socket: str | None = None
    host: str | None = None
    port: int | None = None
    # On a node that rejects queries this query fails with 1047 for an account with USAGE only. SELECT 1 would still
    # succeed there.
    probe_query: str = DEFAULT_QUERY
    # The account that the server runs under. Only its processes and those of root are accepted as the server.
    server_user: str = DEFAULT_SERVER_USER
    commit_probe: ProbeSwitch = ProbeSwitch.AUTO
    # Whose keeper says which node is the writer; None: that of the only resource of this host.
    resource: str | None = None


class Responder(NamedTuple):
    """How the responder listens and answers. Durations are in seconds. An empty allow_from allows everybody."""

    listen: tuple[tuple[str, int], ...] = ()
    max_age: float = 0.1
    deadline: float = 1.0
    hang_reset: float = 10.0
    stall_after: float = 5.0
    body: Body = Body.PERCONA
    allow_from: tuple[Network, ...] = ()
    detail_from: tuple[Network, ...] = ()
    disabled_file: str | None = DEFAULT_DISABLED_FILE
    legacy_disabled_file: str | None = None
    drain_file: str | None = DEFAULT_DRAIN_FILE
    services_directory: str = DEFAULT_SERVICES_DIRECTORY
    commit_file: str | None = DEFAULT_COMMIT_FILE
    history_file: str | None = DEFAULT_HISTORY_FILE
    # How long a client may send nothing before it is answered as if it had asked for `/`; None: it never is.
    answer_silent: float | None = None

    @property
    def port(self) -> int:
        """The port of the members' responders: that of this host's own."""
        return self.listen[0][1] if self.listen else RESPONDER_PORT


class Config(NamedTuple):
    """Everything that xha.conf can say. An error in a service's section is no error of the configuration."""

    database: Database = Database()
    policy: Policy = Policy()
    responder: Responder = Responder()
    members: tuple[str, ...] = ()
    service_sections: tuple[ServiceSection, ...] = ()

    def of_member(self, host: str, port: int | None) -> Config:
        """Return the configuration for reading another host: the same account, and no file of this host."""
        return self._replace(
            database=self.database._replace(socket=None, host=host, port=port or self.database.port),
            responder=self.responder._replace(
                disabled_file=None, legacy_disabled_file=None, drain_file=None, commit_file=None, history_file=None
            ),
        )


def _parse_silence(text: str) -> float | None:
    if text.lower() == "off":
        return None
    seconds = parse_positive_duration(text)
    if seconds >= REQUEST_SECONDS:
        raise ValueError(f"{text!r} must be less than {REQUEST_SECONDS:g}s: a client without a request gets 408 then")
    return seconds


def _parse_resource(text: str) -> str:
    if _RESOURCE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no name of a resource of Pacemaker")
    return text


_KEYS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "database": {
        "defaults_file": parse_path,
        "socket": parse_path,
        "host": parse_text,
        "port": parse_port,
        "probe_query": parse_text,
        "server_user": parse_account,
        "commit_probe": parse_choice(ProbeSwitch),
        "resource": _parse_resource,
    },
    "policy": {
        "available_when_donor": parse_switch,
        "available_when_readonly": parse_switch,
        "last_node": parse_choice(LastNode),
    },
    "responder": {
        "listen": lambda text: tuple(parse_address(word) for word in parse_words(text)),
        "max_age": parse_duration,
        "deadline": parse_positive_duration,
        "hang_reset": parse_positive_duration,
        "stall_after": parse_positive_duration,
        "body": parse_choice(Body),
        "allow_from": parse_networks,
        "detail_from": parse_networks,
        "disabled_file": parse_path,
        "legacy_disabled_file": parse_path,
        "drain_file": parse_path,
        "services_directory": parse_path,
        "commit_file": parse_path,
        "history_file": parse_path,
        "answer_silent": _parse_silence,
    },
    "cluster": {"members": lambda text: tuple(parse_words(text))},
}


def parse_config(text: str, path: str) -> Config:
    """Parse the text of xha.conf. path is only used in messages. :raises ConfigError: see there.

    A service's section is stored unparsed: an error in it must not take the database node out of service.
    """
    keys = [key for section in _KEYS.values() for key in section]
    parser, services = read_sections(text, path, keys)
    values: dict[str, dict[str, Any]] = {section: {} for section in _KEYS}
    for section in parser.sections():
        if section.startswith(SERVICE_SECTION):
            services.append(ServiceSection(path, section, tuple(parser[section].items())))
            continue
        if section not in _KEYS:
            raise ConfigError(f"{path}: unknown section {section!r}; there are {_listing(_KEYS)}, service NAME")
        for key, value in parser[section].items():
            values[section][key] = _parse_value(path, section, key, value)
    return Config(
        database=Database(**values["database"]),
        policy=Policy(**values["policy"]),
        responder=Responder(**values["responder"]),
        members=values["cluster"].get("members", ()),
        service_sections=tuple(services),
    )


def _parse_value(path: str, section: str, key: str, value: str) -> Any:
    parse = _KEYS[section].get(key)
    if parse is None:
        raise ConfigError(f"{path}: unknown key {key!r} in [{section}]; there are {_listing(_KEYS[section])}")
    try:
        return parse(value)
    except ValueError as error:
        raise ConfigError(f"{path}: [{section}] {key}: {error}") from None


def _listing(names: Mapping[str, object]) -> str:
    return ", ".join(names)
