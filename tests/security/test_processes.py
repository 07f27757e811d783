"""Other users' processes: none is taken for the server, receives a password or a signal, or delays an action."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest

from agent.host import AGENT, Host, Resource, Result
from loopback import Net, find_program, wait_until
from security import stalled
from xha.adapters.mysqld.trust import Trust
from xha.adapters.process.procfs import Process, read_process, read_uid

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts at hand")

MakeResource = Callable[..., Resource]
_numbers = itertools.count(1)
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
# Actions with this timeout: stop keeps 5 s of it for itself, and no test waits for three minutes.
SHORT = {"CRM_meta_timeout": "20000"}
# clone(2) as a system call: its number on this machine.
CLONE = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine, 220)
SECRET = {"test_user": "root", "test_passwd": "gEhEiM-4711"}


@pytest.fixture(scope="module")
def host(net: Net) -> Iterator[Host]:
    find_program("mariadbd", "mariadb-server")
    with Host(net, net.directory / "attacked") as running:
        yield running


@pytest.fixture
def make_resource(host: Host) -> Iterator[MakeResource]:
    made: list[Resource] = []

    def make(**options: Any) -> Resource:
        made.append(Resource(host, f"db-{next(_numbers)}", host.net.next_address(), **options))
        made[-1]._make_directory()
        made[-1].datadir.chmod(0o755)  # as in Debian
        return made[-1]

    yield make
    for one in made:
        end = one.call("stop")
        assert (end.code, one.server_pids()) == (0, []), end.err


@pytest.fixture
def resource(make_resource: MakeResource) -> Resource:
    """A node that does not run yet. Every account may enter its data directory, but not read a file in it."""
    return make_resource()


@pytest.fixture
def running(resource: Resource) -> Resource:
    begun = resource.call("start")
    assert (begun.code, begun.err) == (0, ""), begun
    return resource


@pytest.fixture
def place(host: Host) -> Path:
    """A directory in which every account can put programs."""
    directory = host.directory / f"place-{next(_numbers)}"
    directory.mkdir()
    directory.chmod(0o777)
    return directory


def call(one: Resource, action: str, **parameters: str) -> Result:
    return one.call(action, **SHORT, **parameters)


def probe(one: Resource, **parameters: str) -> Result:
    return one.call("monitor", interval=0, **SHORT, **parameters)


class Neighbour:
    """A process beside the server.

    It has printed its word before the block begins, and is killed when the block ends.
    """

    def __init__(
        self,
        host: Host,
        *command: str,
        started: str = "",
        environment: Mapping[str, str] | None = None,
        namespaces: str = "--mount --pid --net",
    ) -> None:
        enter = ["nsenter", f"--target={host.init}", *namespaces.split(), "--wd=/", "--"]
        self._process = subprocess.Popen(
            [*enter, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
        )
        assert self.child
        assert self._process.stdout is not None
        if started:
            assert self._process.stdout.readline() == f"{started}\n".encode(), command

    @property
    def child(self) -> int:
        """Its pid on this machine: nsenter forks."""
        return int(wait_until(self._children, 20, "nsenter has forked")[0])

    def _children(self) -> list[str]:
        return Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()

    @property
    def pid(self) -> int:
        """Its pid in the host's namespace."""
        line = next(
            line for line in Path(f"/proc/{self.child}/status").read_text().splitlines() if line.startswith("NSpid:")
        )
        return int(line.split()[-1])

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    @property
    def stdin(self) -> Any:
        return self._process.stdin

    def __enter__(self) -> Neighbour:
        return self

    def __exit__(self, *error: object) -> None:
        def ended() -> bool:
            subprocess.run(["kill", "-KILL", *self._everything()], stderr=subprocess.DEVNULL, check=False)
            return self._process.poll() is not None

        wait_until(ended, 20, "it ends")
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _everything(self) -> list[str]:
        """The pids below it, and its own last: otherwise a process that forks meanwhile would be left."""
        found, waiting = [], [str(self._process.pid)]
        while waiting:
            found.append(waiting.pop())
            try:
                waiting += Path(f"/proc/{found[-1]}/task/{found[-1]}/children").read_text().split()
            except OSError:
                continue
        return found[1:] or found


def shell(host: Host, script: str, *as_whom: str) -> Neighbour:
    """A shell that prints `ready` at a point of its script."""
    return Neighbour(host, *as_whom, "/bin/sh", "-c", script, started="ready")


# --- which processes are believed


def impostor(one: Resource, place: Path) -> str:
    """A script: a program called mysqld in the data directory, at a socket where it records each connection."""
    shutil.copy(find_program("socat", "socat"), place / "mysqld")
    (place / "mysqld").chmod(0o755)
    listen = f'{place}/mysqld UNIX-LISTEN:{place}/socket,fork,mode=777 SYSTEM:"echo met >>{place}/met"'
    waits = f"while ! [ -S {place}/socket ]; do sleep 0.05; done; echo ready; wait"
    return f"cd {one.datadir} && {listen} & {waits}"


def unfinished_listing(directory: Path) -> str:
    """A script: the real server's program hangs in a directory, because its whole output is not read."""
    real = find_program("mariadbd", "mariadb-server")
    return f"cd {directory} && exec {real} --no-defaults --help --verbose | (read line; echo ready; exec sleep 1000)"


class TestWhoseWordCounts:
    def test_a_program_of_nobody_s_called_mysqld_is_not_asked_and_in_nobody_s_way(
        self, resource: Resource, place: Path
    ) -> None:
        """A probe logged in at its socket, with the password."""
        with shell(resource.host, impostor(resource, place), *NOBODY) as attacker:
            seen = probe(resource, **SECRET)
            assert (seen.code, seen.reason) == (7, "")
            assert not (place / "met").exists()
            assert call(resource, "stop").code == 0
            assert call(resource, "start").code == 0
            assert len(resource.server_pids()) == 1
            assert resource.monitor().code == 0
            assert call(resource, "stop").code == 0
            assert attacker.lives
            assert not (place / "met").exists()

    def test_nobody_who_runs_the_server_s_own_program_there_is_not_asked(self, resource: Resource) -> None:
        with shell(resource.host, unfinished_listing(resource.datadir), *NOBODY) as attacker:
            assert probe(resource).code == 7
            assert call(resource, "stop").code == 0
            assert attacker.lives

    def test_forty_of_them_that_come_again_do_not_fail_a_stop_and_get_no_signal(
        self, running: Resource, place: Path
    ) -> None:
        """Each that was killed came back, and stop then said that the node needs to be fenced."""
        shutil.copy("/bin/sleep", place / "mysqld")
        again = f"while :; do {place}/mysqld 1000; echo ended >>{place}/ended; done"
        script = f"cd {running.datadir} && for n in $(seq 40); do ({again}) & done; echo ready; wait"
        with shell(running.host, script, *NOBODY):
            wait_until(lambda: len(running.host.run("pgrep", "-x", "mysqld").out.split()) == 40, 30, "forty run")
            before = running.host.run("pgrep", "-x", "mysqld").out
            ended = call(running, "stop")
            assert (ended.code, ended.err, running.server_pids()) == (0, "", [])
            assert running.host.run("pgrep", "-x", "mysqld").out == before
            assert not (place / "ended").exists()

    def test_a_state_transfer_that_nobody_plays_is_not_ended(self, running: Resource, place: Path) -> None:
        script = place / "wsrep_sst_rsync"
        script.write_text("#!/bin/sh\necho ready\nsleep 1000\n")
        script.chmod(0o755)
        play = f"cd {running.datadir} && exec setsid {script} --role joiner --datadir {running.datadir}"
        with shell(running.host, play, *NOBODY) as attacker:
            assert call(running, "stop").code == 0
            assert attacker.lives
            assert call(running, "start").code == 0

    def test_a_setuid_program_has_two_accounts_and_counts_for_neither(self, host: Host, place: Path) -> None:
        """Its effective account is root's, and the owner of its directory in /proc says only that."""
        program = place / "mariadbd"
        shutil.copy("/bin/sleep", program)
        program.chmod(0o4755)
        with Neighbour(host, *NOBODY, str(program), "1000") as attacker:
            wait_until(lambda: Path(f"/proc/{attacker.child}/comm").read_text() == "mariadbd\n", 20, "it runs")
            assert read_uid(attacker.child) == 0
            assert not Trust(frozenset((0,))).holds_account(attacker.child)

    def test_a_process_that_cannot_be_dumped_is_no_more_root_s_than_before(self, host: Host) -> None:
        """The files of such a process in /proc belong to root (prctl(2), PR_SET_DUMPABLE)."""
        code = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print('ready', flush=True); time.sleep(1000)"
        with Neighbour(host, *NOBODY, sys.executable, "-c", code, started="ready") as attacker:
            assert os.stat(f"/proc/{attacker.child}/status").st_uid == 0
            assert read_uid(attacker.child) == 65534
            assert not Trust(frozenset((0,))).holds_account(attacker.child)

    def test_a_name_that_steers_a_terminal_reaches_no_log(self) -> None:
        assert str(Process(7, 1, name="my\nsqld\x1b[2J\u202e")) == "my?sqld?[2J?, pid 7"


# --- data in use, by any process


@contextmanager
def holding(one: Resource, name: str, how: str, *as_whom: str) -> Iterator[Neighbour]:
    """Another account's process that received one of the data's files, opened with the given shell operator."""
    script = f"exec 3{how}{one.datadir}/{name} && exec {' '.join(as_whom)} sh -c 'echo ready; exec sleep 1000'"
    with shell(one.host, script) as holder:
        yield holder


class TestInUse:
    @pytest.mark.parametrize("name", ["ibdata1", "grastate.dat"])
    def test_who_may_write_to_the_data_is_named_and_never_killed(self, resource: Resource, name: str) -> None:
        assert call(resource, "start").code == 0
        assert call(resource, "stop").code == 0
        with holding(resource, name, "<>", *NOBODY) as holder:
            words = f"pid {holder.pid}, of nobody ({name} is open)"
            seen = probe(resource)
            assert (seen.code, words in seen.reason) == (190, True), seen
            call(resource, "start", start_wait="3")
            wait_until(lambda: words in resource.monitor().reason, 60, lambda: f"{words}: {resource.monitor()}")
            assert resource.server_pids() == []
            ended = call(resource, "stop")
            assert (ended.code, words in ended.reason) == (1, True), ended
            assert ended.seconds < 20
            assert holder.lives
        assert call(resource, "stop").code == 0
        assert probe(resource).code == 7

    def test_who_can_only_read_has_no_node_fenced(self, resource: Resource) -> None:
        """As a backup does, or any user if Galera made grastate.dat with another umask."""
        with holding(resource, "ibdata1", "<", *NOBODY) as holder:
            assert probe(resource).code == 190
            ended = call(resource, "stop")
            assert (ended.code, ended.err) == (0, "")
            assert ended.seconds < 20
            assert holder.lives

    def test_a_descriptor_that_only_names_a_file_and_a_lock_of_the_directory_are_nothing(
        self, resource: Resource
    ) -> None:
        """Every account that can enter the directory can have both, without a right to any file in it."""
        code = f"""
import fcntl, os, time
names = [os.open({str(resource.datadir)!r} + "/" + name, os.O_PATH) for name in ("ibdata1", "aria_log_control")]
directory = os.open({str(resource.datadir)!r}, os.O_RDONLY)
fcntl.flock(directory, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(1000)"""
        with Neighbour(resource.host, *NOBODY, "/usr/bin/python3", "-c", code, started="ready") as attacker:
            assert probe(resource).code == 7
            begun = call(resource, "start")
            assert (begun.code, begun.err) == (0, "")
            assert call(resource, "stop").code == 0
            assert attacker.lives

    def test_a_reader_with_a_lock_is_a_reader(self, resource: Resource) -> None:
        code = """
import fcntl, os, sys, time
fcntl.lockf(3, fcntl.LOCK_SH)
print("ready", flush=True)
time.sleep(1000)"""
        script = f"exec 3<{resource.datadir}/ibdata1 && exec {' '.join(NOBODY)} /usr/bin/python3 -c '{code}'"
        with shell(resource.host, script) as holder:
            assert probe(resource).code == 190
            assert call(resource, "stop").code == 0
            assert holder.lives

    @pytest.mark.alone  # every process that examines all others sees these files too
    @pytest.mark.parametrize("name", ["ibdata1", "table"])
    def test_fifty_thousand_open_files_cost_a_stop_no_more_than_a_second(
        self, resource: Resource, place: Path, name: str
    ) -> None:
        """Any user can have a million: a stop that takes too long has the node fenced."""
        code = f"""
import os, time
files = [os.open("{place}/{name}", os.O_RDWR | os.O_CREAT) for _ in range(12500)]
for _ in range(3):
    if not os.fork():
        time.sleep(1000)
print("ready", flush=True)
time.sleep(1000)"""
        before = call(resource, "stop")
        with Neighbour(resource.host, *NOBODY, "/usr/bin/python3", "-c", code, started="ready") as attacker:
            wait_until(lambda: len(attacker._everything()) == 4, 20, "four processes")
            ended = call(resource, "stop")
            assert (before.code, ended.code) == (0, 0)
            assert ended.cpu - before.cpu < 1.0
            assert attacker.lives

    @pytest.mark.alone
    @pytest.mark.parametrize("flags", [0x400, 0], ids=["one table for all", "a table each"])
    def test_more_descriptors_than_there_is_time_for_fail_no_stop_and_hold_no_start_up(
        self, resource: Resource, place: Path, flags: int
    ) -> None:
        """A stop of 20 s failed for them after 16 s, and a start had no deadline at all. CLONE_FILES costs nothing."""
        code = f"""
import ctypes, os, resource, time
file = os.open("{place}/ibdata1", os.O_RDWR | os.O_CREAT)
for _ in range(12400):
    os.dup(file)
for _ in range(100):
    if not ctypes.CDLL(None).syscall({CLONE}, {flags} | 17, 0, 0, 0, 0):
        time.sleep(1000)
print("ready", flush=True)
time.sleep(1000)"""
        with Neighbour(resource.host, *NOBODY, "/usr/bin/python3", "-c", code, started="ready") as attacker:
            ended = call(resource, "stop")
            assert (ended.code, ended.err) == (0, ""), ended
            assert ended.seconds < 16
            seen = probe(resource)
            begun = call(resource, "start", start_wait="3")
            assert max(seen.seconds, begun.seconds) < 40, (seen, begun)
            assert begun.code == 0, begun
            wait_until(resource.server_pids, 60, lambda: f"the server is started: {resource.monitor().err}")
            if flags:
                assert seen.code == 7, seen
                assert ended.seconds < 12
            else:
                assert (seen.code, ", of nobody" in seen.reason) == (190, True), seen
                assert "no time for all open files" in seen.reason
            assert call(resource, "stop").code == 0
            assert attacker.lives

    @pytest.mark.alone
    def test_a_lock_tells_of_a_server_that_there_is_no_time_to_find(self, resource: Resource, place: Path) -> None:
        """A server that was given its descriptors, among a million others."""
        code = f"""
import fcntl, os, time
fcntl.lockf(3, fcntl.LOCK_EX)
file = os.open("{place}/ibdata1", os.O_RDWR | os.O_CREAT)
for _ in range(12400):
    os.dup(file)
for _ in range(100):
    if not os.fork():
        os.close(3)
        time.sleep(1000)
print("ready", flush=True)
time.sleep(1000)"""
        many = f"{' '.join(NOBODY)} /usr/bin/python3 -c '{code}'"
        with shell(resource.host, f"exec 3<>{resource.datadir}/ibdata1 && exec {many}") as attacker:
            ended = call(resource, "stop")
            assert (ended.code, "ibdata1" in ended.reason) == (1, True), ended
            assert ended.seconds < 25
            assert attacker.lives

    def test_a_server_by_another_program_is_neither_asked_nor_ended(self, resource: Resource, place: Path) -> None:
        """A real one that serves the data: it is somebody's, and the reason why the node is not started."""
        program = place / "mariadbd"
        shutil.copy(find_program("mariadbd", "mariadb-server"), program)
        command = f"cd / && exec {program} --defaults-file={resource.config} --user=mysql --wsrep-new-cluster"
        with Neighbour(resource.host, "sh", "-c", command) as stranger:
            wait_until(resource.is_synced, 60, "it serves")
            pid = stranger.pid
            seen = probe(resource, **SECRET)
            assert (seen.code, f"mariadbd, pid {pid}, of mysql" in seen.reason) == (190, True), seen
            ended = call(resource, "stop")
            assert (ended.code, f"pid {pid}" in ended.reason) == (1, True), ended
            assert stranger.lives
            assert resource.is_synced()


# --- file systems that do not answer


class Stalling:
    """A file system at a path.

    After stall() it does not answer, like NFS without its server; the block's end ends it.
    """

    def __init__(self, host: Host, point: Path) -> None:
        self.host, self.point = host, point
        self._server = Neighbour(host, sys.executable, "-I", stalled.__file__, str(point), started="ready")

    def stall(self) -> None:
        self._server.stdin.write(b"\n")
        self._server.stdin.flush()
        # Every process that accesses it now hangs. It is not waited for, because possibly not even SIGKILL ends it.
        # It answers until it has read the line.
        waits = f"stat -L {self.point} >/dev/null 2>&1 & sleep 1; kill -0 $!"
        wait_until(lambda: self.host.run("sh", "-c", waits).code == 0, 30, f"{self.point} does not answer any more")

    def detach(self) -> None:
        self.host.run("umount", "-l", str(self.point), check=True)

    def __enter__(self) -> Stalling:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__()
        self.host.run("umount", "-l", str(self.point))


@pytest.fixture
def point(host: Host, place: Path) -> Path:
    """A mount point for a file system that does not answer."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("this kernel has no FUSE")
    (place / "mount").mkdir()
    return place / "mount"


BESIDE = {
    "an open file": "exec 3<{mount}/ibdata1; echo ready; exec sleep 1000",
    "a working directory": "cd {mount} && echo ready && exec sleep 1000",
    "a mount that was detached": "cd {mount} && exec 3<ibdata1; echo ready; exec sleep 1000",
}


class TestWhatDoesNotAnswer:
    @pytest.mark.parametrize("what", [*BESIDE, "a server of other data", "such a server, detached"])
    def test_a_stalled_mount_holds_no_action_up(self, running: Resource, point: Path, what: str) -> None:
        """A process has something open there: a stop took 9 min 53 s.

        Each action has 20 s, and takes its usual time.
        """
        script = BESIDE[what].format(mount=point) if what in BESIDE else unfinished_listing(point)
        with ExitStack() as stack:
            opened = stack.enter_context(Stalling(running.host, point))
            stack.enter_context(shell(running.host, script))
            stack.callback(opened.__exit__)  # before the process that has something open there, because that cannot end
            opened.stall()
            if "detached" in what:
                opened.detach()
            assert running.monitor().code == 0
            running.signal("KILL", running.keeper_pid)
            running.host.lose_run()
            seen = [probe(running)]
            seen += [call(running, "stop"), probe(running), call(running, "start"), call(running, "stop")]
            assert [one.code for one in seen] == [0, 0, 7, 0, 0], seen
            assert max(one.seconds for one in seen) < 40
            assert running.server_pids() == []


# --- another data directory


@pytest.fixture
def by_file(make_resource: MakeResource) -> Resource:
    """A running node whose data directory is only in its option file."""
    one = make_resource()
    del one.parameters["datadir"]
    assert one.call("start").code == 0
    return one


def lead_elsewhere(one: Resource) -> Path:
    """Edit the option file: from the next start on, the data directory is another one."""
    other = one.directory / "other"
    shutil.copytree(one.datadir, other, ignore=shutil.ignore_patterns("*.sock", "*.pid"))
    for path in (other, *other.rglob("*")):
        shutil.chown(path, "mysql", "mysql")
    one.config.write_text(one.config.read_text().replace(f"datadir={one.datadir}\n", f"datadir={other}\n"))
    assert f"datadir={other}\n" in one.config.read_text()
    return other


class TestTheWrongPlace:
    def test_a_server_is_where_it_was_started_whatever_the_option_file_says_now(self, by_file: Resource) -> None:
        """A new keeper looked only at the new directory; then stop returned 0 and a probe 7 while the server served."""
        other, [pid] = lead_elsewhere(by_file), by_file.server_pids()
        keeper = by_file.keeper_pid
        by_file.signal("KILL", keeper)
        assert probe(by_file).code == 0
        assert by_file.monitor().code in (0, 190)
        wait_until(lambda: by_file.keeper_pid not in (0, keeper), 20, "another keeper")
        wait_until(lambda: by_file.monitor().code == 0, 20, lambda: by_file.monitor().err)
        assert (by_file.server_pids(), by_file.run_file("keeper.json")["datadir"]) == ([pid], str(by_file.datadir))
        assert f"though the configuration now names {other}" in by_file.host.syslog
        ended = call(by_file, "stop")
        assert (ended.code, by_file.server_pids()) == (0, [])
        assert probe(by_file).code == 7
        assert by_file.call("start").code == 0
        assert by_file.run_file("keeper.json")["datadir"] == str(other)

    def test_a_stop_ends_it_also_where_a_keeper_could_not_begin_since(self, by_file: Resource) -> None:
        lead_elsewhere(by_file)
        by_file.config.write_text(by_file.config.read_text() + "no_such_option=1\n")
        keeper = by_file.keeper_pid
        by_file.signal("KILL", keeper)
        by_file.monitor()
        wait_until(lambda: by_file.run_file("keeper.json")["phase"] == "failed", 20, "the keeper gave up")
        seen = probe(by_file)
        assert seen.code in (0, 190), seen
        assert len(by_file.server_pids()) == 1
        ended = call(by_file, "stop")
        assert (ended.code, by_file.server_pids()) == (0, []), ended

    def test_a_directory_that_was_renamed_below_a_server_hides_it_from_nobody(self, running: Resource) -> None:
        away = running.directory / "away"
        running.datadir.rename(away)
        try:
            running.signal("KILL", running.keeper_pid)
            assert probe(running).code in (0, 190)
            ended = call(running, "stop")
            assert (ended.code, running.server_pids()) == (0, []), ended
        finally:
            away.rename(running.datadir)

    def test_a_server_that_a_script_runs_is_known_after_its_keeper_is_gone(
        self, make_resource: MakeResource, place: Path
    ) -> None:
        script = place / "mysqld-with-options"
        script.write_text(f'#!/bin/sh\nexec {find_program("mariadbd", "mariadb-server")} "$@"\n')
        script.chmod(0o755)
        one = make_resource()
        one.parameters["binary"] = str(script)
        assert one.call("start").code == 0
        one.signal("KILL", one.keeper_pid)
        assert probe(one).code == 0
        one.host.lose_run()
        assert probe(one).code == 0
        assert (call(one, "stop").code, one.server_pids()) == (0, [])


# --- a look that fails


NO_PTRACE = "setpriv --bounding-set=-sys_ptrace --inh-caps=-all"


def apart(one: Resource, action: str, before: str = "", drop: str = NO_PTRACE) -> Result:
    """Call an action in a mount namespace of its own, after a command there; by default without CAP_SYS_PTRACE."""
    words = {f"OCF_RESKEY_{name}": value for name, value in {**one.parameters, **SHORT}.items()}
    script = f"{before}exec {drop} {AGENT} {action}"
    meta = {"OCF_RESOURCE_INSTANCE": one.resource, "OCF_RESKEY_CRM_meta_interval": "0"}
    return one.host.run("unshare", "--mount", "sh", "-c", script, **words, **meta)


class TestCouldNotLook:
    @pytest.mark.parametrize("hidden", [False, True], ids=["what others have open", "that others are there"])
    def test_what_may_not_be_seen_is_not_absent(self, running: Resource, hidden: bool) -> None:
        """Root without CAP_SYS_PTRACE, as in a container, sees no other account's files, or (hidepid) processes."""
        running.signal("KILL", running.keeper_pid)
        running.host.lose_run()
        hide = "mount -t proc -o hidepid=invisible none /proc && " if hidden else ""
        told = {action: apart(running, action, hide) for action in ("monitor", "stop")}
        assert {action: one.code for action, one in told.items()} == {"monitor": 190, "stop": 1}, told
        assert "cannot be told" in told["monitor"].reason
        assert "cannot be told" in told["stop"].reason
        assert len(running.server_pids()) == 1
        assert probe(running).code == 0

    @pytest.mark.parametrize("owner", ["mysql", "games"])
    def test_a_lock_that_another_pid_namespace_holds_is_seen_whoever_owns_the_file(
        self, resource: Resource, owner: str
    ) -> None:
        """ibdata1 was not opened if its owner was not the directory's, and so counted as not locked: 7, and 0."""
        ibdata = resource.datadir / "ibdata1"
        ibdata.touch()
        shutil.chown(ibdata, owner)
        code = f"""
import fcntl, time
file = open({str(ibdata)!r}, "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(1000)"""
        command = ["sh", "-c", '/usr/bin/python3 -c "$0" & wait', code]
        with Neighbour(resource.host, *command, started="ready", namespaces="--mount") as holder:
            seen, ended = probe(resource), call(resource, "stop")
            assert (seen.code, ended.code) == (190, 1), (seen, ended)
            assert "ibdata1" in seen.reason
            assert "ibdata1" in ended.reason
            assert holder.lives
        ibdata.unlink()

    @pytest.mark.parametrize(("owner", "codes"), [("games", (190, 1)), ("mysql", (7, 0))])
    def test_without_the_capability_whose_files_it_may_be_is_not_absent(
        self, resource: Resource, owner: str, codes: tuple[int, int]
    ) -> None:
        """Root in a container sees no other account's open files.

        A process that may not write the data is no obstacle.
        """
        ibdata = resource.datadir / "ibdata1"
        ibdata.touch()
        shutil.chown(ibdata, owner)
        games = ["setpriv", "--reuid=games", "--regid=60", "--clear-groups", "--"]
        opens = f"exec 3<>{ibdata}; " if owner == "games" else ""
        with shell(resource.host, f"{opens}echo ready; exec sleep 1000", *games):
            told = {action: apart(resource, action) for action in ("monitor", "stop")}
            assert (told["monitor"].code, told["stop"].code) == codes, told
            if codes[1]:
                assert all("of games" in one.reason for one in told.values()), told
        ibdata.unlink()

    def test_a_keeper_without_a_descriptor_left_does_not_say_that_the_server_has_ended(self, running: Resource) -> None:
        """What could not be read was empty, so the process counted as gone. test_terminate.py has each question."""
        [pid], keeper = running.server_pids(), running.keeper_pid
        limit = ("prlimit", f"--pid={keeper}")
        before = running.host.run(*limit, "--nofile", "--noheadings", "--raw", "--output=SOFT", check=True).out.strip()
        try:
            for most in range(3, 12):  # from none on, whatever it has open already
                running.host.run(*limit, f"--nofile={most}:", check=True)
                time.sleep(1.2)
                seen = running.monitor()
                assert seen.code in (0, 190), seen
                assert "ended" not in seen.reason
        finally:
            running.host.run(*limit, f"--nofile={before}:", check=True)
        wait_until(lambda: running.monitor().code == 0, 30, lambda: running.monitor().err)
        assert (running.server_pids(), running.keeper_pid) == ([pid], keeper)

    def test_a_run_that_cannot_be_written_fails_no_probe_and_no_stop(self, running: Resource) -> None:
        """The keeper's lock was opened for writing, although both only examine it."""
        for codes in ({"stop": 0, "monitor": 7}, {"monitor": 7, "stop": 0}):
            for action, code in codes.items():
                told = apart(running, action, "mount -o remount,bind,ro /run && ", drop="")
                assert (told.code, told.err) == (code, ""), (action, told)
            assert running.server_pids() == []

    def test_a_server_says_itself_whose_it_is_where_the_option_file_cannot_be_asked(self, by_file: Resource) -> None:
        """The server's default directory was used instead: stop returned 0 and a probe 7, while the server served."""
        by_file.signal("KILL", by_file.keeper_pid)
        by_file.host.lose_run()
        by_file.config.write_text("[mysqld\n" + by_file.config.read_text())
        seen, ended = probe(by_file), call(by_file, "stop")
        assert (seen.code, ended.code, by_file.server_pids()) == (0, 0, []), (seen, ended)

    def test_without_any_server_an_option_file_that_cannot_be_asked_hides_nothing(self, resource: Resource) -> None:
        del resource.parameters["datadir"]
        resource.config.write_text("[mysqld\n" + resource.config.read_text())
        assert (probe(resource).code, call(resource, "stop").code) == (7, 0)

    def test_a_proc_of_other_pids_is_not_ours(self, running: Resource) -> None:
        """For instance nsenter without --mount: its pids are other processes here."""
        with ExitStack() as stack:
            stranger = stack.enter_context(Neighbour(running.host, "sleep", "1000"))
            assert read_process(stranger.child) is not None
            script = f"exec unshare --pid --fork {AGENT} monitor"
            words = {f"OCF_RESKEY_{name}": value for name, value in running.parameters.items()}
            began = time.monotonic()
            running.signal("KILL", running.keeper_pid)
            running.host.lose_run()
            seen = running.host.run("sh", "-c", script, OCF_RESOURCE_INSTANCE=running.resource, **words)
            assert (seen.code, "cannot be told" in seen.reason) == (190, True), seen
            assert time.monotonic() - began < 60
