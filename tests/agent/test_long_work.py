"""What takes long, a recovery, a creation and a look at the host: the keeper goes on saying what it does meanwhile.

Nothing of them outlives it. The server's program is a script that waits before it does its work, until the test lets
it go on.
"""

from __future__ import annotations

import os
import shlex

import pytest

from agent.host import Resource
from agent.test_life import MakeResource, await_code, host, make_resource
from loopback import find_program, wait_until
from loopback.galera import LOG_FILE_SIZE

__all__ = ["host", "make_resource"]  # fixtures of another module

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not root")

# The program of each, its arguments, and how many of its calls do not wait.
RECOVERY, CREATION = ("mariadbd", '*" --wsrep-recover "*', 0), ("mariadb-install-db", "*", 0)
# The first is the keeper's that begins, and takes no step yet.
LISTING = ("mariadbd", '*" --help "*', 1)
SLOW = """#!/bin/bash
case " $* " in {words})
    echo $$ >>{begun}
    while [ -e {held} ] && [ "$(wc -l <{begun})" -gt {free} ]; do sleep 0.05; done ;;
esac
exec {program} "$@"
"""
PROMPT = 10.0


class Slow:
    """A node whose server's recovery, or the creation of its database, lasts until `let_go`."""

    def __init__(self, one: Resource, what: tuple[str, str, int]) -> None:
        self.node, self._held, self._begun = one, one.directory / "held", one.directory / "begun"
        if one.created:
            one._make_directory()
        self._held.touch()
        self._begun.touch(mode=0o666)
        self._begun.chmod(0o666)
        server, (name, words, free) = one.directory / "mariadbd", what
        server.symlink_to(find_program("mariadbd", "mariadb-server"))
        program, real = one.directory / name, find_program(name, "mariadb-server")
        program.unlink(missing_ok=True)
        paths = {"program": real, "begun": self._begun, "held": self._held}
        quoted = {word: shlex.quote(str(path)) for word, path in paths.items()}
        program.write_text(SLOW.format(words=words, free=free, **quoted))
        program.chmod(0o755)
        one.parameters.update(binary=str(server), start_wait="0")

    def begin(self) -> int:
        """Start the node; return the pid of what it runs, once it does."""
        before = len(self.begun())
        assert self.node.call("start").code == 0
        begun = wait_until(lambda: self.begun()[before:], 30, lambda: f"it begins: {self.node.host.syslog[-2000:]}")
        return begun[0]

    def begun(self) -> list[int]:
        """The pids that such a program had, in their order."""
        return [int(pid) for pid in self._begun.read_text().split()]

    def let_go(self) -> None:
        self._held.unlink()

    def alive(self, pid: int) -> bool:
        return self.node.host.run("kill", "-0", str(pid)).code == 0

    def phase(self) -> str:
        return str(self.node.run_file("keeper.json").get("phase"))

    def at(self) -> float:
        return float(self.node.run_file("keeper.json").get("at", 0.0))

    def left(self) -> str:
        """What still runs of the node: its keeper, the keeper's child, and programs that name its directory."""
        listed = self.node.host.run("ps", "-e", "-o", "pid=,comm=,args=").out.splitlines()
        ours = (str(self.node.directory), "xha-recovery", "xha-creation", "xha-host", " keeper")
        return "\n".join(line for line in listed if any(word in line for word in ours))

    def assert_fresh(self) -> None:
        """The status goes on being written, and says all the time since when it is at this."""
        before = self.node.run_file("keeper.json")
        for _ in range(3):
            at = self.at()
            wait_until(lambda at=at: self.at() > at, 20, "the status is written again")  # type: ignore[misc]
        now = self.node.run_file("keeper.json")
        assert (now["phase"], now["reason"], now["since"]) == (before["phase"], before["reason"], before["since"])


@pytest.fixture
def recovery(make_resource: MakeResource) -> Slow:
    return Slow(make_resource(), RECOVERY)


@pytest.fixture
def listing(make_resource: MakeResource) -> Slow:
    return Slow(make_resource(), LISTING)


@pytest.fixture
def creation(make_resource: MakeResource) -> Slow:
    one = make_resource(created=False)
    one.parameters.update(
        wsrep_cluster_address=f"gcomm://{one.address}", enable_creation="1", additional_parameters=LOG_FILE_SIZE
    )
    return Slow(one, CREATION)


class TestARecovery:
    def test_its_node_says_since_when_it_recovers_and_comes_up_behind_it(self, recovery: Slow) -> None:
        recovery.begin()
        assert recovery.phase() == "recovering"
        recovery.assert_fresh()
        seen = recovery.node.monitor()
        assert (seen.code, "finding out where the data end" in seen.reason) == (190, True)
        recovery.let_go()
        await_code(recovery.node, 0, 60)
        assert len(recovery.begun()) == 1

    def test_a_stop_ends_it_at_once_and_leaves_nothing(self, recovery: Slow) -> None:
        pid = recovery.begin()
        ended = recovery.node.call("stop")
        assert (ended.code, recovery.alive(pid), recovery.left()) == (0, False, "")
        assert ended.seconds < PROMPT
        assert recovery.node.monitor().code == 7

    def test_a_stop_ends_a_server_that_recovers_and_is_frozen(self, recovery: Slow) -> None:
        recovery.begin()
        recovery.let_go()
        [pid] = wait_until(recovery.node.server_pids, 20, "the server recovers")
        recovery.node.signal("STOP", pid)
        ended = recovery.node.call("stop")
        assert (ended.code, recovery.alive(pid), recovery.left()) == (0, False, "")
        assert ended.seconds < PROMPT

    def test_it_dies_with_a_keeper_that_is_killed_and_the_next_one_begins_anew(self, recovery: Slow) -> None:
        first = recovery.begin()
        keeper = recovery.node.keeper_pid
        recovery.node.signal("KILL", keeper)
        wait_until(lambda: not recovery.left(), 20, lambda: f"nothing of it is left: {recovery.left()}")
        assert recovery.node.monitor().code == 7
        second = recovery.begin()
        assert (recovery.alive(first), recovery.alive(second)) == (False, True)
        recovery.let_go()
        await_code(recovery.node, 0, 60)
        assert recovery.begun() == [first, second]

    def test_a_child_that_is_killed_is_told_and_followed_by_another(self, recovery: Slow) -> None:
        first = recovery.begin()
        recovery.node.host.run("pkill", "-KILL", "-x", "xha-recovery", check=True)
        wait_until(lambda: "xha-recovery was killed by SIGKILL" in recovery.node.monitor().reason, 20, "it is told")
        wait_until(lambda: len(recovery.begun()) == 2, 30, "it is tried again")
        assert not recovery.alive(first)
        recovery.let_go()
        await_code(recovery.node, 0, 60)


class TestALookAtTheHost:
    """The server lists its options for the keeper before it is started; it has 10 s for that."""

    def test_no_turn_of_the_keeper_waits_for_it(self, listing: Slow) -> None:
        listing.begin()
        [pid] = wait_until(lambda: listing.begun()[1:], 30, "the host is looked at")
        written = []
        for _ in range(3):
            at = listing.at()
            wait_until(lambda at=at: listing.at() > at, 20, "the status is written again")  # type: ignore[misc]
            written.append(listing.alive(pid))
        assert any(written)
        assert listing.phase() == "recovering"
        listing.let_go()
        await_code(listing.node, 0, 60)

    def test_a_stop_ends_it_at_once_and_leaves_nothing(self, listing: Slow) -> None:
        listing.begin()
        [pid] = wait_until(lambda: listing.begun()[1:], 30, "the host is looked at")
        ended = listing.node.call("stop")
        assert (ended.code, listing.alive(pid), listing.left()) == (0, False, "")
        assert ended.seconds < PROMPT


class TestACreation:
    def test_its_node_says_since_when_it_creates_and_comes_up_behind_it(self, creation: Slow) -> None:
        creation.begin()
        assert creation.phase() == "forming"
        creation.assert_fresh()
        assert creation.node.monitor().code == 190
        creation.let_go()
        await_code(creation.node, 0, 60)
        assert creation.node.host.syslog.count(f"creating a database in {creation.node.datadir}") == 1

    def test_a_stop_ends_it_at_once_and_leaves_nothing(self, creation: Slow) -> None:
        pid = creation.begin()
        ended = creation.node.call("stop")
        assert ended.code == 0
        assert ended.seconds < PROMPT
        wait_until(lambda: not creation.left(), 20, lambda: f"nothing of it is left: {creation.left()}")
        assert not creation.alive(pid)

    def test_it_dies_with_a_keeper_that_is_killed_and_the_next_one_creates_anew(self, creation: Slow) -> None:
        first = creation.begin()
        creation.node.signal("KILL", creation.node.keeper_pid)
        wait_until(lambda: not creation.alive(first), 20, "the creation has ended with its keeper")
        creation.begin()
        creation.let_go()
        await_code(creation.node, 0, 90)
        self.assert_whole(creation)

    def test_what_it_has_started_lets_nobody_at_the_data_until_it_has_ended(self, creation: Slow) -> None:
        """A keeper is killed in the middle of it: its program is gone at once, and mariadbd reads on what was sent."""
        creation.let_go()
        assert creation.node.call("start").code == 0
        wait_until((creation.node.datadir / "mysql").exists, 60, "mariadbd creates the tables")
        creation.node.signal("KILL", creation.node.keeper_pid)
        assert creation.node.call("start").code == 0
        await_code(creation.node, 0, 90)
        self.assert_whole(creation)
        assert "mysqld has ended" not in creation.node.host.syslog  # what creates a database is no server to adopt

    @staticmethod
    def assert_whole(creation: Slow) -> None:
        assert creation.node.sql("SELECT COUNT(*) FROM mysql.global_priv WHERE User = 'root'") == ((1,),)
        assert creation.node.sql("SHOW TABLES IN mysql LIKE 'help_topic'") == (("help_topic",),)
