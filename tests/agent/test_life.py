"""The life of one node without a cluster, by the agent's own actions, with a real server."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from agent.host import AGENT, Host, Resource, Result
from agent.test_imports import NOT_FOR_A_MONITOR
from loopback import Net, find_program, wait_until
from loopback.doors import CHECKOUT
from loopback.galera import LOG_FILE_SIZE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

MakeResource = Callable[..., Resource]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def host(net: Net) -> Iterator[Host]:
    find_program("mariadbd", "mariadb-server")
    with Host(net, net.directory / f"lonely-{next(_numbers)}") as running:
        yield running


@pytest.fixture
def make_resource(host: Host) -> Iterator[MakeResource]:
    made: list[Resource] = []

    def make(**options: Any) -> Resource:
        made.append(Resource(host, f"db-{next(_numbers)}", host.net.next_address(), **options))
        return made[-1]

    yield make
    for one in made:
        end = one.call("stop")
        assert (end.code, one.server_pids()) == (0, []), end.err


@pytest.fixture
def resource(make_resource: MakeResource) -> Resource:
    """A node with an empty database that does not run yet."""
    return make_resource()


@pytest.fixture
def running(resource: Resource) -> Resource:
    """A running node."""
    resource._make_directory()
    begun = resource.call("start")
    assert (begun.code, begun.err) == (0, ""), begun
    return resource


@pytest.fixture(scope="module")
def session_running(host: Host) -> Iterator[Resource]:
    """A node for tests that leave it stopped."""
    one = Resource(host, "shared", host.net.next_address())
    one._make_directory()
    yield one
    one.call("stop")


def codes(one: Resource) -> list[int]:
    """The exit codes of monitor at its three depths."""
    return [one.monitor(level).code for level in (0, 10, 20)]


def await_code(one: Resource, code: int, seconds: float = 60, **how: Any) -> Result:
    """Wait until a monitor returns this code."""

    def asked() -> Result | None:
        said.append(one.monitor(**how))
        return said[-1] if said[-1].code == code else None

    said: list[Result] = []
    return wait_until(asked, seconds, lambda: f"monitor says {code}: {said[-1]}\n{one.host.syslog[-2000:]}")


def uuid(one: Resource) -> str:
    return one.status("wsrep_cluster_state_uuid")["wsrep_cluster_state_uuid"]


def lines(one: Resource) -> list[dict[str, Any]]:
    """The generations in the record beside the data, newest first."""
    return list(json.loads((one.datadir / "xha-node.json").read_text())["line"])


def run_by_hand(one: Resource, *words: str) -> None:
    """Start the server without the agent."""
    command = f"cd / && exec setsid mariadbd --defaults-file={one.config} --user=mysql"
    one.host.run("sh", "-c", f"({' '.join([command, *words])}) >/dev/null 2>&1 &", check=True)


def bootstrap(one: Resource, *words: str) -> None:
    """Form a cluster without the agent."""
    run_by_hand(one, "--wsrep-new-cluster", *words)
    wait_until(one.is_synced, 60, "the server is Synced")


def query(one: Resource, statements: str) -> Result:
    """The server's answer to root's own client, also if it runs without Galera."""
    return one.host.run("mariadb", "--no-defaults", f"--socket={one.directory}/mysqld.sock", "-e", statements)


class TestOneLife:
    def test_a_database_is_created_where_that_is_allowed_and_kept_from_then_on(
        self, make_resource: MakeResource
    ) -> None:
        one = make_resource(created=False)
        one.parameters["wsrep_cluster_address"] = f"gcomm://{one.address}"
        one.parameters["additional_parameters"] = LOG_FILE_SIZE
        probe = one.call("monitor", interval=0)
        assert (probe.code, probe.err) == (7, "")
        begun = one.call("start", enable_creation="1")
        assert (begun.code, begun.err) == (0, "")
        assert codes(one) == [0, 0, 0]
        [pid] = one.server_pids()
        again = one.call("start", enable_creation="1")
        assert (again.code, again.err, one.server_pids()) == (0, "", [pid])
        first = uuid(one)
        one.sql("CREATE DATABASE kept")
        for _ in range(2):
            ended = one.call("stop")
            assert (ended.code, ended.err, one.server_pids()) == (0, "", [])
        stopped = one.monitor()
        assert (stopped.code, stopped.reason) == (7, "")
        assert one.call("start").code == 0
        assert (uuid(one), one.sql("SHOW DATABASES LIKE 'kept'")) == (first, (("kept",),))

    @pytest.mark.parametrize("there", [True, False], ids=["empty", "absent"])
    def test_no_database_is_created_where_that_is_not_allowed(self, make_resource: MakeResource, there: bool) -> None:
        one = make_resource(created=False)
        if there:
            one.datadir.mkdir()
            shutil.chown(one.datadir, "mysql")
        begun = one.call("start")
        assert begun.code == 5
        assert "enable_creation=1" in begun.reason
        assert [*one.datadir.parent.glob("data/*")] == []

    def test_a_lone_node_that_crashed_recovers_and_keeps_what_it_knew(self, running: Resource) -> None:
        first = uuid(running)
        running.sql("CREATE DATABASE kept")
        running.signal("KILL", *running.server_pids())
        said: list[Result] = []
        wait_until(lambda: said.append(running.monitor()) or said[-1].code == 1, 60, lambda: f"it is told: {said}")  # type: ignore[func-returns-value]
        assert "mysqld has ended" in said[-1].reason
        # A process that is killed takes a moment to be gone; then its keeper looks for the end of the data.
        before = {(one.code, one.reason) for one in said[:-1]}
        assert before <= {(0, ""), (190, "finding out where the data end")}
        assert running.call("stop").code == 0
        assert running.monitor().code == 7
        assert running.call("start").code == 0
        assert (uuid(running), running.sql("SHOW DATABASES LIKE 'kept'")) == (first, (("kept",),))
        assert codes(running) == [0, 0, 0]

    def test_a_server_whose_transfer_failed_forms_nothing_of_its_own(self, running: Resource) -> None:
        """The test adds the line that Galera then writes to the log: a real failure would need a faulty donor."""
        running.signal("KILL", *running.server_pids())
        with open(running.directory / "server.log", "a", encoding="utf-8") as log:
            log.write("2026-01-01  1:02:03 1 [ERROR] WSREP: Receiving IST failed, node restart required: it ended\n")
        assert running.call("stop").code == 0
        assert running.call("start").code == 0
        seen = await_code(running, 190)
        assert "every node with data was found inconsistent" in seen.reason
        assert "00000000-0000-0000-0000-000000000000" in (running.datadir / "grastate.dat").read_text()
        [kept] = running.directory.glob("data.xha-quarantine/*/error-log-tail")
        assert "Receiving IST failed" in kept.read_text()

    def test_a_frozen_server_is_a_failed_one_and_stop_does_not_wait_for_it(self, running: Resource) -> None:
        [pid] = running.server_pids()
        running.signal("STOP", pid)
        seen = await_code(running, 1)
        assert "state T" in seen.reason
        ended = running.call("stop")
        assert (ended.code, running.server_pids()) == (0, [])
        assert ended.seconds < 40

    def test_a_killed_keeper_is_followed_by_one_that_adopts_its_server(self, running: Resource) -> None:
        before, server = running.keeper_pid, running.server_pids()
        running.signal("KILL", before)
        asked = running.call("monitor", interval=0)
        assert (asked.code, running.keeper_pid) == (0, before)  # a probe starts nothing
        running.monitor()
        wait_until(lambda: running.keeper_pid != before, 60, "a new keeper")
        await_code(running, 0)
        assert running.server_pids() == server
        wait_until(lambda: running.run_file("keeper.json")["server_pid"] == server[0], 60, "it watches the server")
        wait_until(lambda: running.run_file("keeper.json")["ready"] is True, 60, "it says that the server is ready")

    def test_a_new_keeper_is_not_blamed_for_the_silence_of_the_one_before_it(self, running: Resource) -> None:
        directory = f"/run/xha/galera/{running.resource}"
        running.signal("KILL", running.keeper_pid)
        running.host.run("sed", "-i", 's/"at": [0-9.]*/"at": 1.0/', f"{directory}/keeper.json", check=True)
        # The process that holds the lock represents a keeper that has not published anything yet.
        held = f"setsid --fork flock --no-fork {directory}/keeper.lock sleep 60 >/dev/null 2>&1"
        running.host.run("sh", "-c", held, check=True)
        wait_until(lambda: running.host.run("pgrep", "-f", "^sleep 60$").code == 0, 20, "it holds the lock")
        seen = running.monitor()
        running.host.run("pkill", "-f", "^sleep 60$", check=True)
        assert (seen.code, seen.reason) == (0, "")

    def test_a_run_directory_that_was_swept_away_leaves_one_keeper_and_its_server(self, running: Resource) -> None:
        before, server = running.keeper_pid, running.server_pids()
        running.host.lose_run()
        assert running.monitor().code == 0
        wait_until(lambda: running.keeper_pid not in (0, before), 60, "another keeper")
        wait_until(lambda: running.keepers() == [running.keeper_pid], 60, lambda: f"one keeper: {running.keepers()}")
        await_code(running, 0)  # it may not have asked the server yet
        assert running.server_pids() == server

    def test_a_creation_that_a_stop_cut_short_is_done_again(self, make_resource: MakeResource) -> None:
        one = make_resource(created=False)
        one.parameters.update(enable_creation="1", additional_parameters=LOG_FILE_SIZE, start_wait="0")
        assert one.call("start").code == 0
        # From then on mariadb-install-db takes the directory for a complete database. A fifth of it is done then.
        wait_until((one.datadir / "mysql" / "user.frm").exists, 60, "the creation has begun")
        one.signal("STOP", *one.server_pids())
        assert one.call("stop").code == 0
        assert one.server_pids() == []
        assert one.call("start", start_wait="20").code == 0
        assert codes(one) == [0, 0, 0]
        assert one.host.syslog.count(f"creating a database in {one.datadir}") == 2
        assert f"{one.datadir} had the remains of a creation that was not finished: " in one.host.syslog
        assert one.sql("SELECT COUNT(*) FROM mysql.global_priv WHERE User = 'root'") == ((1,),)
        assert one.sql("SELECT COUNT(*) > 0 FROM mysql.help_topic") == ((1,),)
        assert one.sql("SHOW TABLES IN sys LIKE 'host_summary'") == (("host_summary",),)

    def test_a_mark_that_a_state_transfer_left_hides_no_data_of_a_cluster(self, running: Resource) -> None:
        first = uuid(running)
        running.signal("KILL", *running.server_pids())
        assert running.call("stop").code == 0
        (running.datadir / ".xha-creating").touch()
        assert running.call("start", enable_creation="1").code == 0
        assert (codes(running), uuid(running)) == ([0, 0, 0], first)

    def test_a_second_start_while_the_server_runs_begins_no_second_keeper(self, running: Resource) -> None:
        keeper = running.keeper_pid
        running.call("start")
        assert (running.keeper_pid, running.keepers()) == (keeper, [keeper])


class TestAServerStartedOutside:
    @pytest.fixture
    def outside(self, resource: Resource) -> Resource:
        """A resource whose server an operator has started by hand."""
        resource._make_directory()
        bootstrap(resource)
        return resource

    def test_a_probe_sees_it_and_start_adopts_it(self, outside: Resource) -> None:
        [pid] = outside.server_pids()
        first = uuid(outside)
        assert outside.call("monitor", interval=0, level=10).code == 0
        assert outside.call("monitor", interval=0).code in (0, 190)
        assert outside.keeper_pid == 0
        begun = outside.call("start")
        assert (begun.code, begun.err, outside.server_pids()) == (0, "", [pid])
        assert (codes(outside), uuid(outside)) == ([0, 0, 0], first)

    def test_one_that_is_started_again_after_a_kill_as_systemd_does_keeps_nobody_waiting(
        self, running: Resource
    ) -> None:
        first = uuid(running)
        running.signal("KILL", *running.server_pids())
        wait_until(lambda: running.run_file("keeper.json").get("phase") == "ended", 60, "the keeper has seen its end")
        (running.datadir / "gvwstate.dat").unlink()
        # It waits for a Primary, as systemd's server does after all were killed. One node alone waits only for another
        # address.
        run_by_hand(running, "--wsrep-cluster-address=gcomm://127.0.0.9")
        await_code(running, 0)
        assert uuid(running) == first
        assert "started here, and not by Pacemaker" in running.host.syslog

    @pytest.mark.parametrize("told", [True, False], ids=["as galera_new_cluster does", "without its position"])
    def test_one_that_was_bootstrapped_by_hand_is_a_history_of_its_own(self, running: Resource, told: bool) -> None:
        assert running.call("stop").code == 0
        saved = (running.datadir / "grastate.dat").read_text().split()
        position = f"{saved[saved.index('uuid:') + 1]}:{saved[saved.index('seqno:') + 1]}"
        before = lines(running)
        bootstrap(running, *([f"--wsrep_start_position={position}"] if told else []))
        assert running.call("start").code == 0
        newest, *older = lines(running)
        assert older == before
        assert (f"{uuid(running)}:{newest['position']}", len(newest["founders"])) == (position, 1)
        assert f"was bootstrapped by hand at {position}" in running.host.syslog
        keeper = running.keeper_pid
        running.signal("KILL", keeper)
        running.monitor()
        wait_until(lambda: running.keeper_pid != keeper, 60, "a new keeper")
        await_code(running, 0)
        assert lines(running) == [newest, *older]  # the same server is adopted again

    def test_a_transaction_that_was_prepared_is_neither_rolled_back_nor_in_the_way(self, running: Resource) -> None:
        """XA, which Galera refuses: only a server that ran without Galera can have left such a transaction."""
        assert running.call("stop").code == 0
        run_by_hand(running, "--wsrep-on=OFF")
        wait_until(lambda: query(running, "SELECT 1").code == 0, 60, "the server answers")
        rows = "CREATE DATABASE shop; CREATE TABLE shop.orders (number INT PRIMARY KEY)"
        prepared = "XA START 'pay'; INSERT INTO shop.orders VALUES (1); XA END 'pay'; XA PREPARE 'pay'"
        assert query(running, f"SET GLOBAL innodb_flush_log_at_trx_commit = 1; {rows}; {prepared}").code == 0
        running.signal("KILL", *running.server_pids())
        wait_until(lambda: not running.server_pids(), 60, "the server has ended")
        assert running.call("start").code == 0
        assert codes(running) == [0, 0, 0]
        assert running.sql("XA RECOVER") == ((1, 3, 0, b"pay"),)
        assert "Found 1 prepared XA transactions" in running.error_log_text()
        assert query(running, "XA COMMIT 'pay'").code == 0
        assert running.sql("SELECT number FROM shop.orders") == ((1,),)

    def test_what_was_there_before_xha_has_no_history_of_its_own(self, outside: Resource) -> None:
        assert outside.call("start").code == 0
        assert lines(outside) == []

    def test_stop_ends_it(self, outside: Resource) -> None:
        assert outside.call("stop").code == 0
        assert outside.server_pids() == []
        assert outside.monitor().code == 7


class TestStopAlwaysWorks:
    @pytest.mark.parametrize(
        "broken",
        [
            {"binary": "/nowhere/mariadbd"},
            {"config": "/nowhere/my.cnf"},
            {"user": "nobody-like-this"},
            {"start_wait": "soon"},
            {"datadir": "/nowhere/data"},
        ],
        ids=lambda broken: next(iter(broken)),
    )
    def test_what_the_parameters_say_now_is_no_matter(self, session_running: Resource, broken: dict[str, str]) -> None:
        one = session_running
        assert one.call("start").code == 0
        seen = one.monitor(**broken)
        assert seen.code in (0, 190), seen
        ended = one.call("stop", **broken)
        assert (ended.code, one.server_pids()) == (0, [])

    def test_a_frozen_keeper_is_killed(self, running: Resource) -> None:
        running.signal("STOP", running.keeper_pid)
        ended = running.call("stop")
        assert (ended.code, running.server_pids(), running.keepers()) == (0, [], [])
        assert ended.seconds < 40

    def test_nothing_of_the_agent_is_left(self, running: Resource) -> None:
        assert running.keepers() == [running.keeper_pid]
        assert running.call("stop").code == 0
        assert running.keepers() == []


BROKEN = [
    pytest.param("no_such_option=1", 5, "unknown variable 'no_such_option=1'", id="an unknown option"),
    pytest.param("wsrep_provider=/nowhere/libgalera.so", 5, "/nowhere/libgalera.so", id="no provider"),
    pytest.param("innodb_page_size=8k", 5, "uses page size 16384", id="a page size that is not the data's"),
    pytest.param("wsrep_provider_options=gmcast.nonsense=1", 5, "gmcast.nonsense", id="an unknown provider's option"),
]


class TestAStartThatCannotSucceed:
    @pytest.mark.parametrize(("line", "code", "words"), BROKEN)
    def test_a_broken_option_is_told_in_the_server_s_own_words(
        self, resource: Resource, line: str, code: int, words: str
    ) -> None:
        resource.configure(line)
        begun = resource.call("start")
        assert begun.code == code, begun
        assert words in begun.reason.lower() or words in begun.reason
        assert begun.seconds < 40
        assert resource.monitor().code in (1, 7)

    def test_data_that_are_somebody_else_s(self, resource: Resource) -> None:
        resource._make_directory()
        resource.host.run("chown", "-R", "root:root", str(resource.datadir), check=True)
        resource.host.run("chmod", "-R", "go=", str(resource.datadir), check=True)
        begun = resource.call("start")
        assert begun.code == 5, begun
        assert f"for it belongs to root: chown -R mysql {resource.datadir}" in begun.reason
        assert begun.seconds < 40

    def test_the_third_failure_of_one_kind_is_the_last_until_it_is_mended(self, resource: Resource) -> None:
        resource._make_directory()
        listen = f"socat TCP-LISTEN:3306,bind={resource.address} - >/dev/null 2>&1 & echo $!"
        listener = resource.host.run("sh", "-c", listen, check=True).out
        told = []
        for _ in range(2):  # the keeper tries three times before it gives up, and once after that
            begun = resource.call("start", start_wait="60")
            told.append(begun.code)
            assert resource.call("stop").code == 0
            assert "port: 3306" in begun.reason
        assert told == [5, 5]
        assert resource.error_log_text().count("port: 3306") == 3 + 1
        assert "third time within 10 minutes" in begun.reason
        assert "pcs resource cleanup" in begun.reason
        resource.host.run("kill", *listener.split(), check=True)
        assert resource.call("start").code == 0
        assert resource.host.run("ls", f"/run/xha/galera/{resource.resource}/failures.json").code != 0


class TestAWrongPassword:
    SECRET = "gEhEiM-4711"

    def test_it_is_a_failed_check_and_no_failed_server(self, running: Resource) -> None:
        server = running.server_pids()
        account = {"test_user": "xha", "test_passwd": self.SECRET}
        assert running.call("reload-agent", **account).code == 0
        deep = running.monitor(10, **account)
        flat = await_code(running, 190, **account)
        for seen in (deep, flat):
            assert seen.code == 190
            assert "denied" in seen.reason
        assert running.server_pids() == server
        stored = running.host.run("grep", "-rl", self.SECRET, f"/run/xha/galera/{running.resource}")
        assert stored.out.split() == [f"/run/xha/galera/{running.resource}/settings.json"]
        processes = running.host.run("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '")
        for text in (deep.err, flat.err, running.host.syslog, processes.out):
            assert self.SECRET not in text

    def test_a_start_with_it_succeeds(self, resource: Resource) -> None:
        begun = resource.call("start", test_user="xha", test_passwd=self.SECRET)
        assert (begun.code, begun.err) == (0, "")
        assert "denied" in resource.monitor(10, test_user="xha", test_passwd=self.SECRET).reason


class TestOthersAreMissing:
    def test_a_member_of_three_waits_for_the_others_and_forms_nothing(self, make_resource: MakeResource) -> None:
        one = make_resource()
        absent = [one.net.address(host) for host in (98, 99)]
        one.parameters["wsrep_cluster_address"] = f"gcomm://{','.join([one.address, *absent])}"
        one._make_directory()
        begun = one.call("start")
        assert (begun.code, begun.err) == (0, "")
        assert begun.seconds < 40
        seen = one.monitor()
        assert seen.code == 190
        assert [host for host in absent if host in seen.reason] == absent
        assert one.server_pids() == []
        assert one.error_log_text() == ""  # a recovery has a log of its own
        assert one.call("stop").code == 0
        assert one.monitor().code == 7

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            pytest.param("", True, id="the port that this server has: it may be a member's server"),
            pytest.param("port=3316", False, id="this server has another one: it is a proxy, or another cluster's"),
        ],
    )
    def test_what_answers_on_a_port_of_a_member_that_says_nothing(
        self, make_resource: MakeResource, options: str, told: bool
    ) -> None:
        one = make_resource()
        absent = one.net.address(97 if told else 96)
        listen = f"socat TCP-LISTEN:3306,bind={absent},fork,reuseaddr /dev/null >/dev/null 2>&1 & echo $!"
        listener = one.host.run("sh", "-c", listen, check=True).out
        one.configure(options)
        one._make_directory()
        assert one.call("start", wsrep_cluster_address=f"gcomm://{one.address}").code == 0
        assert one.call("stop").code == 0
        one.parameters["wsrep_cluster_address"] = f"gcomm://{one.address},{absent}"
        assert one.call("start").code == 0
        words = f"something answers on port 3306 of {absent}" if told else f"waiting for {absent}"
        wait_until(lambda: words in one.monitor().reason, 30, lambda: f"{words}: {one.monitor().reason}")
        one.host.run("kill", *listener.split(), check=True)

    def test_a_list_in_the_option_file_that_nobody_can_read_is_told_with_its_place(self, resource: Resource) -> None:
        resource.configure("wsrep_cluster_address=gcomm://h1:x,h2")
        resource._make_directory()
        begun = resource.call("start")
        assert begun.code == 5
        assert f"wsrep_cluster_address in {resource.config}: 'x' in 'h1:x' is no port" in begun.reason
        assert f"pcs resource update {resource.resource} wsrep_cluster_address=gcomm://" in begun.reason
        mended = resource.call("start", wsrep_cluster_address=f"gcomm://{resource.address}, {resource.address},")
        assert (mended.code, mended.err) == (0, "")

    def test_a_list_without_this_node_is_refused(self, resource: Resource) -> None:
        other = resource.net.address(98)
        resource.parameters["wsrep_cluster_address"] = f"gcomm://{other}"
        resource._make_directory()
        assert resource.call("start").code == 0
        seen = resource.monitor()
        assert seen.code == 190
        assert "wsrep_cluster_address" in seen.reason
        assert resource.server_pids() == []


class TestWhatAMonitorCosts:
    def test_depth_0_imports_nothing_that_it_has_no_use_for(self, running: Resource) -> None:
        code = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from xha.doors.ocf.galera import main\n"
            "code = main(['monitor'])\n"
            f"print(code, sorted({NOT_FOR_A_MONITOR!r} & set(sys.modules)))"
        )
        meta = {"OCF_RESOURCE_INSTANCE": running.resource, "OCF_RESKEY_CRM_meta_interval": "10000"}
        done = running.host.run(sys.executable, "-IS", "-c", code, str(CHECKOUT / "lib"), **meta)
        assert done.out == "0 []\n", done.err

    def test_depth_0_costs_less_than_asking_the_server(self, running: Resource) -> None:
        wait_until(lambda: running.run_file("keeper.json").get("code") == "synced", 60, "the keeper has asked it")
        flat, deep = (sorted(running.monitor(level).cpu for _ in range(5))[2] for level in (0, 10))
        print(f"processor time of a monitor: {1000 * flat:.0f} ms at depth 0, {1000 * deep:.0f} ms at depth 10")
        assert flat < deep


class TestOcfTester:
    def test_it_passes_all_but_the_dtd_of_ocf_1_0(self, make_resource: MakeResource) -> None:
        """What that complains of is listed in test_metadata.py."""
        one = make_resource()
        one._make_directory()
        tester = find_program("ocf-tester", "resource-agents")
        words = [word for pair in one.parameters.items() for word in ("-o", "=".join(pair))]
        done = one.host.run(tester, "-v", "-n", one.resource, *words, AGENT, timeout=120)
        failed = re.findall(r"^\* rc=\d+: (.*)$", done.out, re.MULTILINE)
        assert failed == ["Your agent produces meta-data which does not conform to ra-api-1.dtd"], done.out + done.err
        assert "failed 1 tests" in done.err
