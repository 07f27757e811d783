"""Parses a worker's own configuration of its messaging: oslo.config's files and transport URLs. Pure.

tests/services/test_oslo_reference.py compares it with oslo.config and oslo.messaging themselves, on a corpus. The
values contain passwords, so no message of this module quotes one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...text.numbers import parse_int
from ..rabbitmq.login import PORT, TLS_PORT, Login
from .oslo_url import TlsOptions, parse_host_port, parse_transport, parse_truth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable

    Options = Mapping[tuple[str, str], str]

_DEFAULT, _RABBIT = "DEFAULT", "oslo_messaging_rabbit"
# string.Template with the names of cfg.ConfigOpts.Template: $name, ${name}, ${section.name}; $$ and \\$ are a dollar.
_REFERENCE = re.compile(r"\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})", re.IGNORECASE)
_DEEPEST = 10


class Messaging(NamedTuple):
    """The messaging in a service's file: brokers in order, its name on the bus, its exchange, cinder's back ends."""

    brokers: tuple[Login, ...] = ()
    host: str | None = None
    exchange: str | None = None
    backends: tuple[str, ...] = ()


def parse_options(text: str) -> dict[tuple[str, str], str]:
    """Return the options of a file by section and name. The last of several counts (oslo_config/iniparser.py).

    A section's name is compared without its case, but for DEFAULT (cfg._normalize_group_name).

    :raises ValueError: naming the line, without its text, for a file with which the service would not start.
    """
    options: dict[tuple[str, str], str] = {}
    section: str | None = None
    name: str | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        if not line:
            name = None
        elif line[0] in " \t":
            if name is None or section is None:
                raise ValueError(f"line {number} continues nothing")
            options[section, name] += "\n" + line.lstrip()
        elif line[0] == "[":
            if len(line) < 3 or line[-1] != "]":
                raise ValueError(f"line {number}: a section is in brackets")
            title = line[1:-1]
            section, name = title if title == _DEFAULT else title.lower(), None
        elif line[0] in "#;":
            name = None
        else:
            # a URL has `=` and `:` itself: the first of them ends the name
            match = re.match(r"([^=:]*)[=:](.*)", line)
            if match is None or not match[1].strip() or section is None:
                raise ValueError(f"line {number}: neither NAME = VALUE in a section, nor a comment")
            name = match[1].strip()
            options[section, name] = _unquote(match[2].strip())
    return options


def _unquote(value: str) -> str:
    return value[1:-1] if value and value[0] == value[-1] and value[0] in "\"'" else value


def parse_messaging(options: Options) -> Messaging:
    """Return the messaging in the options. :raises ValueError: naming the invalid option, without its value."""

    def get(name: str, section: str = _DEFAULT) -> str | None:
        value = options.get((section, name))
        return None if value is None else _substitute(value, options, section, name)

    tls = TlsOptions(
        parse_truth(get("ssl", _RABBIT) or get("rabbit_use_ssl", _RABBIT) or get("rabbit_use_ssl") or "0", "ssl"),
        get("ssl_ca_file", _RABBIT) or get("kombu_ssl_ca_certs", _RABBIT) or None,
        get("ssl_cert_file", _RABBIT) or get("kombu_ssl_certfile", _RABBIT) or None,
        get("ssl_key_file", _RABBIT) or get("kombu_ssl_keyfile", _RABBIT) or None,
    )
    url = get("transport_url") or get("transport_url", _RABBIT)
    brokers = parse_transport(url, tls) if url else _parse_rabbit_hosts(get, tls)
    host = get("host")
    sections = [word.strip() for word in (get("enabled_backends") or "").split(",") if word.strip()]
    backends = [f"{get('backend_host', one.lower()) or host or ''}@{one}" for one in sections]
    return Messaging(brokers, host, get("control_exchange"), tuple(backends))


def _parse_rabbit_hosts(get: Callable[..., str | None], tls: TlsOptions) -> tuple[Login, ...]:
    """Return the brokers in the options that transport_url replaced (deprecated in Newton, removed in Train)."""

    def either(name: str) -> str | None:
        return get(name, _RABBIT) or get(name)

    hosts = either("rabbit_hosts") or either("rabbit_host")
    if not hosts:
        return ()
    port = parse_int(either("rabbit_port") or str(TLS_PORT if tls.ssl else PORT)) or 0
    account = (either("rabbit_userid") or "guest", either("rabbit_password") or "guest")
    vhost = either("rabbit_virtual_host") or "/"
    places = [parse_host_port(one.strip(), port, "rabbit_hosts") for one in hosts.split(",")]
    return tuple(tls.apply(Login(*place, *account, vhost)) for place in places)


def _substitute(value: str, options: Options, section: str, option: str, depth: int = 0) -> str:
    """Return the value with what it refers to. :raises ValueError: for what the files do not set, or for a circle."""
    if depth > _DEEPEST:
        raise ValueError(f"{option}: refers to itself")

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        return _look_up(match[2] or match[3], options, section, option, depth)

    return _REFERENCE.sub(replace, value.replace("\\$", "$$"))


def _look_up(name: str, options: Options, section: str, option: str, depth: int) -> str:
    group, dot, rest = name.partition(".")
    places = [(group.lower() if group != _DEFAULT else group, rest)] if dot else [(section, name)]
    for place in (*places, (_DEFAULT, name)):
        if place in options:
            return _substitute(options[place], options, place[0], option, depth + 1)
    raise ValueError(f"{option}: refers to an option that the files do not set: say transport_url_file, and hosts")
