"""Rules about HAProxy's times and limits for the database, and about its sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.http_expectation import ask_paths
from .findings import Rule, Symptom, Weight
from .haproxy_asking import WRITER_PATH, each_section
from .unseen import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..config.haproxy_cfg import BalancedServer
    from .facts import DoctorFacts
    from .haproxy_asking import Section

# HAProxy's own, where a server says nothing (section 5.2).
_INTER, _FALL = 2.0, 3
# How long clients wait for a node that is gone, in seconds, before it is worth a word.
_LATE = 15.0


def _too_short(facts: DoctorFacts, section: Section) -> Iterator[Symptom]:
    deadline = facts.config.responder.deadline
    limit = section.proxy.timeout("check")
    for one in section.checked:
        seconds = limit if limit is not None else one.seconds("inter") or _INTER
        if seconds <= deadline:
            named = "timeout check" if limit is not None else "inter, where there is no timeout check"
            yield Symptom(
                f"{section.where}: server {one.name} gets {seconds:g} s for a check ({named}), and [responder] "
                f"deadline in xha.conf is {deadline:g} s",
                f"timeout check {_round(2 * deadline + 1)}s   in {section.proxy}",
            )
            break


def _round(seconds: float) -> int:
    return int(seconds) + (seconds > int(seconds))


def _late(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    limit = section.proxy.timeout("check")
    for one in section.checked:
        inter, fall = one.seconds("inter") or _INTER, _fall(one)
        between = one.seconds("fastinter") or inter
        takes = inter + (fall - 1) * between + fall * (min(limit, inter) if limit is not None else 0)
        if takes > _LATE:
            yield Symptom(
                f"{section.where}: server {one.name} is down up to {takes:g} s after it hangs (inter {inter:g} s, fall "
                f"{fall}, timeout check {'unset' if limit is None else f'{limit:g} s'})",
                f"default-server inter 2s fastinter 500ms fall 2 rise 2   in {section.proxy}, and timeout check 3s",
            )
            break


def _fall(server: BalancedServer) -> int:
    fall = server.number("fall")
    return _FALL if fall is None else fall


def _one_fall(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    for one in section.checked:
        if _fall(one) < 2:
            yield Symptom(f"{section.where}: {one} has fall {_fall(one)}", f"fall 2   in {section.proxy}")
            break


def _sessions_stay(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    stay = [one.name for one in section.proxy.servers if one.text("on-marked-down") != "shutdown-sessions"]
    if stay:
        yield Symptom(
            f"{section.where}: {', '.join(stay)} without on-marked-down shutdown-sessions",
            f"default-server on-marked-down shutdown-sessions   in {section.proxy}, above its servers",
        )


def _asks_for_writer(section: Section) -> bool:
    check = section.proxy.check
    return check is not None and check.words[1] == "httpchk" and WRITER_PATH in ask_paths(section.proxy)


def _many_writers(_: DoctorFacts, section: Section) -> Iterator[Symptom]:
    servers = [one for one in section.proxy.servers if not one.has("disabled")]
    active = [one.name for one in servers if not one.has("backup")]
    spares = [one.name for one in servers if one.has("backup")]
    spares_too = len(spares) > 1 and section.proxy.having("option", "allbackups")
    if (len(active) > 1 or spares_too) and _asks_for_writer(section):
        return  # one node alone is up there, whatever the order of the servers
    if len(active) > 1:
        yield Symptom(
            f"{section.where} spreads clients over {', '.join(active)}",
            f"backup   behind each server but {active[0]} in {section.proxy}, unless it is for reads alone",
        )
    if spares_too:
        yield Symptom(
            f"{section.where} spreads clients over {', '.join(spares)} once {', '.join(active) or 'no other one'} is "
            "down (option allbackups)",
            f"no option allbackups   in {section.proxy}, unless it is for reads alone",
        )


def _too_many(facts: DoctorFacts, section: Section) -> Iterator[Symptom]:
    limit = require(facts.server).number("max_connections")
    for one in section.proxy.servers:
        most = one.number("maxconn")
        if most is not None and most > limit:
            yield Symptom(
                f"{section.where}: server {one.name} has maxconn {most}, and the database max_connections = {limit}",
                f"maxconn {max(1, limit - 10)}   at server {one.name} in {section.proxy}; or a larger max_connections",
            )


RULES: Iterable[Rule] = (
    Rule(
        "haproxy-timeout",
        Weight.HARM,
        "HAProxy: `timeout check` and `inter`, against [responder] deadline",
        "a slow answer counts as none: a busy node is taken out, and its load falls on the next one",
        each_section(_too_short),
    ),
    Rule(
        "haproxy-late",
        Weight.ADVICE,
        "HAProxy: `inter`, `fastinter`, `fall`, `timeout check`",
        "clients are sent to a node that hangs for so long",
        each_section(_late),
    ),
    Rule(
        "haproxy-fall",
        Weight.ADVICE,
        "HAProxy: `fall`",
        "one lost packet takes a node out, and ends all of its sessions",
        each_section(_one_fall),
    ),
    Rule(
        "haproxy-sessions",
        Weight.HARM,
        "HAProxy: `on-marked-down shutdown-sessions`",
        "clients of a node that hangs or lost the majority wait on their old connections, up to `timeout server`",
        each_section(_sessions_stay),
    ),
    Rule(
        "haproxy-writers",
        Weight.ADVICE,
        "HAProxy: `backup` of all servers but one",
        "transactions of two nodes that meet are refused at commit (1213), which many applications do not expect",
        each_section(_many_writers),
    ),
    Rule(
        "haproxy-maxconn",
        Weight.ADVICE,
        "HAProxy: `maxconn` of each server, against max_connections",
        "HAProxy hands on connections that the database refuses, instead of queueing them",
        each_section(_too_many),
    ),
)
