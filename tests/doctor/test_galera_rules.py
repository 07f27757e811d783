"""The doctor's rules about Galera and the data: red on a real server with that fault, silent on a good one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from doctor.looking import look, of_rule, without_root
from loopback import Node
from xha.core.doctor import data_rules, galera_rules
from xha.core.doctor.findings import Weight

NAMES = [rule.name for rule in (*galera_rules.RULES, *data_rules.RULES)]


@contextlib.contextmanager
def changed(node: Node, statements: Sequence[str], mended: Sequence[str]) -> Iterator[None]:
    """While the block runs, the server has what the first statements make of it."""
    try:
        for one in statements:
            node.sql(one)
        yield
    finally:
        for one in mended:
            node.sql(one)


def test_a_good_server_is_silent(good: Node) -> None:
    came_to = look(good)
    assert [one for one in came_to.findings if set(one.rules) & set(NAMES)] == []
    assert set(NAMES) <= set(came_to.fine)


STARTED = {
    "cluster-address": ("nowhere.invalid does not resolve on this host", "correct it, DNS or /etc/hosts"),
    "member-count": ("names 2 members", "garbd"),
    "gcache-recover": ("gcache.recover = no", "gcache.recover=yes"),
}


@pytest.mark.parametrize("name", STARTED)
def test_what_a_start_has_set_is_told(bad: Node, name: str) -> None:
    (found,) = of_rule(look(bad), name)
    assert STARTED[name][0] in found.seen
    assert STARTED[name][1] in found.write


OPTION = "SET GLOBAL wsrep_provider_options = "
USER = "CREATE OR REPLACE USER xha@localhost IDENTIFIED VIA unix_socket"
GRANTS = ("GRANT SELECT, INSERT, UPDATE ON xha.canary TO xha@localhost", "GRANT PROCESS ON *.* TO xha@localhost")
# The rule, what makes the fault, what takes it back, what is seen, and what is written.
FAULTS = [
    (
        "evs-timeouts",
        [f"{OPTION}'evs.inactive_timeout=PT40S'"],
        [f"{OPTION}'evs.inactive_timeout=PT15S'"],
        ("evs.inactive_timeout = 40 s", "hang_grace=55s"),
    ),
    (
        "evs-timeouts",
        [f"{OPTION}'evs.join_retrans_period=PT2S'"],
        [f"{OPTION}'evs.join_retrans_period=PT1S'"],
        ("evs.join_retrans_period = 2 s", "evs.join_retrans_period=PT0.5S"),
    ),
    (
        "sst-method",
        ["SET GLOBAL wsrep_sst_method = 'xtrabackup-v2'"],
        ["SET GLOBAL wsrep_sst_method = 'rsync'"],
        ("this host has no xtrabackup", "apt-get install percona-xtrabackup-80"),
    ),
    (
        "sst-account",
        ["SET GLOBAL wsrep_sst_method = 'mariabackup'"],
        ["SET GLOBAL wsrep_sst_method = 'rsync'"],
        ("wsrep_sst_auth is empty", "wsrep_sst_auth = mysql:"),
    ),
    (
        "node-address",
        ["SET GLOBAL wsrep_node_address = '192.0.2.77'"],
        ["SET GLOBAL wsrep_node_address = '{address}'"],
        ("wsrep_node_address = 192.0.2.77", "wsrep_node_address = THE-ADDRESS"),
    ),
    ("check-account", ["DROP USER xha@localhost"], [USER, *GRANTS], ("no account xha", "CREATE USER xha@localhost")),
    (
        "check-privileges",
        ["GRANT ALL PRIVILEGES ON *.* TO xha@localhost"],
        [USER, *GRANTS],
        ("'xha'@'localhost' has ALL PRIVILEGES", "REVOKE ALL PRIVILEGES"),
    ),
    (
        "check-connections",
        ["ALTER USER xha@localhost WITH MAX_USER_CONNECTIONS 2"],
        ["ALTER USER xha@localhost WITH MAX_USER_CONNECTIONS 0"],
        ("may have 2 connections", "MAX_USER_CONNECTIONS 10"),
    ),
    (
        "anonymous-account",
        ["CREATE USER ''@'nowhere.invalid'"],
        ["DROP USER ''@'nowhere.invalid'"],
        ("without a name, ''@'nowhere.invalid'", "DROP USER ''@'nowhere.invalid'"),
    ),
    (
        "commit-probe",
        ["RENAME TABLE xha.canary TO xha.bird"],
        ["RENAME TABLE xha.bird TO xha.canary"],
        ("no table xha.canary", "CREATE TABLE xha.canary"),
    ),
    (
        "commit-probe",
        ["ALTER TABLE xha.canary DROP PRIMARY KEY"],
        ["ALTER TABLE xha.canary ADD PRIMARY KEY (node)"],
        ("ENGINE=innodb and PRIMARY KEY (none)", "CREATE TABLE xha.canary"),
    ),
    (
        "commit-probe",
        ["REVOKE INSERT ON xha.canary FROM xha@localhost"],
        GRANTS,
        ("may not INSERT in xha.canary", "GRANT SELECT, INSERT, UPDATE ON xha.canary TO 'xha'@'localhost'"),
    ),
    (
        "commit-probe",
        ["REVOKE PROCESS ON *.* FROM xha@localhost"],
        GRANTS,
        ("has no PROCESS", "GRANT PROCESS ON *.* TO 'xha'@'localhost'"),
    ),
    (
        "primary-key",
        ["CREATE DATABASE shop", "CREATE TABLE shop.orders (a INT) ENGINE=InnoDB"],
        ["DROP DATABASE shop"],
        ("without a primary key: shop.orders", "ALTER TABLE shop.orders ADD COLUMN id"),
    ),
    (
        "engine",
        ["CREATE DATABASE shop", "CREATE TABLE shop.log (a INT PRIMARY KEY) ENGINE=MyISAM"],
        ["DROP DATABASE shop"],
        ("not InnoDB: shop.log (MyISAM)", "ALTER TABLE shop.log ENGINE=InnoDB"),
    ),
]


@pytest.mark.parametrize(("name", "fault", "mended", "told"), FAULTS)
def test_a_fault_is_told_by_its_rule(
    good: Node, name: str, fault: Sequence[str], mended: Sequence[str], told: tuple[str, str]
) -> None:
    with changed(good, fault, [one.replace("{address}", good.address) for one in mended]):
        came_to = look(good)
    found = of_rule(came_to, name)
    assert found, came_to.findings
    assert found[0].weight is not Weight.UNSEEN
    assert told[0] in found[0].seen
    assert told[1] in found[0].write
    assert found[0].why


def test_more_is_written_than_the_cache_holds_for_an_hour(bad: Node) -> None:
    bad.sql("CREATE DATABASE IF NOT EXISTS big")
    bad.sql("CREATE TABLE IF NOT EXISTS big.rows (id INT PRIMARY KEY AUTO_INCREMENT, text LONGBLOB)")
    for _ in range(8):
        bad.sql("INSERT INTO big.rows (text) VALUES (REPEAT('x', 1048576))")
    (found,) = of_rule(look(bad), "gcache-window")
    assert "gcache.size = 16 MiB" in found.seen
    assert "gcache.size=" in found.write


def test_root_cannot_log_in_by_the_socket(bad: Node) -> None:
    password = "a-secret"
    bad.sql("ALTER USER root@localhost IDENTIFIED BY %s", password)
    try:
        came_to = look(bad)
    finally:
        with contextlib.closing(bad.connect(password=password)) as root, root.cursor() as cursor:
            cursor.execute("ALTER USER root@localhost IDENTIFIED BY ''")
    (found,) = of_rule(came_to, "root-login")
    assert found.weight is Weight.HARM
    assert "Access denied" in found.seen
    assert password not in str(came_to)
    (unseen,) = of_rule(came_to, "engine")
    assert unseen.weight is Weight.UNSEEN


def test_an_account_that_may_nothing_sees_no_tables_and_says_so(good: Node, tmp_path: Path) -> None:
    good.create_account("poor@localhost", "IDENTIFIED BY 'p'")
    conf = tmp_path / "client.cnf"
    conf.write_text("[client]\nuser=poor\npassword=p\n")
    came_to = without_root(good, conf)
    for name in ("engine", "primary-key", "check-account", "root-login"):
        (found,) = of_rule(came_to, name)
        assert found.weight is Weight.UNSEEN, found
        assert "root on the server's host" in found.write
    assert {"binlog-format", "doublewrite"} <= set(came_to.fine)
