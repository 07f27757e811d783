"""Rules about what HAProxy asks of a database, and what it makes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.http_expectation import Taken, take_status
from .findings import Rule, Symptom, Weight
from .unseen import Unlooked, Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..config.haproxy_cfg import BalancedServer, Proxy
    from .facts import DoctorFacts

_HTTPCHK = "option httpchk GET /"


def database_sections(facts: DoctorFacts) -> Iterator[tuple[Proxy, str]]:
    """Yield each section with servers of the database, and where it is. :raises Unlooked: without any."""
    file = require(facts.haproxy)
    found = [one for one in file.proxies if one.kind != "frontend" and _is_database(one, facts)]
    if not found:
        raise Unlooked(
            Unseen(
                f"{file.path} has no section whose servers have the database's port, {facts.sql_port}",
                "--haproxy FILE with the file of the HAProxy that serves the database",
            )
        )
    for one in found:
        yield one, f"{one} of {file.path}"


def _is_database(proxy: Proxy, facts: DoctorFacts) -> bool:
    check = proxy.check
    if check is not None and check.words[1] == "mysql-check":
        return True
    return any(server.port == facts.sql_port for server in proxy.servers)


def checked_servers(proxy: Proxy) -> Iterator[BalancedServer]:
    """Yield the servers that are checked."""
    return (one for one in proxy.servers if one.has("check"))


def _check_port(proxy: Proxy, server: BalancedServer) -> int | None:
    connected = proxy.last("http-check", "connect") or proxy.last("tcp-check", "connect")
    if connected and "port" in connected.words[:-1]:
        text = connected.words[connected.words.index("port") + 1]
    else:
        text = server.options.get("port", str(server.port or ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _unchecked(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        for one in proxy.servers:
            if not one.has("check") and not one.has("track") and not one.has("disabled"):
                yield Symptom(
                    f"server {one.name} (line {one.line}) in {where} has no check",
                    f"server {one.name} {one.host}:{one.port} check port {facts.config.responder.port}   in {proxy}",
                )


def _wrong_port(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        for one in checked_servers(proxy):
            if _check_port(proxy, one) == one.port:
                yield Symptom(
                    f"server {one.name} (line {one.line}) in {where} is checked at the database's own port, {one.port}",
                    f"server {one.name} {one.host}:{one.port} check port {facts.config.responder.port}   in {proxy}, "
                    f"and {_HTTPCHK}",
                )


def _no_question(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        check = proxy.check
        asks = check is not None and (check.words[1] != "tcp-check" or proxy.having("tcp-check", "expect"))
        ports = [one for one in checked_servers(proxy) if _check_port(proxy, one) != one.port]
        if not asks and ports:
            yield Symptom(
                f"{where}: its checks connect to port {_check_port(proxy, ports[0])}, and ask nothing",
                f"{_HTTPCHK}   in {proxy}",
            )


def _expects(facts: DoctorFacts, status: int) -> Iterator[tuple[Proxy, str, Taken]]:
    for proxy, where in database_sections(facts):
        check = proxy.check
        if check is None or check.words[1] != "httpchk" or not any(checked_servers(proxy)):
            continue
        taken = take_status(proxy, status)
        if taken is Taken.UNKNOWN:
            raise Unlooked(
                Unseen(
                    f"{where}: whether it takes {status} for good depends on a text (http-check expect)",
                    "http-check expect status 200, or none",
                )
            )
        yield proxy, where, taken


def _takes_503(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where, taken in _expects(facts, 503):
        if taken is not Taken.DOWN:
            yield Symptom(f"{where} takes 503 for a server that is up (http-check expect)", _expect(proxy))


def _refuses_200(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where, taken in _expects(facts, 200):
        if taken is not Taken.UP:
            yield Symptom(f"{where} takes 200 for a server that is down (http-check expect)", _expect(proxy))


def _expect(proxy: Proxy) -> str:
    return f"http-check expect status 200   in {proxy}, in the place of its own http-check expect"


def _keeps_drained(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where, taken in _expects(facts, 404):
        if taken is Taken.UP:
            yield Symptom(
                f"{where} takes 404, which a node that drains answers, for a server that is up",
                f"http-check disable-on-404   in {proxy}",
            )


def _cuts_drained(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where, taken in _expects(facts, 404):
        if taken is Taken.DOWN:
            yield Symptom(
                f"{where} takes 404, which a node that drains answers, for a server that is down",
                f"http-check disable-on-404   in {proxy}",
            )


RULES: Iterable[Rule] = (
    Rule(
        "haproxy-unchecked",
        Weight.HARM,
        "HAProxy: `check` of each server",
        "clients are sent to a node that is down, joining or out of the cluster",
        _unchecked,
    ),
    Rule(
        "haproxy-check-port",
        Weight.HARM,
        "HAProxy: the port of each check",
        "a node that hangs, or has lost the majority, still accepts connections there: it stays up",
        _wrong_port,
    ),
    Rule(
        "haproxy-connect-only",
        Weight.HARM,
        "HAProxy: `option httpchk`",
        "the responder accepts the connection also to say 503: every node is always up",
        _no_question,
    ),
    Rule(
        "haproxy-takes-503",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 503",
        "a broken node stays up and gets traffic",
        _takes_503,
    ),
    Rule(
        "haproxy-refuses-200",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 200",
        "every node is down",
        _refuses_200,
    ),
    Rule(
        "haproxy-keeps-drained",
        Weight.HARM,
        "HAProxy: `http-check expect`, against 404",
        "a planned stop, and xha-check drain, send no client away: the stop cuts new connections off",
        _keeps_drained,
    ),
    Rule(
        "haproxy-cuts-drained",
        Weight.ADVICE,
        "HAProxy: `http-check disable-on-404`",
        "a planned stop takes the node down instead of draining it: transactions that are open are cut off",
        _cuts_drained,
    ),
)
