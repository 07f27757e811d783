"""What HAProxy's HTTP check asks for, and which answers it takes for a healthy server.

Source: HAProxy configuration manual 2.6 and 3.0, section 4.2, `option httpchk`, `http-check send`, `http-check
disable-on-404`, `http-check expect`: without the latter, 2xx and 3xx are good.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from .haproxy_words import NotUnderstood, has_variable

if TYPE_CHECKING:
    from .haproxy_cfg import Proxy

# Words of `http-check expect` before the match that have a value of their own.
_BEFORE = ("min-recv", "comment", "ok-status", "error-status", "tout-status", "on-success", "on-error", "status-code")

# Words of `http-check send`, and how many values each has.
_SENT = {"meth": 1, "ver": 1, "hdr": 2, "body": 1, "body-lf": 1, "comment": 1}


class Taken(Enum):
    """What HAProxy makes of an answer. DRAINED: no new connections. UNKNOWN: a text, header or variable decides."""

    UP = "up"
    DOWN = "down"
    DRAINED = "drained"
    UNKNOWN = "unknown"


def take_status(proxy: Proxy, status: int) -> Taken:
    """Return what the section makes of an HTTP answer with this status."""
    if status == 404 and proxy.having("http-check", "disable-on-404"):
        return Taken.DRAINED
    expected = [_match(line.words[2:], status) for line in proxy.having("http-check", "expect")]
    if not expected:
        return Taken.UP if 200 <= status < 400 else Taken.DOWN
    if False in expected:
        return Taken.DOWN
    return Taken.UNKNOWN if None in expected else Taken.UP


def ask_paths(proxy: Proxy) -> tuple[str, ...]:
    """Return the paths for which a section with `option httpchk` asks, without their queries.

    Each `http-check send` is a question; what it does not say is that of the option, which asks for / of its own.
    :raises NotUnderstood: where a path cannot be told from the file.
    """
    option = proxy.last("option", "httpchk")
    words = option.words[2:] if option else ()
    # `option httpchk URI`, or `option httpchk METHOD URI [VERSION]`.
    asked = words[0] if len(words) == 1 else words[1] if words else "/"
    sent = proxy.having("http-check", "send")
    paths = []
    for line in sent or ((option,) if option else ()):
        rest, path = iter(line.words[2:] if line in sent else ()), asked
        for word in rest:
            if word in ("uri", "uri-lf"):
                path = next(rest, "")
                if word == "uri-lf" and "%" in path:
                    raise NotUnderstood(f"{line}: the path cannot be evaluated")
            elif word in _SENT:
                for _ in range(_SENT[word]):
                    next(rest, "")
        if has_variable(path):
            raise NotUnderstood(f"{line}: the path cannot be evaluated")
        paths.append(path.partition("?")[0])
    return tuple(paths)


def _match(words: tuple[str, ...], status: int) -> bool | None:
    """Return whether one expectation is met, None if the text, a header or a variable decides."""
    if any(has_variable(word) for word in words):
        return None
    rest = list(words)
    while rest and rest[0] in _BEFORE:
        rest = rest[2:]
    negated = rest[:1] == ["!"]
    rest = rest[negated:]
    if len(rest) < 2:
        return None
    met: bool | None = None
    if rest[0] == "status":
        met = _among(rest[1], status)
    elif rest[0] == "rstatus":
        try:
            met = re.search(rest[1], str(status)) is not None
        except re.error:
            return None
    return met if met is None else met != negated


def _among(ranges: str, status: int) -> bool | None:
    """Return whether a status is in a list as 200-399,404; None if that is none."""
    found = False
    for word in ranges.split(","):
        low, _, high = word.partition("-")
        if not low.isdigit() or not (high or low).isdigit():
            return None
        found = found or int(low) <= status <= int(high or low)
    return found
