"""Twelve ways to block commits, on real servers and real file systems (docs/commits.md has the table)."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pymysql
import pytest

from loopback import Cluster, Net, Node, wait_until
from loopback.disk import Disk
from loopback.galera import empty_datadir
from loopback.server_root import server_user
from responder.commit_probe import TABLE, prepare_commit_probe
from responder.conftest import MakeResponder
from responder.process import ACCOUNT, Responder
from xha.adapters.mysql.session import DEFINITION

# A frozen file system holds up everybody's sync(2).
pytestmark = pytest.mark.alone

# A second for a commit, as in production: a busy machine is late, but these servers are not slow.
IN_TIME = "deadline = 1s\nhang_reset = 10s\nstall_after = 5s"
LATE = 40.0
DURABLE = ("--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--log-slave-updates=ON")


def prepare(node: Node) -> None:
    """What the probe needs, and a table of an application."""
    prepare_commit_probe(node)
    node.sql("CREATE DATABASE IF NOT EXISTS app")
    node.sql("CREATE TABLE IF NOT EXISTS app.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, v TEXT) ENGINE=InnoDB")


class Writer:
    """An application that inserts a row again and again, and when its last one was acknowledged."""

    def __init__(self, node: Node) -> None:
        self._node, self._ended = node, threading.Event()
        self.last = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(pymysql.MySQLError):
                self._insert()
            time.sleep(0.1)

    def _insert(self) -> None:
        with contextlib.closing(self._node.connect()) as connection, connection.cursor() as cursor:
            while not self._ended.is_set():
                cursor.execute("INSERT INTO app.orders (v) VALUES (REPEAT('x', 200))")
                self.last = time.monotonic()
                time.sleep(0.01)

    def stands(self, seconds: float = 0.5) -> bool:
        return time.monotonic() - self.last > seconds

    def wait_stands(self) -> None:
        wait_until(self.stands, LATE, "no write is acknowledged")

    def wait_writes(self, seconds: float = 90) -> None:
        wait_until(lambda: not self.stands(0.3), seconds, "writes are acknowledged again")


def until(condition: Callable[[], bool], what: str, since: float, tell: Callable[[str], None]) -> None:
    """Wait for it, and tell how long it took from `since`."""
    wait_until(condition, LATE, what)
    tell(f"{what}: {time.monotonic() - since:.1f} s")


def commits(responder: Responder) -> dict[str, Any]:
    return dict(responder.node()["commits"])


def warnings(responder: Responder) -> str:
    return "; ".join(responder.node()["warnings"])


@pytest.fixture
def follow(make_responder: MakeResponder) -> Callable[[Node], Responder]:
    """Start a responder of a node, and wait until a commit of the node has been seen."""

    def start(node: Node) -> Responder:
        responder = make_responder(node, responder=IN_TIME)
        wait_until(lambda: responder.verdict() == (200, "synced") and commits(responder)["known"], LATE, "it commits")
        return responder

    return start


class Disks:
    """One node whose datadir, binary log, redo log and tmpdir are file systems of their own."""

    def __init__(self, net: Net, node: Node, disks: dict[str, Disk]) -> None:
        self.net, self.node, self.disks = net, node, disks


@pytest.fixture(scope="module")
def disks(net: Net) -> Iterator[Disks]:
    directory = net.directory / "disks"
    directory.mkdir()
    paths = {name: directory / name for name in ("data", "log", "redo", "tmp")}
    with contextlib.ExitStack() as stack:
        mounted = {name: stack.enter_context(Disk(path)) for name, path in paths.items()}
        shutil.copytree(empty_datadir(net), paths["data"], dirs_exist_ok=True)
        for log in paths["data"].glob("ib_logfile*"):
            shutil.move(log, paths["redo"])
        own(directory)
        options = [
            *DURABLE,
            f"--log-bin={paths['log']}/bin",
            f"--innodb-log-group-home-dir={paths['redo']}",
            f"--tmpdir={paths['tmp']}",
        ]
        node = stack.enter_context(Node(net, directory, net.address(52), name="disks", options=options))
        prepare(node)
        yield Disks(net, node, mounted)
        for disk in mounted.values():
            disk.mend()


def own(directory: Path) -> None:
    user = server_user()
    if user:
        for path in (directory, *directory.rglob("*")):
            shutil.chown(path, user, user)


@pytest.mark.parametrize("name", ["log", "redo", "data"])
def test_a_frozen_disk_of_a_lone_node(
    disks: Disks, follow: Callable[[Node], Responder], tell: Callable[[str], None], name: str
) -> None:
    responder = follow(disks.node)
    with Writer(disks.node) as writer:
        disks.disks[name].freeze()
        try:
            writer.wait_stands()
            until(lambda: responder.verdict()[0] == 503, f"{name} frozen: red", writer.last, tell)
            status, code = responder.verdict()
            assert (status, code) in ((503, "cannot-commit"), (503, "hung")), code
            assert responder.ask("/live").status == (200 if code == "cannot-commit" else 503)
        finally:
            disks.disks[name].mend()
        writer.wait_writes()
        until(lambda: responder.verdict() == (200, "synced"), f"{name} thawed: green", time.monotonic(), tell)


def test_a_frozen_tmpdir_blocks_no_commit(disks: Disks, follow: Callable[[Node], Responder]) -> None:
    responder = follow(disks.node)
    with Writer(disks.node) as writer:
        disks.disks["tmp"].freeze()
        try:
            ends = time.monotonic() + 4
            while time.monotonic() < ends:
                assert responder.verdict() == (200, "synced")
                time.sleep(0.1)
            assert not writer.stands(1)
        finally:
            disks.disks["tmp"].mend()


@pytest.mark.parametrize(
    ("name", "directory"), [("redo", "innodb_log_group_home_dir"), ("tmp", "tmpdir"), ("data", "datadir")]
)
def test_a_full_disk_that_blocks_no_commit_is_a_warning_that_names_it(
    disks: Disks, follow: Callable[[Node], Responder], tell: Callable[[str], None], name: str, directory: str
) -> None:
    """The redo log is allocated beforehand. A full data directory fails what needs a new page (1114), and no more."""
    responder = follow(disks.node)
    disks.disks[name].fill()
    began = time.monotonic()
    try:
        named = f"the disk is nearly full: {directory} {disks.disks[name].path}"
        until(lambda: named in warnings(responder), f"{name} full: a warning", began, tell)
        assert responder.verdict() == (200, "synced")
    finally:
        disks.disks[name].mend()
    until(lambda: named not in warnings(responder), f"{name} has room: none", time.monotonic(), tell)


def refused(node: Node, statement: str, *values: object) -> int:
    """The error number of a statement that the server refuses, 0 if it succeeds."""
    try:
        with contextlib.closing(node.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
    except pymysql.MySQLError as error:
        return int(error.args[0])
    return 0


def fill_up(node: Node, insert: str) -> None:
    """Insert rows at the end of a table until not even a small one finds room in its last page."""
    number = 0
    for length in (250, 60, 8):
        while not refused(node, insert, f"a{number:06}".ljust(length, "x")):
            number += 1


def test_a_full_data_directory_refuses_rows_that_need_a_page_and_no_others(
    disks: Disks, follow: Callable[[Node], Responder], tell: Callable[[str], None]
) -> None:
    """Nothing that the server says counts them, and which rows need a page nobody knows: a warning, and green."""
    responder, node = follow(disks.node), disks.node
    disks.disks["data"].fill()
    try:
        fill_up(node, "INSERT INTO app.orders (v) VALUES (%s)")
        assert refused(node, "INSERT INTO app.orders (v) VALUES (REPEAT('x', 8000))") == 1114
        assert not refused(node, "UPDATE app.orders SET v = REVERSE(v) LIMIT 10")
        until(
            lambda: "in which tables is not known" in warnings(responder),
            "datadir full: a warning",
            time.monotonic(),
            tell,
        )
        tell(warnings(responder))
        assert responder.verdict() == (200, "synced")
        assert commits(responder)["known"]
    finally:
        disks.disks["data"].mend()
    assert not refused(node, "INSERT INTO app.orders (v) VALUES (REPEAT('x', 8000))")


def test_where_the_probe_s_own_row_finds_no_room_the_node_is_red(
    disks: Disks, make_responder: MakeResponder, tell: Callable[[str], None]
) -> None:
    """As on a node whose first row it would be. It is written in place later, and needs no page any more."""
    node, began = disks.node, 0.0
    # Rows that are only deleted leave room in their pages whenever InnoDB purges them.
    disks.node.sql("TRUNCATE xha.canary")
    disks.disks["data"].fill()
    try:
        fill_up(node, "INSERT INTO xha.canary VALUES (%s, NOW(3))")
        responder = make_responder(node, responder=IN_TIME)
        began = time.monotonic()
        until(lambda: responder.verdict() == (503, "cannot-commit"), "the probe is refused: red", began, tell)
        tell(str(responder.node()["verdict"]["message"]))
    finally:
        disks.disks["data"].mend()
    until(lambda: responder.verdict() == (200, "synced"), "it has room: green", time.monotonic(), tell)
    node.sql("TRUNCATE xha.canary")


def test_a_restarted_responder_sends_no_second_statement_while_the_first_is_out(
    disks: Disks, follow: Callable[[Node], Responder]
) -> None:
    outstanding = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO xha.canary%'"
    first = follow(disks.node)
    disks.disks["log"].freeze()
    try:
        first.wait_verdict(503, "cannot-commit", LATE)
        first.kill()
        first.start()
        first.wait_verdict(503, "cannot-commit", LATE)
        assert disks.node.sql(outstanding) == ((1,),)
    finally:
        disks.disks["log"].mend()
    first.wait_verdict(200, "synced", LATE)


def test_a_lock_on_the_probes_own_table_or_row_is_no_fault(disks: Disks, follow: Callable[[Node], Responder]) -> None:
    responder = follow(disks.node)
    for statements in (("LOCK TABLES xha.canary WRITE",), ("START TRANSACTION", "SELECT * FROM xha.canary FOR UPDATE")):
        with contextlib.closing(disks.node.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            wait_until(lambda: "a lock or a conflict" in (commits(responder)["unknown"] or ""), LATE, "the lock is met")
            assert responder.verdict() == (200, "synced")
            assert warnings(responder) == ""
        wait_until(lambda: commits(responder)["known"], LATE, "it commits again")


def test_a_node_that_must_not_be_written_to_is_not_and_says_so(
    disks: Disks, follow: Callable[[Node], Responder]
) -> None:
    responder = follow(disks.node)
    for variable in ("read_only", "tx_read_only"):
        disks.node.sql(f"SET GLOBAL {variable} = ON")
        try:
            responder.wait_verdict(200, "read-only", LATE)
            wait_until(lambda: "the node is read-only" in (commits(responder)["unknown"] or ""), LATE, "it says why")
        finally:
            disks.node.sql(f"SET GLOBAL {variable} = OFF")
        wait_until(lambda: commits(responder)["known"], LATE, "it commits again")


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("ALTER TABLE t FORCE", True),
        ("  drop table t", True),
        ("/* app:7 */ ALTER TABLE t FORCE", True),
        ("/**/ /* a * b **/\nOPTIMIZE TABLE t", True),
        ("/*!50100 ALTER TABLE t FORCE */", True),
        ("/*M!100100 ALTER TABLE t FORCE */", True),
        ("SET STATEMENT max_statement_time = 0 FOR ALTER TABLE t FORCE", True),
        ("/* ALTER TABLE t */ INSERT INTO t VALUES (1)", False),
        ("INSERT INTO t VALUES ('ALTER TABLE t')", False),
        ("SET STATEMENT max_statement_time = 0 FOR SELECT 1", False),
        ("ALTERED", False),
        ("/* ALTER TABLE t", False),
        ("/*" * 4000, False),
    ],
)
def test_a_statement_that_changes_a_definition_is_known_whatever_is_before_it(
    disks: Disks, statement: str, changes: bool
) -> None:
    assert disks.node.sql("SELECT LEFT(%s, 512) REGEXP %s", statement, DEFINITION) == ((int(changes),),)


def test_without_the_table_nothing_is_written_and_nothing_is_red(disks: Disks, make_responder: MakeResponder) -> None:
    disks.node.sql("RENAME TABLE xha.canary TO xha.elsewhere")
    try:
        responder = make_responder(disks.node, responder=IN_TIME)
        wait_until(lambda: "(docs/commits.md)" in (commits(responder)["unknown"] or ""), LATE, "it says so")
        assert responder.verdict() == (200, "synced")
        off = make_responder(disks.node, responder=IN_TIME, database="commit_probe = off")
        wait_until(lambda: commits(off)["unknown"] == "commit_probe = off in xha.conf", LATE, "it says so")
    finally:
        disks.node.sql("RENAME TABLE xha.elsewhere TO xha.canary")


def test_without_process_a_late_commit_is_a_warning_and_no_connection_is_given_up(
    disks: Disks, make_responder: MakeResponder
) -> None:
    """Commits that hang use up the connections. Whoever then closed the one that it has would be red for that."""
    privilege = f"PROCESS ON *.* {{}} {ACCOUNT}@localhost"
    disks.node.sql("REVOKE " + privilege.format("FROM"))
    responder = make_responder(disks.node, responder=IN_TIME.replace("10s", "1s"))
    wait_until(lambda: commits(responder)["known"], LATE, "it commits")
    disks.disks["log"].freeze()
    try:
        wait_until(lambda: "GRANT PROCESS" in warnings(responder), LATE, "it warns")
        with disks.node.full(limit=10):
            ends = time.monotonic() + 4
            while time.monotonic() < ends:
                assert responder.verdict() == (200, "synced")
                time.sleep(0.1)
    finally:
        disks.disks["log"].mend()
        disks.node.sql("GRANT " + privilege.format("TO"))
    wait_until(lambda: commits(responder)["known"], LATE, "it commits again")


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (TABLE.replace("InnoDB", "Aria"), "ENGINE=Aria and PRIMARY KEY (node)"),
        (TABLE.replace("PRIMARY KEY", ""), "ENGINE=InnoDB and PRIMARY KEY (none)"),
        ("(node VARCHAR(255), at TIMESTAMP(3), PRIMARY KEY (node, at)) ENGINE=InnoDB", "PRIMARY KEY (node,at)"),
    ],
)
def test_a_table_that_proves_nothing_or_grows_is_not_written_to(
    disks: Disks, make_responder: MakeResponder, table: str, why: str
) -> None:
    disks.node.sql("RENAME TABLE xha.canary TO xha.elsewhere")
    try:
        disks.node.sql(f"CREATE TABLE xha.canary {table}")
        responder = make_responder(disks.node, responder=IN_TIME)
        wait_until(lambda: why in (commits(responder)["unknown"] or ""), LATE, "it says so")
        assert responder.verdict() == (200, "synced")
        assert disks.node.sql("SELECT COUNT(*) FROM xha.canary") == ((0,),)
    finally:
        disks.node.sql("DROP TABLE IF EXISTS xha.canary")
        disks.node.sql("RENAME TABLE xha.elsewhere TO xha.canary")


class Three:
    """Three nodes; the binary log of the second is on a file system of its own."""

    def __init__(self, cluster: Cluster, log: Disk) -> None:
        self.cluster, self.log = cluster, log
        self.first, self.second, self.third = cluster.nodes


@pytest.fixture(scope="module")
def three_nodes(net: Net) -> Iterator[Three]:
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Disk(net.directory / "three-log", 256 << 20))
        cluster = Cluster(net, net.directory / "three", first_host=71)
        cluster.nodes[1].options = [*DURABLE, f"--log-bin={log.path}/bin"]
        stack.enter_context(cluster)
        prepare(cluster.nodes[0])
        yield Three(cluster, log)
        log.mend()


@pytest.fixture
def three_followed(three_nodes: Three, follow: Callable[[Node], Responder]) -> tuple[Three, list[Responder]]:
    return three_nodes, [follow(node) for node in three_nodes.cluster.nodes]


def expect_a_stall(  # noqa: PLR0913, PLR0917 - the nodes, who is asked, the fault and its end
    three: Three,
    responders: list[Responder],
    begin: Callable[[], object],
    end: Callable[[], object],
    what: str,
    tell: Callable[[str], None],
) -> None:
    """The second node is warned of at once and red after stall_after; the others stay green, with a warning."""
    first, second, third = responders
    with Writer(three.first) as writer:
        time.sleep(1)
        begin()
        try:
            writer.wait_stands()
            for one, said in ((second, "stops the whole cluster"), (first, "flow control"), (third, "flow control")):
                name = f"{what}: {one.directory.name} warns"
                until(lambda one=one, said=said: said in warnings(one), name, writer.last, tell)  # type: ignore[misc]
            until(lambda: second.verdict() == (503, "stalling"), f"{what}: the culprit is red", writer.last, tell)
            assert second.ask("/live").status == 200
            assert [one.verdict() for one in (first, third)] == [(200, "synced")] * 2
        finally:
            end()
        writer.wait_writes()
        until(lambda: second.verdict() == (200, "synced"), f"{what}: it ends, green", time.monotonic(), tell)


def test_a_frozen_binary_log_among_three(
    three_followed: tuple[Three, list[Responder]], tell: Callable[[str], None]
) -> None:
    three, responders = three_followed
    expect_a_stall(three, responders, three.log.freeze, three.log.mend, "frozen log", tell)


def test_a_locked_table_among_three(three_followed: tuple[Three, list[Responder]], tell: Callable[[str], None]) -> None:
    three, responders = three_followed
    connection = three.second.connect()

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLES app.orders WRITE")

    expect_a_stall(three, responders, lock, connection.close, "locked", tell)


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(("FLUSH TABLES WITH READ LOCK",), id="a read lock"),
        pytest.param(("BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT"), id="a backup's lock"),
    ],
)
def test_a_lock_that_takes_the_node_out_of_flow_control_stops_nobody_else(
    three_followed: tuple[Three, list[Responder]], tell: Callable[[str], None], statements: tuple[str, ...]
) -> None:
    three, (first, second, third) = three_followed
    with Writer(three.first) as writer:
        began = time.monotonic()
        with contextlib.closing(three.second.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            until(lambda: second.verdict() == (503, "donor"), f"{statements[-1]}: out", began, tell)
            assert [one.verdict() for one in (first, third)] == [(200, "synced")] * 2
            assert not writer.stands(2)
        until(lambda: second.verdict() == (200, "synced"), f"{statements[-1]}: back", time.monotonic(), tell)


def test_a_long_alter_and_a_huge_delete_turn_nobody_red(three_followed: tuple[Three, list[Responder]]) -> None:
    """Commits wait behind both on all nodes, and appliers stand still, also while a write set is certified (3 s)."""
    three, responders = three_followed
    three.first.sql(
        "CREATE TABLE app.big (id BIGINT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100), k INT, UNIQUE (k, id))"
    )
    for _ in range(8):
        three.first.sql("INSERT INTO app.big (v, k) SELECT REPEAT('y', 40), seq FROM mysql.seq_1_to_50000")
    seen: set[tuple[int, str]] = set()
    try:
        with Writer(three.first):
            for statement in (
                "ALTER TABLE app.big ADD INDEX (k), ADD INDEX (v), ALGORITHM = INPLACE",
                "ALTER TABLE app.big FORCE, ALGORITHM = COPY",
                "DELETE FROM app.big WHERE id % 4 = 0",
                "DELETE FROM app.big",
            ):
                thread = threading.Thread(target=run, args=(three.first, statement))
                thread.start()
                ends = time.monotonic() + 4
                while thread.is_alive() or time.monotonic() < ends:
                    seen.update(one.verdict() for one in responders)
                    time.sleep(0.05)
                thread.join()
    finally:
        three.first.sql("DROP TABLE app.big")
    assert seen == {(200, "synced")}


def test_a_member_that_dies_without_a_word_makes_nobody_else_red(
    three_followed: tuple[Three, list[Responder]], tell: Callable[[str], None]
) -> None:
    """All members wait for it until they exclude it: a red one would take the whole cluster out of service."""
    three, (first, second, _) = three_followed
    seen: set[tuple[int, str]] = set()
    with Writer(three.first) as writer:
        three.third.freeze()
        try:
            writer.wait_stands()
            said = "the group orders no write set"
            until(lambda: said in warnings(first) and said in warnings(second), "both warn", writer.last, tell)
            while writer.stands(0.3):
                seen.update(one.verdict() for one in (first, second))
                time.sleep(0.05)
            tell(f"writes are acknowledged again: {time.monotonic() - writer.last:.1f} s")
        finally:
            three.cluster.mend()
    assert seen == {(200, "synced")}


def run(node: Node, statement: str) -> None:
    with contextlib.closing(node.connect(read_timeout=300)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_evicted_node_is_red(three_followed: tuple[Three, list[Responder]], tell: Callable[[str], None]) -> None:
    """The last test of the three: such a node comes back by a restart only."""
    three, (first, second, third) = three_followed
    uuid = three.second.status("wsrep_gcomm_uuid")["wsrep_gcomm_uuid"]
    with Writer(three.first) as writer:
        began = time.monotonic()
        three.third.set_provider_option("evs.evict", str(uuid))
        until(lambda: second.verdict()[0] == 503, "evicted: red", began, tell)
        second.wait_verdict(503, "disconnected", LATE)  # the responder may not read why in the server's error log
        writer.wait_writes()
    assert [one.verdict() for one in (first, third)] == [(200, "synced")] * 2
