"""HAProxy's configuration file, as far as its checks of the database need: words, sections, inheritance, servers.

Sources: HAProxy configuration manual 2.6 and 3.0, sections 2.4 (conditional blocks), 4 (proxies: a section inherits
from the `defaults` before it, or from the one that it names), 5.2 (server options). What HAProxy itself would refuse is
read as far as it goes: `haproxy -c` says what is wrong with a file. What is written and cannot be evaluated is told
apart from what is absent: whoever asks for it gets NotUnderstood, and a section has a doubt where lines depend on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .haproxy_words import Line, NotUnderstood, has_variable, parse_haproxy_count, parse_haproxy_time, split_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PROXIES = ("listen", "backend", "frontend", "defaults")
_SECTIONS = (
    *_PROXIES,
    *("global", "peers", "resolvers", "userlist", "mailers", "program", "cache", "ring", "log-forward", "http-errors"),
    *("fcgi-app", "crt-store", "traces", "log-profile", "acme"),
)
# The options of a server that are followed by a value, of those that have none of their own meaning here.
_VALUES = """
addr agent-addr agent-inter agent-port agent-send alpn ca-file check-alpn check-proto check-sni check-via-socks4
ciphers ciphersuites cookie crl-file crt curves downinter error-limit fall fastinter force-alpn hash-key id init-addr
init-state inter log-bufsize log-proto max-reuse maxconn maxqueue minconn namespace npn observe on-error on-marked-down
on-marked-up pool-low-conn pool-max-conn pool-purge-delay port proto redir resolve-net resolve-opts resolve-prefer
resolvers rise send-proxy-v2-options set-proxy-v2-tlv-fmt shard slowstart sni socks4 source ssl-max-ver ssl-min-ver
tcp-ut track usesrc verify verifyhost weight ws
"""
_VALUED = frozenset(_VALUES.split())
# Rules of a check, and what chooses it: what such a line does is not known where these words are variables.
_DECIDING = {"option": 1, "no": 2, "http-check": 1, "tcp-check": 1}
_MOST_SERVERS = 4096
CHECK_OPTIONS = (
    *("httpchk", "tcp-check", "mysql-check", "pgsql-check", "redis-check", "smtpchk", "ldap-check", "ssl-hello-chk"),
    *("external-check", "spop-check"),
)


class BalancedServer(NamedTuple):
    """A server line. options: the words behind the address, after those of default-server; without a value: "".

    port: None where it is that of the connection.
    """

    name: str
    host: str
    port: int | None
    options: Mapping[str, str]
    line: int

    def __str__(self) -> str:
        return f"server {self.name} (line {self.line})"

    def has(self, option: str) -> bool:
        """Whether an option is set."""
        return option in self.options

    def text(self, option: str) -> str | None:
        """Return the value of an option, None where it is absent. :raises NotUnderstood: for a variable."""
        value = self.options.get(option)
        if value is not None and has_variable(value):
            raise self.unclear(option, value)
        return value

    def seconds(self, option: str) -> float | None:
        """Return an option that is a time, in seconds; None where it is absent. :raises NotUnderstood: for no time."""
        value = self.options.get(option)
        seconds = None if value is None else parse_haproxy_time(value)
        if value is not None and seconds is None:
            raise self.unclear(option, value)
        return seconds

    def number(self, option: str) -> int | None:
        """Return an option that is a number; None where it is absent. :raises NotUnderstood: for no number."""
        value = self.options.get(option)
        number = None if value is None else parse_haproxy_count(value)
        if value is not None and number is None:
            raise self.unclear(option, value)
        return number

    def unclear(self, option: str, value: str) -> NotUnderstood:
        """Return the error for an option whose value cannot be evaluated."""
        return NotUnderstood(f"{self} has {option} {value}, which cannot be evaluated")


class Proxy(NamedTuple):
    """A section with what it inherits. lines: those of its `defaults` that it does not take back, then its own.

    doubt: why it is not known which lines count, or what they do; "" where it is known.
    file: which one of the files it is in.
    """

    kind: str
    name: str
    line: int
    lines: tuple[Line, ...]
    servers: tuple[BalancedServer, ...]
    doubt: str = ""
    file: int = 0

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
        """Return `timeout NAME` in seconds, None where it is not set. :raises NotUnderstood: for what is no time."""
        line = self.last("timeout", name)
        if line is None:
            return None
        seconds = parse_haproxy_time(line.words[2]) if len(line.words) > 2 else None
        if seconds is None:
            raise NotUnderstood(f"{line}: the time cannot be evaluated")
        return seconds

    def check_port(self, server: BalancedServer) -> int | None:
        """Return where a server is checked; None where that is the port of the connection.

        :raises NotUnderstood: where it cannot be told.
        """
        connected = self.last("http-check", "connect") or self.last("tcp-check", "connect")
        if connected and "port" in connected.words[:-1]:
            port = _port(connected.words[connected.words.index("port") + 1])
            if port is None:
                raise NotUnderstood(f"{connected}: the port cannot be evaluated")
            return port
        text = server.options.get("port")
        port = server.port if text is None else _port(text)
        if text is not None and port is None:
            raise server.unclear("port", text)
        return port


def parse_haproxy_cfg(*texts: str) -> tuple[Proxy, ...]:
    """Return the listen, backend and frontend sections of files, which HAProxy reads in this order as one.

    A section ends with its file; a later file's sections inherit from `defaults` of an earlier one. Never raises: what
    is no such line is left out.
    """
    found: list[Proxy] = []
    named: dict[str, tuple[tuple[Line, ...], str]] = {}
    defaults: tuple[tuple[Line, ...], str] = (), ""
    for number, part in ((at, part) for at, text in enumerate(texts) for part in _split(_lines(text))):
        head, body = part.head, part.body
        kind, name = head.words[0], head.words[1] if len(head.words) > 1 else ""
        follows = "from" in head.words[1:-1]
        parent = named.get(head.words[head.words.index("from") + 1], ((), "")) if follows else defaults
        if kind == "defaults":
            inherited, doubt = parent if follows else ((), "")
            defaults = named[name] = _merge(inherited, body), doubt or part.conditional
        elif kind in _PROXIES:
            lines = _merge(parent[0], body)
            servers, unclear = _servers(lines)
            doubt = parent[1] or part.conditional or unclear or _doubt_of(lines)
            found.append(Proxy(kind, name, head.number, lines, servers, doubt, number))
    return tuple(found)


def _lines(text: str) -> Iterable[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        words = split_words(raw)
        if words:
            yield Line(number, words)


class _Part(NamedTuple):
    """A section as it is written. conditions: of its head, or of a line of it."""

    head: Line
    body: list[Line]
    conditions: list[Line]

    @property
    def conditional(self) -> str:
        return f"it depends on a condition ({self.conditions[0]})" if self.conditions else ""


def _split(lines: Iterable[Line]) -> list[_Part]:
    found: list[_Part] = []
    conditions: list[Line] = []
    # The section before the first one of a block: what follows the block is its, if the block is left out.
    before: _Part | None = None
    for line in lines:
        word = line.words[0]
        if word == ".if":
            conditions.append(line)
            before = found[-1] if found and len(conditions) == 1 else before
        elif word == ".endif":
            conditions = conditions[:-1]
        elif word in _SECTIONS:
            found.append(_Part(line, [], conditions[:1]))
        elif found and not word.startswith("."):
            found[-1].body.append(line)
            found[-1].conditions.extend(conditions[:1])
            if before is not None and not conditions:
                before.conditions.extend(found[-1].conditions[:1] if before is not found[-1] else ())
    return found


def _merge(inherited: tuple[Line, ...], own: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines of a section after those that it inherits. `no option X` takes X back."""
    own = tuple(own)
    # Rules of a check are one list: a section with rules of its own has none of its defaults.
    replaced = {word for word in ("http-check", "tcp-check") if any(line.starts(word) for line in own)}
    kept = (line for line in inherited if line.words[0] not in replaced or line.starts("http-check", "disable-on-404"))
    merged: list[Line] = []
    taken_back: set[str] = set()
    for line in reversed((*kept, *own)):
        if line.starts("no", "option") and len(line.words) > 2:
            taken_back.add(line.words[2])
        elif not (line.starts("option") and len(line.words) > 1 and line.words[1] in taken_back):
            merged.append(line)
    return tuple(reversed(merged))


def _doubt_of(lines: tuple[Line, ...]) -> str:
    for line in lines:
        if any(has_variable(word) for word in line.words[: 1 + _DECIDING.get(line.words[0], 0)]):
            return f"{line}: what it does depends on a variable"
    return ""


def _servers(lines: tuple[Line, ...]) -> tuple[tuple[BalancedServer, ...], str]:
    """Return the servers of a section, and why they are not known for sure, "" where they are."""
    defaults: dict[str, str] = {}
    found: list[BalancedServer] = []
    doubt = ""
    for line in lines:
        words = line.words
        options = {"default-server": 1, "server": 3, "server-template": 4}.get(words[0])
        if options is None or len(words) < options:
            continue
        own = _options(words[options:], defaults)
        if any(has_variable(option) for option in own):
            doubt = doubt or f"{line}: its options depend on a variable"
        if words[0] == "default-server":
            defaults = own
        elif words[0] == "server":
            found.append(_server(words[1], words[2], own, line.number))
        else:
            numbers = _numbers(words[2])
            doubt = doubt if numbers else doubt or f"{line}: how many servers it makes cannot be evaluated"
            found += (_server(f"{words[1]}{one}", words[3], own, line.number) for one in numbers or (1,))
    return tuple(found), doubt


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a template's servers: `3` is 1 to 3, `5-7` is 5 to 7; () for what is neither."""
    found = re.fullmatch(r"(?:(\d{1,6})-)?(\d{1,6})", text, re.ASCII)
    if found is None:
        return ()
    first, last = int(found[1] or 1), int(found[2])
    return tuple(range(first, last + 1)) if last - first < _MOST_SERVERS else ()


def _server(name: str, address: str, options: Mapping[str, str], line: int) -> BalancedServer:
    bare = address.partition("@")[2] if re.match(r"(ipv4|ipv6|tcp|quic4|mptcp)@", address) else address
    host, colon, port = bare.rpartition(":")
    if not colon or (":" in host and not bare.startswith("[") and not port.isdigit()):
        host, port = bare, ""
    return BalancedServer(name, host.strip("[]"), _port(port), options, line)


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _options(words: tuple[str, ...], before: Mapping[str, str]) -> dict[str, str]:
    """Return a server's options. `no-X` takes X back."""
    found = dict(before)
    rest = iter(words)
    for word in rest:
        if word.startswith("no-") and word != "no-":
            found.pop(word[3:], None)
        else:
            found[word] = next(rest, "") if word in _VALUED else ""
    return found
