"""MariaDB and Percona with Galera: xha's own verdict, in the form of a service's result."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...config.xha_conf import Config
from ...node.verdict import Code, NagiosCode
from ..model.kind import Proof, Service
from ..model.result import Level, Result, cautioned, failed, passed, unknown

if TYPE_CHECKING:
    from ...node.verdict import Verdict
    from ..model.reach import Place


class MysqlSettings(NamedTuple):
    """The section of the database. Its address and policy are in [database] and [policy]."""

    name: str
    process: str
    deadline: float
    config: Config = Config()
    neighbours: tuple[Place, ...] = ()


# What the check lacks, by the verdicts that say nothing of the node; others are of its settings.
_NEEDS = {Code.ACCESS_DENIED: "an account that works", Code.TOO_MANY_CONNECTIONS: "a connection of its own"}


def judge_verdict(name: str, level: Level, verdict: Verdict, *, answered: bool) -> Result:
    """Return xha's verdict on the node as a result. answered: a query was, which is enough at level protocol.

    A refusal is no answer: `joining` may be a server that does not listen yet, and `maintenance` a login that is
    refused.
    """
    said = f"{verdict.code.value}: {verdict.message}"
    code = verdict.exit_code
    if code is NagiosCode.UNKNOWN:
        return unknown(name, level, f"needs {_NEEDS.get(verdict.code, 'other settings')}: {said}")
    if code is NagiosCode.OK:
        proved = "a query is answered" if level is Level.PROTOCOL else "the node is Synced and answers a query"
        return passed(name, level, proved)
    if level is Level.PROTOCOL and answered:
        return passed(name, level, f"the server answers: {verdict.code.value}")
    if code is NagiosCode.WARNING:
        return cautioned(name, level, said, proved="the server answers" if answered else "")
    return failed(name, level, said)


ROWS = (
    Service(
        "mysql",
        "MariaDB or Percona with Galera",
        "mysql",
        r"^(?:\S*/)?(?:mariadbd|mysqld)(?: |$)",
        MysqlSettings,
        {},
        {
            Level.PROCESS: Proof("a mariadbd or mysqld exists and is not stopped", "whether it answers anybody"),
            Level.PROTOCOL: Proof("a login is taken and a query answered", "whether the node may take part in Galera"),
            Level.DEEP: Proof(
                "the node is Synced in the primary component and answers a query: what HAProxy is told at /",
                "a write that hangs while frozen peers are not yet evicted",
                "the account in client.cnf ([database] of xha.conf)",
            ),
        },
        Level.DEEP,
        complete=lambda settings, config: settings._replace(config=config._replace(service_sections=())),
    ),
)
