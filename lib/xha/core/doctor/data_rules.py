"""Rules about accounts and tables: the check's account, root's login, the table of the commit probe, users' tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config.xha_conf import DEFAULT_QUERY, ProbeSwitch
from .facts import parse_grant
from .findings import Rule, Symptom, Weight
from .unseen import Unlooked, Unseen, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .facts import DatabaseAccount, DoctorFacts

# A responder has up to three connections (reader, commit probe, a login that is tried), and a person looks beside it.
_LEAST_CONNECTIONS = 5
_MOST_NAMED = 5
_TABLE = (
    "CREATE DATABASE xha; CREATE TABLE xha.canary (node VARCHAR(255) NOT NULL PRIMARY KEY, at TIMESTAMP(3) NOT NULL) "
    "ENGINE=InnoDB"
)
# What a check needs, and what only tells of replication. Everything else is more: a whitelist, as new ones are added.
_NEEDED = {
    "*.*": frozenset(
        ("USAGE", "PROCESS", "REPLICATION CLIENT", "BINLOG MONITOR", "SLAVE MONITOR", "REPLICA MONITOR"),
    ),
    "xha.canary": frozenset(("USAGE", "SELECT", "INSERT", "UPDATE")),
    "xha.*": frozenset(("USAGE", "SELECT", "INSERT", "UPDATE")),
}


def _root(facts: DoctorFacts) -> Iterator[Symptom]:
    refused = require(facts.root_login)
    if refused:
        yield Symptom(
            f"root cannot log in by the server's socket: {refused}",
            "ALTER USER root@localhost IDENTIFIED VIA unix_socket; or an account in an option file (0600 root), and "
            "pcs resource update RESOURCE test_conf=FILE",
        )


def _check_accounts(facts: DoctorFacts) -> list[DatabaseAccount]:
    return [one for one in require(facts.accounts) if one.user == facts.check_user]


def _missing(facts: DoctorFacts) -> Iterator[Symptom]:
    user = facts.check_user
    if not _check_accounts(facts):
        yield Symptom(
            f"the server has no account {user}, as which the responder logs in",
            f"CREATE USER {user}@localhost IDENTIFIED VIA unix_socket",
        )


def _privileges(facts: DoctorFacts) -> Iterator[Symptom]:
    # A probe_query of one's own reads what it names: which tables that are is not parsed.
    own_query = facts.config.database.probe_query != DEFAULT_QUERY
    lacks = []
    for one in _some_accounts(facts):
        if one.user == "root":
            continue
        much, unclear = [], []
        for line in one.grants:
            grant = parse_grant(line)
            if grant is None:
                unclear.append(line)
                continue
            needed = _NEEDED.get(grant.on, frozenset())
            if own_query and not grant.on.endswith("*"):
                needed |= {"SELECT"}
            more = [name for name in grant.privileges if name not in needed]
            much += [f"{', '.join(more)} ON {grant.on}"] if more else []
        if much:
            yield Symptom(
                f"{one} has {'; '.join(much)}",
                f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {one}; GRANT PROCESS ON *.* TO {one}; GRANT SELECT, INSERT, "
                f"UPDATE ON xha.canary TO {one}",
            )
        if unclear:
            what = f"what {one} has by {', '.join(unclear)}"
            lacks.append(Unseen(what, f"privileges of its own: REVOKE the role FROM {one}, and GRANT what it needs"))
    if lacks:
        raise Unlooked(*lacks)


def _some_accounts(facts: DoctorFacts) -> list[DatabaseAccount]:
    """Return the check's accounts. :raises Unlooked: where there is none of that name."""
    accounts = _check_accounts(facts)
    if not accounts:
        raise Unlooked(Unseen(f"the account {facts.check_user}: the server has none", "the account (check-account)"))
    return accounts


def _few_connections(facts: DoctorFacts) -> Iterator[Symptom]:
    for one in _some_accounts(facts):
        if 0 < one.most_connections < _LEAST_CONNECTIONS:
            yield Symptom(
                f"{one} may have {one.most_connections} connections at once (MAX_USER_CONNECTIONS)",
                f"ALTER USER {one} WITH MAX_USER_CONNECTIONS 10",
            )


def _anonymous(facts: DoctorFacts) -> Iterator[Symptom]:
    for one in require(facts.accounts):
        if not one.user:
            yield Symptom(f"there is an account without a name, {one}", f"DROP USER {one}")


def _canary(facts: DoctorFacts) -> Iterator[Symptom]:
    tables = require(facts.tables)
    if facts.config.database.commit_probe is ProbeSwitch.OFF:
        yield Symptom("commit_probe = off in [database] of xha.conf", "commit_probe = auto   in [database] of xha.conf")
        return
    if not tables.canary:
        yield Symptom("there is no table xha.canary", _TABLE)
        return
    if tables.canary != ("innodb", "node"):
        engine, key = tables.canary
        yield Symptom(
            f"xha.canary has ENGINE={engine} and PRIMARY KEY ({key or 'none'})", f"DROP DATABASE xha; {_TABLE}"
        )
    for one in _check_accounts(facts):
        lacking = [name for name in ("SELECT", "INSERT", "UPDATE") if not one.may(name, "xha", "canary")]
        if lacking:
            yield Symptom(
                f"{one} may not {', '.join(lacking)} in xha.canary",
                f"GRANT SELECT, INSERT, UPDATE ON xha.canary TO {one}",
            )
        if not one.has("PROCESS"):
            yield Symptom(
                f"{one} has no PROCESS, and does not see what holds up a commit", f"GRANT PROCESS ON *.* TO {one}"
            )


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _keyless(facts: DoctorFacts) -> Iterator[Symptom]:
    tables = require(facts.tables)
    if tables.keyless:
        yield Symptom(
            f"without a primary key: {_named(tables.keyless)}",
            f"ALTER TABLE {tables.keyless[0]} ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST",
        )


def _engines(facts: DoctorFacts) -> Iterator[Symptom]:
    tables = require(facts.tables)
    if tables.others:
        yield Symptom(
            f"not InnoDB: {_named(tables.others)}", f"ALTER TABLE {tables.others[0].split()[0]} ENGINE=InnoDB"
        )


RULES: Iterable[Rule] = (
    Rule(
        "root-login",
        Weight.HARM,
        "root's login by the server's socket",
        "the agent can neither check nor stop the server properly",
        _root,
    ),
    Rule(
        "check-account",
        Weight.HARM,
        "the account of client.cnf, else xha: whether it is there",
        "every check ends with access-denied, and HAProxy takes the node out",
        _missing,
    ),
    Rule(
        "check-privileges",
        Weight.ADVICE,
        "the grants of that account",
        "whoever gets hold of a check can do more than to check",
        _privileges,
    ),
    Rule(
        "check-connections",
        Weight.HARM,
        "MAX_USER_CONNECTIONS of that account",
        "while one check hangs the next is refused, and the node is out although it works",
        _few_connections,
    ),
    Rule(
        "anonymous-account",
        Weight.ADVICE,
        "accounts without a name",
        "the server takes a login for the anonymous one if its host fits better, and refuses it then",
        _anonymous,
    ),
    Rule(
        "commit-probe",
        Weight.ADVICE,
        "xha.canary, its shape and its grants; commit_probe",
        "that the node commits nothing, as with a full disk, is not noticed (docs/commits.md)",
        _canary,
    ),
    Rule(
        "primary-key",
        Weight.ADVICE,
        "tables without a primary key",
        "appliers search the whole table for each row, so that one DELETE stops the cluster; members' rows may differ",
        _keyless,
    ),
    Rule(
        "engine",
        Weight.HARM,
        "tables that are not InnoDB",
        "Galera does not replicate them: each member has other rows",
        _engines,
    ),
)
