"""xha.conf: text in, a frozen Config out, or a ConfigError that names file, section and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .clustercheck import Body
from .durations import parse_duration
from .values import parse_choice, parse_path, parse_positive_duration, parse_text, parse_words
from .verdict import LastNode, Policy

if TYPE_CHECKING:
    import configparser
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network
    from typing import Any, Callable, Union

    Network = Union[IPv4Network, IPv6Network]

DEFAULT_PORT = 3306
DEFAULT_PATH = "/etc/xha/xha.conf"
DEFAULT_OPTION_FILE = "/etc/xha/client.cnf"
DEFAULT_SERVICES_DIRECTORY = "/run/xha/services"
DEFAULT_DISABLED_FILE = "/etc/xha/disabled"
SERVICE_SECTION = "service "
DEFAULT_QUERY = "SELECT 1 FROM (SELECT 1) t"
DEFAULT_SERVER_USER = "mysql"


class ConfigError(Exception):
    """A configuration that cannot be used. The text names file, section and key, and never holds a secret."""


class Database(NamedTuple):
    """Where the database is. What is None here comes from defaults_file, then from MySQL's own defaults."""

    defaults_file: str = DEFAULT_OPTION_FILE
    socket: str | None = None
    host: str | None = None
    port: int | None = None
    # With a plain USAGE account this fails with 1047 where the node rejects queries, where SELECT 1 still answers.
    probe_query: str = DEFAULT_QUERY
    # The account that the server runs under; only its processes, and root's, are believed to be the server.
    server_user: str = DEFAULT_SERVER_USER


class Responder(NamedTuple):
    """How the responder listens and answers. Durations in seconds; empty allow_from is everybody."""

    listen: tuple[tuple[str, int], ...] = ()
    max_age: float = 0.1
    deadline: float = 1.0
    hang_reset: float = 10.0
    body: Body = Body.PERCONA
    allow_from: tuple[Network, ...] = ()
    detail_from: tuple[Network, ...] = ()
    disabled_file: str | None = DEFAULT_DISABLED_FILE
    legacy_disabled_file: str | None = None
    services_directory: str = DEFAULT_SERVICES_DIRECTORY


class ServiceSection(NamedTuple):
    """A `[service NAME]` as it stands in the file at path. core/services/settings.py knows what it means.

    fault says why its lines are no keys and values, without quoting one: then there are no items.
    """

    path: str
    title: str
    items: tuple[tuple[str, str], ...] = ()
    fault: str = ""


class Config(NamedTuple):
    """Everything xha.conf can say. What is wrong with a service's section is no fault of the configuration."""

    database: Database = Database()
    policy: Policy = Policy()
    responder: Responder = Responder()
    members: tuple[str, ...] = ()
    service_sections: tuple[ServiceSection, ...] = ()

    def of_member(self, host: str, port: int | None) -> Config:
        """Return the configuration for looking at another host: same account, and no disabled file of ours."""
        return self._replace(
            database=self.database._replace(socket=None, host=host, port=port or self.database.port),
            responder=self.responder._replace(disabled_file=None, legacy_disabled_file=None),
        )


def parse_port(text: str) -> int:
    """Return a TCP port. :raises ValueError: naming the text."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536:
        return int(text)
    raise ValueError(f"{text!r} is not a port between 1 and 65535")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `ADDR:PORT`; an IPv6 address stands in brackets. :raises ValueError: naming the text."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or set("[]") & set(host) or (":" in host and not bracketed):
        raise ValueError(f"{text!r} is not ADDRESS:PORT, as 0.0.0.0:49000 or [::]:49000")
    return host, parse_port(port)


def parse_account(text: str) -> str:
    """Return the name of an account of the system, or a uid in digits. :raises ValueError: naming the text."""
    if text and text.isprintable() and not set(text) & set(" :/"):
        return text
    raise ValueError(f"{text!r} is no account: a login name as in /etc/passwd, or a uid")


def parse_switch(text: str) -> bool:
    """Return True for 1, False for 0, with their usual synonyms. :raises ValueError: naming the text."""
    word = text.lower()
    if word in ("1", "yes", "true", "on"):
        return True
    if word in ("0", "no", "false", "off"):
        return False
    raise ValueError(f"{text!r} is neither 1 nor 0")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list of CIDRs. :raises ValueError: naming the first that is none."""
    from ipaddress import ip_network

    return tuple(ip_network(word) for word in parse_words(text))


_KEYS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "database": {
        "defaults_file": parse_path,
        "socket": parse_path,
        "host": parse_text,
        "port": parse_port,
        "probe_query": parse_text,
        "server_user": parse_account,
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
        "body": parse_choice(Body),
        "allow_from": parse_networks,
        "detail_from": parse_networks,
        "disabled_file": parse_path,
        "legacy_disabled_file": parse_path,
        "services_directory": parse_path,
    },
    "cluster": {"members": lambda text: tuple(parse_words(text))},
}


def parse_config(text: str, path: str) -> Config:
    """Parse the text of xha.conf. path is only for messages. :raises ConfigError: see there.

    A service's section is kept as it stands, right or wrong: it must not take the database's node out of service.
    """
    import configparser

    try:
        parser, services = _read(text, path)
    except configparser.Error as error:
        raise ConfigError(f"{path}: {_fault(error)}") from None
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


def _read(text: str, path: str) -> tuple[configparser.ConfigParser, list[ServiceSection]]:
    """Return the sections of a text, and beside them the services' ones that stand in the way of reading the rest.

    :raises configparser.Error: where the rest cannot be read either.
    """
    import configparser

    try:
        return _read_sections(text), []
    except configparser.Error:
        rest, services = _take_out_services(text, path)
        return _read_sections(rest), services


def _read_sections(text: str) -> configparser.ConfigParser:
    import configparser

    parser = configparser.ConfigParser(interpolation=None, default_section="", empty_lines_in_values=False)
    parser.read_string(text)
    return parser


def _take_out_services(text: str, path: str) -> tuple[str, list[ServiceSection]]:
    """Return the text with empty lines for each service's section that is broken or begun before, and those sections.

    Whatever begins with a bracket ends a section here: it may begin another one.
    """
    import re

    taken: list[ServiceSection] = []
    parts = re.split(r"^(?=[^\S\n]*\[)", text, flags=re.MULTILINE)
    titles: set[str] = set()
    before = 0
    for number, part in enumerate(parts):
        lines = part.count("\n")
        if part.startswith(f"[{SERVICE_SECTION}"):
            section = _read_service(part, path, before)
            if section.fault or section.title in titles:
                taken.append(section)
                parts[number] = "\n" * lines
            titles.add(section.title)
        before += lines
    return "".join(parts), taken


def _read_service(part: str, path: str, before: int) -> ServiceSection:
    """Return the section that a part of a text is; before: how many lines of the text precede it."""
    import configparser

    title, closed, _ = part[1:].partition("\n")[0].partition("]")
    if not closed:
        return ServiceSection(path, title, fault=f"[{title}: line {before + 1}: the bracket at its end is missing")
    try:
        parser = _read_sections(part)
    except configparser.Error as error:
        return ServiceSection(path, title, fault=_fault(error, before, f"[{title}]: "))
    title = parser.sections()[0]
    return ServiceSection(path, title, tuple(parser[title].items()))


def _fault(error: configparser.Error, before: int = 0, where: str = "") -> str:
    """Say where, and not what: configparser's own words quote the line, and a wrong file may hold a secret."""
    import configparser

    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno}: a line before the first [section]"
    if isinstance(error, configparser.ParsingError):
        number, line = error.errors[0]
        key = next((key for keys in _KEYS.values() for key in keys if key in line), "")
        said = f"{where}line {number + before}: neither a [section] nor KEY = VALUE"
        return f"{said}: {key} lacks its value" if key else said
    if isinstance(error, configparser.DuplicateOptionError):
        return f"[{error.section}] {error.option}: said twice, the second time on line {(error.lineno or 0) + before}"
    if isinstance(error, configparser.DuplicateSectionError):
        return f"[{error.section}]: begun twice, the second time on line {error.lineno}"
    return type(error).__name__


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
