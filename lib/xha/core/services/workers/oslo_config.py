"""Parses a worker's own configuration of its messaging: oslo.config's files and transport URLs. Pure.

The values contain passwords, so no message of this module quotes one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ..rabbitmq.login import PORT, TLS_PORT, Login

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    Options = Mapping[tuple[str, str], str]

_RABBIT = "oslo_messaging_rabbit"
_SCHEME = re.compile(r"(?:[a-z0-9_.]+\+)?(?:rabbit|kombu|amqp)", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_TRUE = {"true", "1", "yes", "on"}


class Messaging(NamedTuple):
    """The messaging in a service's file: brokers in order, its name on the bus, its exchange, cinder's back ends."""

    brokers: tuple[Login, ...] = ()
    host: str | None = None
    exchange: str | None = None
    backends: tuple[str, ...] = ()


def parse_options(text: str) -> dict[tuple[str, str], str]:
    """Return the options of a file by section and name. The last of several counts (oslo_config/iniparser.py)."""
    options: dict[tuple[str, str], str] = {}
    section, name = "DEFAULT", ""
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            name = name if stripped else ""
        elif line[0] in " \t" and name:
            options[section, name] += "\n" + stripped
        elif stripped[0] == "[":
            section, name = stripped.strip("[]").strip(), ""
        else:
            # a URL has `=` and `:` itself: the first of them ends the name
            match = re.match(r"([^=:]+)[=:](.*)", stripped)
            name = match[1].strip() if match else ""
            if match:
                value = match[2].strip()
                quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
                options[section, name] = value[1:-1] if quoted else value
    return options


def parse_messaging(options: Options) -> Messaging:
    """Return the messaging in the options. :raises ValueError: naming the invalid option, without its value."""

    def get(name: str, section: str = "DEFAULT") -> str | None:
        value = options.get((section, name))
        return None if value is None else _substitute(value, options, section)

    url = get("transport_url")
    tls = (get("ssl", _RABBIT) or get("rabbit_use_ssl", _RABBIT) or get("rabbit_use_ssl") or "").lower() in _TRUE
    ca_file = get("ssl_ca_file", _RABBIT) or get("kombu_ssl_ca_certs", _RABBIT) or None
    brokers = parse_transport(url, tls, ca_file) if url else _parse_rabbit_hosts(get, tls, ca_file)
    host = get("host")
    sections = [word.strip() for word in (get("enabled_backends") or "").split(",") if word.strip()]
    backends = [f"{get('backend_host', one) or host or ''}@{one}" for one in sections]
    return Messaging(brokers, host, get("control_exchange"), tuple(backends))


def _parse_rabbit_hosts(get: Callable[..., str | None], tls: bool, ca_file: str | None) -> tuple[Login, ...]:
    """Return the brokers in the options that transport_url replaced (deprecated in Newton, removed in Train)."""

    def either(name: str) -> str | None:
        return get(name, _RABBIT) or get(name)

    hosts = either("rabbit_hosts") or either("rabbit_host")
    if not hosts:
        return ()
    port = either("rabbit_port") or str(TLS_PORT if tls else PORT)
    account = (either("rabbit_userid") or "guest", either("rabbit_password") or "guest")
    vhost = either("rabbit_virtual_host") or "/"
    return tuple(
        Login(
            *_parse_netloc(one.strip(), parse_int(port) or 0, "rabbit_hosts"),
            *account,
            vhost,
            tls,
            ca_file,
        )
        for one in hosts.split(",")
    )


def _substitute(value: str, options: Options, section: str) -> str:
    def replace(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not name:
            return "$"
        return options.get((section, name), options.get(("DEFAULT", name), match[0]))

    return _REFERENCE.sub(replace, value)


def parse_transport(url: str, tls: bool = False, ca_file: str | None = None) -> tuple[Login, ...]:
    """Return the brokers of `rabbit://USER:PASSWORD@HOST:PORT,USER:PASSWORD@HOST:PORT/VHOST?ssl=1`, in that order.

    As in oslo_messaging/transport.py: account and host are percent-encoded, a host without an account has none, and the
    virtual host is what follows the first slash, or / if nothing follows it.

    :raises ValueError: without the URL, which contains passwords.
    """
    scheme, found, rest = url.strip().partition("://")
    if not found or not _SCHEME.fullmatch(scheme):
        raise ValueError("transport_url: not rabbit://USER:PASSWORD@HOST:PORT/VHOST")
    rest, _, query = rest.partition("?")
    netlocs, _, vhost = rest.partition("/")
    asked = [value for name, _, value in (pair.partition("=") for pair in query.split("&")) if name == "ssl"]
    tls = asked[-1].lower() in _TRUE if asked else tls
    brokers = []
    for netloc in netlocs.split(","):
        account, _, address = netloc.strip().rpartition("@")
        username, _, password = account.partition(":")
        host, port = _parse_netloc(address, TLS_PORT if tls else PORT, "transport_url")
        brokers.append(Login(host, port, _unquote(username), _unquote(password), _unquote(vhost) or "/", tls, ca_file))
    return tuple(brokers)


def _unquote(text: str) -> str:
    encoded = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), encoded).decode("utf-8", "replace")


def _parse_netloc(address: str, default: int, option: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:/@\s]+))(?::(\d{1,5}))?", address)
    port = int(match[3]) if match and match[3] else default
    if not match or not 0 < port < 65536:
        raise ValueError(f"{option}: a broker in it is not HOST:PORT")
    return match[1] or match[2], port
