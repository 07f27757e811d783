"""Rules about what HAProxy asks of a database, and what it makes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..config.haproxy_words import NotUnderstood
from ..config.http_expectation import Taken, ask_paths, take_status
from .findings import Rule, Symptom, Weight
from .unseen import Unlooked, Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Callable

    from ..config.haproxy_cfg import BalancedServer, Proxy
    from .facts import DoctorFacts

_HTTPCHK = "option httpchk GET /"
# Which the responder answers by whether the node may have clients.
WRITER_PATH = "/writer"
_PATHS = ("/", "/ready", WRITER_PATH)
_EVALUATED = "--haproxy FILE: a copy of the file with the values themselves, without variables and conditions"


class Section(NamedTuple):
    """A section with servers of the database. where: its name, and its file."""

    proxy: Proxy
    where: str

    @property
    def checked(self) -> list[BalancedServer]:
        """The servers that are checked."""
        return [one for one in self.proxy.servers if one.has("check")]


def each_section(
    look: Callable[[DoctorFacts, Section], Iterable[Symptom]],
) -> Callable[[DoctorFacts], Iterator[Symptom]]:
    """Return a rule that looks at each section of the database. What one leaves open hides no other one's symptom."""

    def examine(facts: DoctorFacts) -> Iterator[Symptom]:
        sections, lacks = _database_sections(facts)
        for section in sections:
            try:
                yield from look(facts, section)
            except NotUnderstood as error:
                lacks.append(Unseen(f"{section.where}: {error}", _EVALUATED))
            except Unlooked as error:
                lacks.extend(error.all)
        if lacks:
            raise Unlooked(*lacks)

    return examine


def _database_sections(facts: DoctorFacts) -> tuple[list[Section], list[Unseen]]:
    """Return the sections of the database, and which cannot be looked at. :raises Unlooked: without any of both."""
    file = require(facts.haproxy)
    found, lacks = [], []
    for proxy in file.proxies:
        if proxy.kind == "frontend":
            continue
        where, unclear = f"{proxy} of {file.paths[proxy.file]}", _unclear_address(proxy)
        if _is_database(proxy, facts):
            if proxy.doubt:
                lacks.append(Unseen(f"{where}: {proxy.doubt}", _EVALUATED))
            else:
                found.append(Section(proxy, where))
        elif unclear:
            lacks.append(Unseen(f"whether {where} serves the database: {unclear}", _EVALUATED))
    if not found and not lacks:
        raise Unlooked(
            Unseen(
                f"{file} has no section whose servers have the database's port, {facts.sql_port}",
                "--haproxy FILE with the file of the HAProxy that serves the database",
            )
        )
    return found, lacks


def _is_database(proxy: Proxy, facts: DoctorFacts) -> bool:
    check = proxy.check
    if check is not None and check.words[1] == "mysql-check":
        return True
    return any(server.port == facts.sql_port for server in proxy.servers)


def _unclear_address(proxy: Proxy) -> str:
    """Return which server may have any port, "" for none. One of a web site is none of the database."""
    mode = proxy.last("mode")
    if mode is not None and mode.words[1:] == ("http",):
        return ""
    local = ("/", "unix@", "abns@", "fd@", "sockpair@")
    open_ones = (one for one in proxy.servers if one.port is None and not one.host.startswith(local))
    return next((f"the port of {one} is not told there" for one in open_ones), "")


def _unchecked(facts: DoctorFacts, section: Section) -> Iterator[Symptom]:
    for one in section.proxy.servers:
        if not one.has("check") and not one.has("track") and not one.has("disabled"):
            yield Symptom(
                f"server {one.name} (line {one.line}) in {section.where} has no check", _line(facts, section, one)
            )


def _line(facts: DoctorFacts, section: Section, one: BalancedServer) -> str:
    port = facts.config.responder.port
    return f"server {one.name} {one.host}:{one.port} check port {port}   in {section.proxy}"


def _wrong_port(facts: DoctorFacts, section: Section) -> Iterator[Symptom]:
    for one in section.checked:
        if section.proxy.check_port(one) == one.port:
            yield Symptom(
                f"{one} in {section.where} is checked at the database's own port, {one.port}",
                f"{_line(facts, section, one)}, and {_HTTPCHK}",
            )


def _no_question(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    proxy = section.proxy
    check = proxy.check
    asks = check is not None and (check.words[1] != "tcp-check" or proxy.having("tcp-check", "expect"))
    ports = [] if asks else [one for one in section.checked if proxy.check_port(one) != one.port]
    if ports:
        yield Symptom(
            f"{section.where}: its checks connect to port {proxy.check_port(ports[0])}, and ask nothing",
            f"{_HTTPCHK}   in {proxy}",
        )


def _wrong_path(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    proxy, check = section.proxy, section.proxy.check
    if check is None or not section.checked:
        return
    if check.words[1] != "httpchk":
        if proxy.having("tcp-check", "expect") or check.words[1] == "external-check":
            raise NotUnderstood(f"{check}: which path it asks for cannot be told")
        return
    paths = ask_paths(proxy)
    if not any(path in _PATHS for path in paths):
        yield Symptom(
            f"{section.where} asks for {', '.join(paths)}, and not for one of {', '.join(_PATHS)}",
            f"{_HTTPCHK}   in {proxy}, and no http-check send with another uri",
        )


def _taken(section: Section, status: int) -> Taken | None:
    """Return what a section makes of a status, None if it asks for none. :raises Unlooked: if a text decides."""
    check = section.proxy.check
    if check is None or check.words[1] != "httpchk" or not section.checked:
        return None
    taken = take_status(section.proxy, status)
    if taken is Taken.UNKNOWN:
        raise Unlooked(
            Unseen(
                f"{section.where}: whether it takes {status} for good depends on a text (http-check expect)",
                "http-check expect status 200, or none",
            )
        )
    return taken


def _takes_503(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    if _taken(section, 503) not in (None, Taken.DOWN):
        yield Symptom(f"{section.where} takes 503 for a server that is up (http-check expect)", _expect(section))


def _refuses_200(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    if _taken(section, 200) not in (None, Taken.UP):
        yield Symptom(f"{section.where} takes 200 for a server that is down (http-check expect)", _expect(section))


def _expect(section: Section) -> str:
    return f"http-check expect status 200   in {section.proxy}, in the place of its own http-check expect"


def _keeps_drained(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    if _taken(section, 404) is Taken.UP:
        yield _drained(section, "up")


def _cuts_drained(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    if _taken(section, 404) is Taken.DOWN:
        yield _drained(section, "down")


def _drained(section: Section, taken: str) -> Symptom:
    return Symptom(
        f"{section.where} takes 404, which a node that drains answers, for a server that is {taken}",
        f"http-check disable-on-404   in {section.proxy}",
    )


RULES: Iterable[Rule] = (
    Rule(
        "haproxy-unchecked",
        Weight.HARM,
        "HAProxy: `check` of each server",
        "clients are sent to a node that is down, joining or out of the cluster",
        each_section(_unchecked),
    ),
    Rule(
        "haproxy-check-port",
        Weight.HARM,
        "HAProxy: the port of each check",
        "a node that hangs, or has lost the majority, still accepts connections there: it stays up",
        each_section(_wrong_port),
    ),
    Rule(
        "haproxy-connect-only",
        Weight.HARM,
        "HAProxy: `option httpchk`",
        "the responder accepts the connection also to say 503: every node is always up",
        each_section(_no_question),
    ),
    Rule(
        "haproxy-path",
        Weight.HARM,
        "HAProxy: the path of `option httpchk` and `http-check send`",
        "/live is 200 also of a broken node, and any other path 404: broken nodes stay up, or good ones go down",
        each_section(_wrong_path),
    ),
    Rule(
        "haproxy-takes-503",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 503",
        "a broken node stays up and gets traffic",
        each_section(_takes_503),
    ),
    Rule(
        "haproxy-refuses-200",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 200",
        "every node is down",
        each_section(_refuses_200),
    ),
    Rule(
        "haproxy-keeps-drained",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 404",
        "a planned stop, and xha-check drain, send no client away: the stop cuts new connections off",
        each_section(_keeps_drained),
    ),
    Rule(
        "haproxy-cuts-drained",
        Weight.ADVICE,
        "HAProxy: `http-check disable-on-404`",
        "a planned stop takes the node down instead of draining it: transactions that are open are cut off",
        each_section(_cuts_drained),
    ),
)
