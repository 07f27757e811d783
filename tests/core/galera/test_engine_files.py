"""Which names a creation makes."""

from __future__ import annotations

import pytest

from xha.core.galera.engine_files import is_made, is_of_users, may_be_schema

MADE = """
    mysql performance_schema sys #innodb_redo #innodb_temp ibdata1 ibdata12 ibtmp1 ib_logfile0 ib_logfile101 undo001
    undo_002 ib_buffer_pool ib_buffer_pool.incomplete ib_16384_0.dblwr #ib_16384_1.dblwr mysql.ibd aria_log.00000001
    aria_log_control tc.log ddl_recovery.log ddl_recovery-backup.log mysql_upgrade_info mariadb_upgrade_info auto.cnf
"""
# What a state transfer, an operator, a server that serves, or xha makes.
OTHERS = """
    shop test lost+found .ssh .xha-creating grastate.dat gvwstate.dat galera.cache xha-node.json sst_in_progress ca.pem
    server-key.pem mysql-bin.000001 mysql-bin.index multi-master.info h1.err h1.pid debian-10.11.flag ibdata aria_log
    ibdata1.bak undo01 mysql.ibd.old shop.ibd #rocksdb
"""


@pytest.mark.parametrize("name", MADE.split())
def test_what_a_creation_makes(name: str) -> None:
    assert is_made(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_what_no_creation_makes(name: str) -> None:
    assert not is_made(name)


def test_the_name_of_a_tablespace_is_that_of_the_options() -> None:
    assert not is_made("system1")
    assert is_made("system1", ("/srv/db/system1",))


@pytest.mark.parametrize(
    ("path", "users"),
    [
        pytest.param("shop/orders.ibd", True, id="a table"),
        pytest.param("shop/db.opt", True, id="a schema that somebody made"),
        pytest.param("backup/dump.sql", True, id="whatever it is, somebody put it there"),
        pytest.param("mysql/user.frm", False, id="the system's"),
        pytest.param("#rocksdb/1.sst", False, id="an engine's"),
        pytest.param(".ssh/known_hosts", False, id="an account's"),
        pytest.param("test/db.opt", False, id="test, as mysql_install_db makes it"),
        pytest.param("test/t.frm", True, id="a table in test"),
        pytest.param("tmp/ibXy1234", False, id="a temporary file that a killed server left"),
        pytest.param("tmp/#sql-temptable-12.MAI", False, id="a temporary table"),
        pytest.param("tmp/t.MYI", True, id="a schema that is called tmp"),
        pytest.param("undo/undo001", False, id="in a directory that the options name"),
        pytest.param("undo/t.ibd", True, id="a table in it"),
    ],
)
def test_what_is_of_users(path: str, users: bool) -> None:
    directory, _, file = path.partition("/")
    assert (may_be_schema(directory) and is_of_users(directory, file, frozenset({"undo"}))) is users
