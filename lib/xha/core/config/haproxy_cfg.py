"""HAProxy's configuration file, as far as its checks of the database need: words, sections, inheritance, servers.

Sources: HAProxy configuration manual 2.6 and 3.0, sections 2.2 (quoting and escaping), 4 (proxies: a section inherits
from the `defaults` before it, or from the one that it names), 5.2 (server options). What HAProxy itself would refuse is
read as far as it goes: `haproxy -c` says what is wrong with a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PROXIES = ("listen", "backend", "frontend", "defaults")
_SECTIONS = (
    *_PROXIES,
    *("global", "peers", "resolvers", "userlist", "mailers", "program", "cache", "ring", "log-forward", "http-errors"),
    *("fcgi-app", "crt-store", "traces", "log-profile", "acme"),
)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d{1,9})(us|ms|s|m|h|d)?", re.ASCII)
# The options of a server that are followed by a value, of those that have none of their own meaning here.
_VALUED = """
addr agent-addr agent-inter agent-port agent-send alpn ca-file check-alpn check-proto check-sni check-via-socks4
ciphers ciphersuites cookie crl-file crt curves downinter error-limit fall fastinter force-alpn hash-key id init-addr
init-state inter log-bufsize log-proto max-reuse maxconn maxqueue minconn namespace npn observe on-error on-marked-down
on-marked-up pool-low-conn pool-max-conn pool-purge-delay port proto redir resolve-net resolve-opts resolve-prefer
resolvers rise send-proxy-v2-options set-proxy-v2-tlv-fmt shard slowstart sni socks4 source ssl-max-ver ssl-min-ver
tcp-ut track usesrc verify verifyhost weight ws
"""
CHECK_OPTIONS = (
    *("httpchk", "tcp-check", "mysql-check", "pgsql-check", "redis-check", "smtpchk", "ldap-check", "ssl-hello-chk"),
    *("external-check", "spop-check"),
)


class Line(NamedTuple):
    """The words of one line, and its number in the file."""

    number: int
    words: tuple[str, ...]

    def starts(self, *words: str) -> bool:
        """Whether the line begins with these words."""
        return self.words[: len(words)] == words


class BalancedServer(NamedTuple):
    """A server line. options: the words behind the address, after those of default-server; without a value: "".

    port: None where it is that of the connection.
    """

    name: str
    host: str
    port: int | None
    options: Mapping[str, str]
    line: int

    def has(self, option: str) -> bool:
        """Whether an option is set."""
        return option in self.options

    def seconds(self, option: str) -> float | None:
        """Return an option that is a time, in seconds; None where it is absent or no time."""
        return parse_haproxy_time(self.options.get(option, ""))


class Proxy(NamedTuple):
    """A section with what it inherits. lines: those of its `defaults` that it does not take back, then its own."""

    kind: str
    name: str
    line: int
    lines: tuple[Line, ...]
    servers: tuple[BalancedServer, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def having(self, *words: str) -> tuple[Line, ...]:
        """Return the lines that begin so."""
        return tuple(line for line in self.lines if line.starts(*words))

    def last(self, *words: str) -> Line | None:
        """Return the last of these lines, which is the one that counts; None where there is none."""
        return next(iter(reversed(self.having(*words))), None)

    @property
    def check(self) -> Line | None:
        """The line that says what a check sends (`option httpchk` and its like), None for a bare connection."""
        checks = [line for line in self.lines if line.words[0] == "option" and line.words[1:2]]
        return next((one for one in reversed(checks) if one.words[1] in CHECK_OPTIONS), None)

    def timeout(self, name: str) -> float | None:
        """Return `timeout NAME` in seconds, None where it is not set."""
        line = self.last("timeout", name)
        return parse_haproxy_time(line.words[2]) if line and len(line.words) > 2 else None


def parse_haproxy_cfg(text: str) -> tuple[Proxy, ...]:
    """Return the listen, backend and frontend sections of a file. Never raises: what is no such line is left out."""
    found: list[Proxy] = []
    named: dict[str, tuple[Line, ...]] = {}
    defaults: tuple[Line, ...] = ()
    for head, body in _split(_lines(text)):
        kind, name = head.words[0], head.words[1] if len(head.words) > 1 else ""
        parent = named.get(head.words[head.words.index("from") + 1], ()) if "from" in head.words[1:-1] else defaults
        if kind == "defaults":
            inherited = parent if "from" in head.words[1:-1] else ()
            defaults = named[name] = _merge(inherited, body)
        elif kind in _PROXIES:
            lines = _merge(parent, body)
            found.append(Proxy(kind, name, head.number, lines, _servers(lines)))
    return tuple(found)


def parse_haproxy_time(text: str) -> float | None:
    """Return a time as `10s` in seconds, a number alone being milliseconds (section 2.4); None for others."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * _UNITS[found[2] or "ms"] if found else None


def split_words(line: str) -> tuple[str, ...]:
    r"""Return the words of a line: blanks separate them, quotes and \ keep what they quote, # begins a comment."""
    words: list[str] = []
    word, quote, open_word, index = "", "", False, 0
    while index < len(line):
        char = line[index]
        if char == "\\" and quote != "'" and index + 1 < len(line):
            index += 1
            word, open_word = word + line[index], True
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "'\"":
            quote, open_word = char, True
        elif char.isspace() or char == "#":
            words, word, open_word = ([*words, word], "", False) if open_word else (words, "", False)
            if char == "#":
                break
        else:
            word, open_word = word + char, True
        index += 1
    return (*words, word) if open_word else tuple(words)


def _lines(text: str) -> Iterable[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        words = split_words(raw)
        if words:
            yield Line(number, words)


def _split(lines: Iterable[Line]) -> list[tuple[Line, list[Line]]]:
    found: list[tuple[Line, list[Line]]] = []
    for line in lines:
        if line.words[0] in _SECTIONS:
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return found


def _merge(inherited: tuple[Line, ...], own: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines of a section after those that it inherits. `no option X` takes X back."""
    own = tuple(own)
    # Rules of a check are one list: a section with rules of its own has none of its defaults.
    replaced = {word for word in ("http-check", "tcp-check") if any(line.starts(word) for line in own)}
    merged = [
        line for line in inherited if line.words[0] not in replaced or line.starts("http-check", "disable-on-404")
    ]
    for line in own:
        if line.starts("no", "option") and len(line.words) > 2:
            merged = [one for one in merged if not one.starts("option", line.words[2])]
        else:
            merged.append(line)
    return tuple(merged)


def _servers(lines: tuple[Line, ...]) -> tuple[BalancedServer, ...]:
    defaults: dict[str, str] = {}
    found = []
    for line in lines:
        words = line.words
        if words[0] == "default-server":
            defaults = _options(words[1:], defaults)
        elif words[0] == "server" and len(words) > 2:
            found.append(_server(words[1], words[2], _options(words[3:], defaults), line.number))
        elif words[0] == "server-template" and len(words) > 3:
            found.append(_server(words[1], words[3], _options(words[4:], defaults), line.number))
    return tuple(found)


def _server(name: str, address: str, options: Mapping[str, str], line: int) -> BalancedServer:
    bare = address.partition("@")[2] if re.match(r"(ipv4|ipv6|tcp|quic4|mptcp)@", address) else address
    host, colon, port = bare.rpartition(":")
    if not colon or (":" in host and not bare.startswith("[") and not port.isdigit()):
        host, port = bare, ""
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None
    return BalancedServer(name, host.strip("[]"), number, options, line)


def _options(words: tuple[str, ...], before: Mapping[str, str]) -> dict[str, str]:
    """Return a server's options. `no-X` takes X back."""
    found, valued = dict(before), _VALUED.split()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("no-") and word != "no-":
            found.pop(word[3:], None)
        else:
            found[word] = rest.pop(0) if word in valued and rest else ""
    return found
