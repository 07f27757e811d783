"""Rules about HAProxy's times and limits for the database, and about its sessions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .findings import Rule, Symptom, Weight
from .haproxy_asking import checked_servers, database_sections
from .unseen import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..config.haproxy_cfg import BalancedServer
    from .facts import DoctorFacts

# HAProxy's own, where a server says nothing (section 5.2).
_INTER, _FALL = 2.0, 3
# How long clients wait for a node that is gone, in seconds, before it is worth a word.
_LATE = 15.0


def _too_short(facts: DoctorFacts) -> Iterator[Symptom]:
    deadline = facts.config.responder.deadline
    for proxy, where in database_sections(facts):
        limit = proxy.timeout("check")
        for one in checked_servers(proxy):
            seconds = limit if limit is not None else one.seconds("inter") or _INTER
            if seconds <= deadline:
                named = "timeout check" if limit is not None else "inter, where there is no timeout check"
                yield Symptom(
                    f"{where}: server {one.name} gets {seconds:g} s for a check ({named}), and [responder] deadline in "
                    f"xha.conf is {deadline:g} s",
                    f"timeout check {_round(2 * deadline + 1)}s   in {proxy}",
                )
                break


def _round(seconds: float) -> int:
    return int(seconds) + (seconds > int(seconds))


def _late(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        for one in checked_servers(proxy):
            inter, fall = one.seconds("inter") or _INTER, _fall(one)
            between = one.seconds("fastinter") or inter
            limit = proxy.timeout("check")
            takes = inter + (fall - 1) * between + fall * (min(limit, inter) if limit is not None else 0)
            if takes > _LATE:
                yield Symptom(
                    f"{where}: server {one.name} is down up to {takes:g} s after it hangs (inter {inter:g} s, fall "
                    f"{fall}, timeout check {'unset' if limit is None else f'{limit:g} s'})",
                    f"default-server inter 2s fastinter 500ms fall 2 rise 2   in {proxy}, and timeout check 3s",
                )
                break


def _fall(server: BalancedServer) -> int:
    # As HAProxy reads it (atol): the guide's `fall 2s` is 2.
    found = re.match(r"[0-9]{1,6}", server.options.get("fall", ""))
    return int(found[0]) if found else _FALL


def _one_fall(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        for one in checked_servers(proxy):
            if _fall(one) < 2:
                yield Symptom(
                    f"{where}: server {one.name} (line {one.line}) has fall {_fall(one)}", f"fall 2   in {proxy}"
                )
                break


def _sessions_stay(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        stay = [one.name for one in proxy.servers if one.options.get("on-marked-down") != "shutdown-sessions"]
        if stay:
            yield Symptom(
                f"{where}: {', '.join(stay)} without on-marked-down shutdown-sessions",
                f"default-server on-marked-down shutdown-sessions   in {proxy}, above its servers",
            )


def _many_writers(facts: DoctorFacts) -> Iterator[Symptom]:
    for proxy, where in database_sections(facts):
        active = [one.name for one in proxy.servers if not one.has("backup") and not one.has("disabled")]
        if len(active) > 1:
            yield Symptom(
                f"{where} spreads clients over {', '.join(active)}",
                f"backup   behind each server but {active[0]} in {proxy}, unless it is for reads alone",
            )


def _too_many(facts: DoctorFacts) -> Iterator[Symptom]:
    limit = require(facts.server).number("max_connections")
    for proxy, where in database_sections(facts):
        for one in proxy.servers:
            text = one.options.get("maxconn", "")
            if text.isdigit() and int(text[:9]) > limit:
                yield Symptom(
                    f"{where}: server {one.name} has maxconn {text}, and the database max_connections = {limit}",
                    f"maxconn {max(1, limit - 10)}   at server {one.name} in {proxy}; or a larger max_connections",
                )


RULES: Iterable[Rule] = (
    Rule(
        "haproxy-timeout",
        Weight.HARM,
        "HAProxy: `timeout check` and `inter`, against [responder] deadline",
        "a slow answer counts as none: a busy node is taken out, and its load falls on the next one",
        _too_short,
    ),
    Rule(
        "haproxy-late",
        Weight.ADVICE,
        "HAProxy: `inter`, `fastinter`, `fall`, `timeout check`",
        "clients are sent to a node that hangs for so long",
        _late,
    ),
    Rule(
        "haproxy-fall",
        Weight.ADVICE,
        "HAProxy: `fall`",
        "one lost packet takes a node out, and ends all of its sessions",
        _one_fall,
    ),
    Rule(
        "haproxy-sessions",
        Weight.HARM,
        "HAProxy: `on-marked-down shutdown-sessions`",
        "clients of a node that hangs or lost the majority wait on their old connections, up to `timeout server`",
        _sessions_stay,
    ),
    Rule(
        "haproxy-writers",
        Weight.ADVICE,
        "HAProxy: `backup` of all servers but one",
        "transactions of two nodes that meet are refused at commit (1213), which many applications do not expect",
        _many_writers,
    ),
    Rule(
        "haproxy-maxconn",
        Weight.ADVICE,
        "HAProxy: `maxconn` of each server, against max_connections",
        "HAProxy hands on connections that the database refuses, instead of queueing them",
        _too_many,
    ),
)
