"""The doctor's rules about a server: red on a real one with that fault, silent on a good one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from doctor.looking import look, look_at, of_rule
from loopback import Node
from xha.core.doctor import server_rules
from xha.core.doctor.findings import Weight

NAMES = [rule.name for rule in server_rules.RULES]


def test_a_good_server_is_silent(good: Node) -> None:
    came_to = look(good)
    assert [one for one in came_to.findings if set(one.rules) & set(NAMES)] == []
    assert set(NAMES) <= set(came_to.fine)


STARTED = {
    "doublewrite": ("innodb_doublewrite = OFF", "innodb_doublewrite = ON "),
    "autoinc-lock-mode": ("innodb_autoinc_lock_mode = 1", "innodb_autoinc_lock_mode = 2 "),
    "log-slave-updates": ("log_slave_updates = OFF", "log_slave_updates = ON "),
    "bind-address": ("skip_networking = ON", "skip_networking = OFF "),
    "cluster-name": ("wsrep_cluster_name = my_wsrep_cluster", "wsrep_cluster_name = "),
}


@pytest.mark.parametrize("name", STARTED)
def test_what_a_start_has_set_is_told(bad: Node, name: str) -> None:
    seen, write = STARTED[name]
    (found,) = of_rule(look(bad), name)
    assert seen in found.seen
    assert str(bad.socket) in found.seen
    assert found.write.startswith(write)


# The statement that makes the fault, the one that takes it back, and what is told.
SET = {
    "flush-log": ("innodb_flush_log_at_trx_commit = 2", "innodb_flush_log_at_trx_commit = 1"),
    "replication-off": ("wsrep_on = OFF", "wsrep_on = ON"),
    "open-files": ("table_open_cache = 524288", "table_open_cache = 20"),
    "ignored-quorum": (
        "wsrep_provider_options = 'pc.ignore_sb=true'",
        "wsrep_provider_options = 'pc.ignore_sb=false'",
    ),
}


@pytest.mark.parametrize("name", SET)
def test_what_is_set_while_it_runs_is_told(good: Node, name: str) -> None:
    fault, mended = SET[name]
    good.sql(f"SET GLOBAL {fault}")
    try:
        (found,) = of_rule(look(good), name)
    finally:
        good.sql(f"SET GLOBAL {mended}")
    assert found.weight is next(rule.weight for rule in server_rules.RULES if rule.name == name)
    assert of_rule(look(good), name) == []
    if "SET GLOBAL" in found.write:
        assert f"SET GLOBAL {mended}" in found.write


def test_rows_only_are_replicated(good: Node) -> None:
    """MariaDB refuses another format while it replicates: so this is what one without Galera is turned into."""
    good.sql("SET GLOBAL wsrep_on = OFF")
    try:
        good.sql("SET GLOBAL binlog_format = MIXED")
        (found,) = of_rule(look(good), "binlog-format")
        assert "SET GLOBAL binlog_format = ROW" in found.write
    finally:
        good.sql("SET GLOBAL binlog_format = ROW")
        good.sql("SET GLOBAL wsrep_on = ON")
    assert of_rule(look(good), "binlog-format") == []


def test_nearly_no_connection_was_left(good: Node) -> None:
    before = good.sql("SELECT @@max_connections")[0][0]
    with contextlib.ExitStack() as stack:
        stack.callback(good.sql, f"SET GLOBAL max_connections = {before}")
        good.sql("SET GLOBAL max_connections = 10")
        for _ in range(9):
            stack.enter_context(contextlib.closing(good.connect()))
        (found,) = of_rule(look(good), "connections")
    assert "max_connections = 20 " in found.write


def test_a_server_that_is_not_there_leaves_every_rule_unseen(tmp_path: Path) -> None:
    came_to = look_at(tmp_path / "no.sock")
    assert not set(came_to.fine) & set(NAMES)
    for name in NAMES:
        (found,) = of_rule(came_to, name)
        assert found.weight is Weight.UNSEEN
        assert found.write
