"""Rules about the settings of this host's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..node.warnings import name_loopback
from .findings import Rule, Symptom, Weight
from .unseen import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .facts import DoctorFacts, ServerFacts

# The section of the server's option file that a line belongs into.
_FILE = "[mysqld] of the server's option file, on every host"


def _setting(server: ServerFacts, name: str, line: str, *, live: bool = False) -> Symptom:
    """Return the symptom of a variable. live: whether SET GLOBAL changes it in the running server."""
    write = f"{line}   in {_FILE}"
    if live:
        write += f"; and now: SET GLOBAL {line}"
    return Symptom(f"{name} = {server.variables.get(name, '')} at {server.where}", write)


def _flush(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.number("innodb_flush_log_at_trx_commit") not in (1, 3):
        name = "innodb_flush_log_at_trx_commit"
        yield _setting(server, name, f"{name} = 1", live=True)


def _doublewrite(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if not server.is_on("innodb_doublewrite"):
        yield _setting(server, "innodb_doublewrite", "innodb_doublewrite = ON")


def _binlog_format(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.text("binlog_format").upper() != "ROW":
        yield _setting(server, "binlog_format", "binlog_format = ROW", live=True)


def _autoinc(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.number("innodb_autoinc_lock_mode") != 2:
        yield _setting(server, "innodb_autoinc_lock_mode", "innodb_autoinc_lock_mode = 2")


def _slave_updates(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    name = "log_slave_updates" if "log_slave_updates" in server.variables else "log_replica_updates"
    if server.is_on("log_bin") and not server.is_on(name):
        yield _setting(server, name, f"{name} = ON")


def _replication(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.text("wsrep_provider") in ("", "none"):
        yield _setting(server, "wsrep_provider", "wsrep_provider = /usr/lib/galera/libgalera_smm.so")
    elif "wsrep_on" in server.variables and not server.is_on("wsrep_on"):
        yield _setting(server, "wsrep_on", "wsrep_on = ON", live=True)


def _quorum(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    for name in ("pc.ignore_quorum", "pc.ignore_sb"):
        if server.option(name).lower() in ("true", "yes", "on", "1"):
            yield Symptom(
                f"{name} = {server.option(name)} in wsrep_provider_options at {server.where}",
                f"wsrep_provider_options without {name}   in {_FILE}; and now: "
                f"SET GLOBAL wsrep_provider_options = '{name}=false'",
            )


def _default_name(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.text("wsrep_cluster_name") in ("", "my_wsrep_cluster"):
        yield _setting(server, "wsrep_cluster_name", "wsrep_cluster_name = A-NAME-OF-ITS-OWN")


def _listens(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    if server.is_on("skip_networking"):
        yield _setting(server, "skip_networking", "skip_networking = OFF")
    if name_loopback(server.text("bind_address")):
        yield _setting(server, "bind_address", f"bind_address = {server.variables.get('wsrep_node_address') or '*'}")


def _open_files(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    limit, connections = server.number("open_files_limit"), server.number("max_connections")
    # As the server itself reckons what it would like (mysqld.cc: wanted_files).
    wanted = max(10 + connections + 2 * server.number("table_open_cache"), 5 * connections)
    if limit and limit < wanted:
        yield Symptom(
            f"open_files_limit = {limit} at {server.where}, and table_open_cache and max_connections want {wanted}",
            f"open_files_limit = {wanted}   in {_FILE}; and LimitNOFILE={wanted} below [Scope] in "
            "/etc/systemd/system/xha-RESOURCE-.scope.d/limits.conf",
        )


def _connections(facts: DoctorFacts) -> Iterator[Symptom]:
    server = require(facts.server)
    limit, most = server.number("max_connections"), server.count("max_used_connections")
    if most >= 0.9 * limit:
        yield Symptom(
            f"max_connections = {limit}, of which {most} have been in use at once, at {server.where}",
            f"max_connections = {2 * limit}   in {_FILE}; and now: SET GLOBAL max_connections = {2 * limit}",
        )


RULES: Iterable[Rule] = (
    Rule(
        "replication-off",
        Weight.HARM,
        "wsrep_on, wsrep_provider",
        "the server takes writes that no other member ever gets",
        _replication,
    ),
    Rule(
        "binlog-format",
        Weight.HARM,
        "binlog_format",
        "Galera replicates rows only; with another format the members' data drift apart or a member leaves the group",
        _binlog_format,
    ),
    Rule(
        "autoinc-lock-mode",
        Weight.HARM,
        "innodb_autoinc_lock_mode",
        "appliers and clients wait for each other's table lock, which ends in deadlocks that stop a member",
        _autoinc,
    ),
    Rule(
        "doublewrite",
        Weight.HARM,
        "innodb_doublewrite",
        "a power cut leaves half-written pages, and the node cannot start with its data; all hosts at once: no data",
        _doublewrite,
    ),
    Rule(
        "flush-log",
        Weight.ADVICE,
        "innodb_flush_log_at_trx_commit",
        "a power cut of all hosts loses up to a second of commits that clients were told are done",
        _flush,
    ),
    Rule(
        "log-slave-updates",
        Weight.ADVICE,
        "log_slave_updates, where there is a binary log",
        "the binary log lacks what other members commit: a replica of this node, and a point-in-time recovery, miss it",
        _slave_updates,
    ),
    Rule(
        "ignored-quorum",
        Weight.HARM,
        "pc.ignore_quorum, pc.ignore_sb",
        "both sides of a split network take writes, and one side's are lost",
        _quorum,
    ),
    Rule(
        "cluster-name",
        Weight.ADVICE,
        "wsrep_cluster_name",
        "it is the default: another cluster's node, wrongly addressed, joins this one and loses its data",
        _default_name,
    ),
    Rule(
        "bind-address",
        Weight.ADVICE,
        "bind_address, skip_networking",
        "HAProxy and applications on other hosts cannot reach the server",
        _listens,
    ),
    Rule(
        "open-files",
        Weight.ADVICE,
        "open_files_limit",
        "under load the server closes tables to open others, or fails with error 24",
        _open_files,
    ),
    Rule(
        "connections",
        Weight.ADVICE,
        "max_connections against the most that were in use",
        "the next peak is refused, and the checks with it: HAProxy then sees a node that denies every login",
        _connections,
    ),
)
