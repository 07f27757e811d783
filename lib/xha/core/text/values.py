"""Parsers for values that several keys of xha.conf share. Each raises ValueError that names the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .durations import parse_duration

if TYPE_CHECKING:
    from enum import Enum
    from ipaddress import IPv4Network, IPv6Network
    from typing import Callable, Union

    Network = Union[IPv4Network, IPv6Network]
    E = TypeVar("E", bound=Enum)


class ConfigError(Exception):
    """A configuration that cannot be used. The text names file, section and key, and never holds a secret."""


def parse_words(text: str) -> list[str]:
    """Return the words of a list that is separated by blanks or commas."""
    return text.replace(",", " ").split()


def parse_positive_duration(text: str) -> float:
    """Return a duration in seconds that is not 0. :raises ValueError: naming the text."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError(f"{text!r} must be more than 0")
    return seconds


def parse_choice(kind: type[E]) -> Callable[[str], E]:
    """Return a parser for the values of an enumeration. It raises ValueError, naming the text and the values."""

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is none of {', '.join(one.value for one in kind)}") from None

    return parse


def parse_path(text: str) -> str:
    """Return an absolute path. :raises ValueError: naming the text."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path")
    if "\0" in text:
        raise ValueError(f"{text!r} holds a null byte")
    return text


def parse_text(text: str) -> str:
    """Return a text that is not empty. :raises ValueError: for an empty text."""
    if not text:
        raise ValueError("a value is missing")
    return text


def parse_port(text: str) -> int:
    """Return a TCP port. :raises ValueError: naming the text."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536:
        return int(text)
    raise ValueError(f"{text!r} is not a port between 1 and 65535")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `ADDR:PORT`. An IPv6 address is in brackets. :raises ValueError: naming the text."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or set("[]") & set(host) or (":" in host and not bracketed):
        raise ValueError(f"{text!r} is not ADDRESS:PORT, as 0.0.0.0:49000 or [::]:49000")
    return host, parse_port(port)


def parse_account(text: str) -> str:
    """Return the name of a system account, or a uid in digits. :raises ValueError: naming the text."""
    if text and text.isprintable() and not set(text) & set(" :/"):
        return text
    raise ValueError(f"{text!r} is no account: a login name as in /etc/passwd, or a uid")


def parse_switch(text: str) -> bool:
    """Return True for 1, False for 0, and the same for their usual synonyms. :raises ValueError: naming the text."""
    word = text.lower()
    if word in ("1", "yes", "true", "on"):
        return True
    if word in ("0", "no", "false", "off"):
        return False
    raise ValueError(f"{text!r} is neither 1 nor 0")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list of CIDRs. :raises ValueError: naming the first invalid one."""
    from ipaddress import ip_network

    return tuple(ip_network(word) for word in parse_words(text))
