"""Root in directories of the server's account: no name there redirects root, and none blocks it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loopback import Net, find_program, wait_until
from loopback.doors import CHECKOUT
from loopback.server_root import server_user
from security.attacker import Attacker
from server.conftest import make_server, server
from server.machine import Server
from xha.adapters.datadir.contents import DataDirectory
from xha.adapters.datadir.quarantine import QUARANTINES_KEPT
from xha.adapters.files import scratch as scratch_module
from xha.adapters.files.agent_rundir import RunDir
from xha.adapters.files.as_account import Account, act_as
from xha.adapters.files.atomic_write import replace_text
from xha.adapters.files.foreign import MOST_NAMES, Directory, UnfitPath
from xha.adapters.files.report_file import write_report
from xha.adapters.files.scratch import scratch
from xha.adapters.lifecycle.creation import create, make_datadir
from xha.adapters.lifecycle.launch import Unusable, launch, recover
from xha.adapters.mysqld.error_log import check_log, read_log, read_size
from xha.adapters.mysqld.program import find_account, read_options
from xha.adapters.mysqld.program import find_program as find_mariadbd
from xha.adapters.process.captured_output import capture_output
from xha.adapters.process.procfs import read_process
from xha.core.galera.node_record import NodeRecord
from xha.core.galera.position import Position

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")

__all__ = ["make_server", "server"]
PRECIOUS = "precious\n"
# In seconds: each step takes milliseconds, or hangs.
PROMPT, HANGS = 30.0, 300


@pytest.fixture
def account() -> Account:
    return find_account("mysql")


@pytest.fixture
def place(net: Net) -> Path:
    """A directory of the server's account, in one of root's that every account can enter."""
    directory = net.directory / f"place-{os.urandom(4).hex()}"
    directory.mkdir(mode=0o755)
    os.chown(directory, *owner())
    return directory


@pytest.fixture
def precious(net: Net) -> Iterator[Path]:
    """A file and a directory of root's that no attack may change or reveal."""
    directory = net.directory / f"root-{os.urandom(4).hex()}"
    directory.mkdir(mode=0o700)
    file = directory / "shadow"
    file.write_text(PRECIOUS)
    file.chmod(0o600)
    yield file
    assert sorted(path.name for path in directory.iterdir()) == ["shadow"]
    assert file.read_text() == PRECIOUS
    for path, mode in ((file, 0o600), (directory, 0o700)):
        seen = path.stat()
        assert (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)) == (0, 0, mode)


@pytest.fixture(autouse=True)
def _scratch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A scratch directory of the test's own: tests that run in parallel must not remove what it leaves there."""
    base = f"/run/xha-test-scratch-{os.urandom(4).hex()}"
    monkeypatch.setattr(scratch_module, "BASE", base)
    yield
    shutil.rmtree(base, ignore_errors=True)


def owner() -> tuple[int, int]:
    entry = pwd.getpwnam("mysql")
    return entry.pw_uid, entry.pw_gid


@pytest.fixture(autouse=True)
def _nothing_hangs() -> Iterator[None]:
    def hangs(number: int, frame: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(HANGS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# --- the directory of a recovery, a listing, a creation


def stand_in(server: Server, script: str) -> str:
    """A server program that first does what its account could make the real one do, for instance by ptrace."""
    real = find_program("mariadbd", "mariadb-server")
    path = server.directory / "mariadbd"
    path.write_text(f'#!/bin/bash\n{script}\nexec {shlex.quote(real)} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_links_in_the_directory_of_a_recovery_lead_root_nowhere(server: Server, precious: Path) -> None:
    """The account that owns the directory fills it with links to a file of root's before the server runs."""
    script = f"""
for word in "$@"; do case $word in --tmpdir=*)
    for name in output recovery.log pid socket; do ln -s {precious} "${{word#--tmpdir=}}/$name"; done ;;
esac; done"""
    program = server.program()._replace(binary=stand_in(server, script))
    with pytest.raises(UnfitPath, match=r"recovery\.log: it is a symbolic link"):
        recover(program, time.monotonic() + 30)
    assert not list(Path(scratch_module.BASE).glob("recovery-*")), "nothing of it is left"


def test_a_listing_that_names_files_of_root_s_has_root_make_none_of_them(server: Server, precious: Path) -> None:
    """A listing comes from a process of the server's account: root neither makes nor gives away what it names."""
    log, place = f"{precious.parent}/ld.so.preload", f"{precious.parent}/run/mysqld.sock"
    script = f"""
case " $* " in *" --help "*)
    {shlex.quote(find_program("mariadbd", "mariadb-server"))} "$@" |
        sed -E -e 's|^(log-error ).*|\\1{log}|' -e 's#^(socket|pid-file) .*#\\1 {place}#'
    exit ;;
esac"""
    program = server.program(binary=stand_in(server, script))
    assert (program.log, program.socket) == (log, place)
    with pytest.raises(Unusable, match=f"{precious.parent}/run: mysql cannot make this directory"):
        launch(program, None)
    with pytest.raises(Unusable, match=f"log={log}: mysql may not write it"):
        launch(program._replace(socket=str(server.socket), pid=str(server.pid_file)), None)


def test_a_listing_without_end_is_cut(server: Server) -> None:
    """The account can make the program print forever: what root keeps of it is limited, in bytes and in time."""
    before = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    binary = stand_in(server, 'case " $* " in *" --help "*) exec cat /dev/zero ;; esac')
    with pytest.raises(TimeoutError, match="incomplete"):  # what was cut off is unknown
        server.program(binary=binary)
    after = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    assert after - before < 60_000, "kB"


# In a mount namespace of its own, in which the disk for temporary files has this many KiB left.
IN_A_SMALL_TMP = """
import sys
sys.path.insert(0, {lib!r})
from xha.adapters.mysqld.program import find_program, read_options
from xha.core.ocf.galera_settings import Settings
program, options = read_options(find_program(Settings(config={config!r}, binary={binary!r})))
print(options.wsrep_provider, options.wsrep_on)
"""


@pytest.mark.parametrize("kib", [0, 4, 64, 120])
def test_a_full_disk_for_temporary_files_tears_no_listing(server: Server, kib: int) -> None:
    """Any user can fill /tmp; the server does not notice that its listing is torn, and exits with code 0."""
    settings = server.settings()
    program, options = read_options(find_mariadbd(settings))
    code = IN_A_SMALL_TMP.format(lib=str(CHECKOUT / "lib"), config=program.config, binary=program.binary)
    small = server.directory / "tmp"
    small.mkdir()
    script = """
mount -t tmpfs -o size=256k tmpfs "$TMPDIR"
head -c $((256 * 1024 - $1 * 1024)) /dev/zero >"$TMPDIR/fill"
exec "$2" -c "$3"
"""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(kib), sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(small)},
    )
    assert done.stderr == ""
    assert done.stdout.split() == [options.wsrep_provider, str(options.wsrep_on)]
    assert options.wsrep_provider


@pytest.mark.parametrize(
    ("filter_", "says"),
    [("head -c 60000", "ended before the end of it"), ("true", "ended before the end of it")],
    ids=["torn", "empty"],
)
def test_of_a_torn_listing_nothing_is_known(server: Server, filter_: str, says: str) -> None:
    real = shlex.quote(find_program("mariadbd", "mariadb-server"))
    binary = stand_in(server, f'case " $* " in *" --help "*) {real} "$@" | {filter_}; exit 0 ;; esac')
    with pytest.raises(TimeoutError, match=f"listing of its options is incomplete: it {says}"):
        server.program(binary=binary)


def test_one_that_was_killed_at_its_listing_is_asked_again(server: Server) -> None:
    """For instance when memory runs out: the program has not refused anything."""
    binary = stand_in(server, 'case " $* " in *" --help "*) kill -9 $$ ;; esac')
    with pytest.raises(TimeoutError, match="it was killed by signal 9"):
        server.program(binary=binary)


def test_what_a_child_prints_is_bounded_in_memory() -> None:
    with capture_output(1 << 16) as place:
        subprocess.run(["/bin/sh", "-c", "echo before; exec cat /dev/zero"], stdout=place, stderr=-3, check=False)
        assert place.is_cut
        assert len(place.read()) == 1 << 16
        assert place.read().startswith(b"before\n")
        with pytest.raises(PermissionError):
            os.ftruncate(place.fileno(), 1 << 30)


def test_what_a_killed_process_left_is_removed_by_the_next_one(account: Account, precious: Path) -> None:
    """And nothing else: a link in it is removed as a link, and its target is not xha's."""
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(CHECKOUT / "lib")!r})
from xha.adapters.files import scratch as module
from xha.adapters.mysqld.program import find_account
module.BASE = {scratch_module.BASE!r}
with module.scratch(find_account("mysql"), "left") as directory:
    os.makedirs(directory.path + "/a/b/c")
    os.symlink({str(precious.parent)!r}, directory.path + "/a/link")
    os.symlink({str(precious)!r}, directory.path + "/file")
    print(directory.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    left = Path(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    )
    assert left.parent == Path(scratch_module.BASE)
    assert left.is_dir()
    # As the account would have made them: it could not remove what belongs to root.
    for path in (left / "a", left / "a/b", left / "a/b/c"):
        os.chown(path, *owner())
    with scratch(account, "next") as directory:
        assert not left.exists()
        assert Path(directory.path).stat().st_uid == account.uid
        assert Path(directory.path).stat().st_mode & 0o777 == 0o700
    assert not Path(directory.path).exists()


def leave(account: Account, script: str = "") -> Path:
    """A directory as a killed process leaves it, in which the account has run this Python code."""
    Path(scratch_module.BASE).mkdir(mode=0o755, parents=True, exist_ok=True)
    left = Path(scratch_module.BASE) / f"left-{2**22 - 1}-1-{os.urandom(4).hex()}"
    left.mkdir(mode=0o700)
    os.chown(left, *owner())

    def fill() -> bytes:
        os.chdir(left)
        exec(script, {"os": os})
        return b""

    act_as(account, fill, 30)
    return left


DEEP = """
for number in range(5000):
    os.mkdir("d" * 200); os.close(os.open(f"f{number}", os.O_CREAT)); os.chdir("d" * 200)
"""
LOCKED = """
os.makedirs("a/b/c"); os.symlink("/etc", "a/b/link"); os.mkfifo("a/fifo")
for path in ("a/b/c", "a/b", "a"): os.chmod(path, 0)
"""
WIDE = """
for number in range(3000): os.mkdir(f"{number}"); os.close(os.open(f"{number}/f", os.O_CREAT))
"""


@pytest.mark.parametrize("script", [DEEP, LOCKED, WIDE], ids=["deep", "locked", "wide"])
def test_whatever_the_account_left_is_removed(account: Account, script: str) -> None:
    """A tree of 1500 directories ended a recursive removal with a RecursionError, so that it stayed forever."""
    left = leave(account, script)
    for _ in range(20):  # a second each on a busy machine
        with scratch(account, "next"):
            pass
        if not left.exists():
            return
    raise AssertionError("it is there for ever")


def test_a_removal_that_the_account_stops_holds_nobody_up(account: Account, capfd: pytest.CaptureFixture[str]) -> None:
    """SIGSTOP to the child that removes, which has the account's rights: it cost 5 s for each remaining directory."""
    left = [leave(account) for _ in range(5)]
    children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    stopper = os.fork()
    if not stopper:
        os.setgid(account.gid)
        os.setuid(account.uid)
        while True:
            for pid in Path(children).read_text().split():
                if int(pid) != os.getpid():
                    with contextlib.suppress(OSError):
                        os.kill(int(pid), signal.SIGSTOP)
    try:
        for path in left:
            for number in range(2000):
                (path / f"{number}").touch()
        began = time.monotonic()
        with scratch(account, "next") as directory:
            made = Path(directory.path)
        took = time.monotonic() - began
    finally:
        os.kill(stopper, signal.SIGKILL)
        os.waitpid(stopper, 0)
    assert took < 20
    assert made.exists() == (str(made) in capfd.readouterr().err), "what stays is told of"
    for _ in range(20):
        with scratch(account, "next"):
            pass
        if not any(path.exists() for path in [*left, made]):
            return
    raise AssertionError("what was hindered is removed later")


def test_what_nobody_can_remove_is_tried_a_few_at_a_time(account: Account) -> None:
    """A directory of another account in one of its own: its rights do not suffice there."""
    left = [leave(account) for _ in range(60)]
    for path in left:
        (path / "x").mkdir()
        (path / "x/y").touch()
    try:
        began = time.monotonic()
        with scratch(account, "next") as directory:
            assert Path(directory.path).is_dir()
        assert time.monotonic() - began < 30
        assert all(path.exists() for path in left)
        assert not Path(directory.path).exists()
    finally:
        for path in left:
            shutil.rmtree(path)


# --- parent directories that are replaced by links


def swap(directory: Path, link: Path, target: Path) -> None:
    """As the owner of a directory, replace a name in it by a link."""
    Attacker("mysql").run(f"mv {link} {link}.away 2>/dev/null; ln -s {target} {link}")
    assert link.is_symlink()
    assert link.parent == directory


def test_a_data_directory_that_is_swapped_for_a_link_is_not_used(place: Path, precious: Path) -> None:
    (place / "data").mkdir()
    os.chown(place / "data", *owner())
    data = DataDirectory(str(place / "data"), owner())
    data.write_record(NodeRecord())
    swap(place, place / "data", precious.parent)
    for act in (
        lambda: data.write_grastate(Position(), safe_to_bootstrap=False),
        lambda: data.write_record(NodeRecord()),
        data.read_record,
        data.set_view_aside,
        data.mark_creation,
        data.read_contents,
        lambda: data.quarantine("why"),
    ):
        with pytest.raises(UnfitPath, match="a part of it is a symbolic link of mysql"):
            act()


def test_a_name_that_steers_a_terminal_is_told_without_it(place: Path) -> None:
    (place / "data").symlink_to("/x\x1b]0;owned\x07\nocf-exit-reason:all is well")
    os.chown(place / "data", *owner(), follow_symlinks=False)
    with pytest.raises(UnfitPath) as refused:
        DataDirectory(str(place / "data"), owner()).read_record()
    assert str(refused.value).isprintable()


def test_a_data_directory_of_root_s_is_not_used_as_the_server_s(precious: Path) -> None:
    """The server's account might name /etc as its data directory."""
    data = DataDirectory(str(precious.parent), owner())
    with pytest.raises(UnfitPath, match="it belongs to root, and not to mysql"):
        data.write_grastate(Position(), safe_to_bootstrap=False)


def test_a_link_of_root_s_own_in_a_directory_of_root_s_is_followed(net: Net, place: Path) -> None:
    """/var/lib/mysql is a link to another disk on many hosts."""
    link = net.directory / f"link-{os.urandom(4).hex()}"
    link.symlink_to(place)
    DataDirectory(str(link), owner()).write_grastate(Position(), safe_to_bootstrap=False)
    assert (place / "grastate.dat").exists()


@pytest.mark.parametrize("planted", ["before", "after"])
def test_a_quarantine_is_not_led_into_a_directory_of_root_s(place: Path, precious: Path, planted: str) -> None:
    (place / "data").mkdir()
    os.chown(place / "data", *owner())
    data = DataDirectory(str(place / "data"), owner())
    beside = place / "data.xha-quarantine"
    if planted == "after":
        data.quarantine("why")
    swap(place, beside, precious.parent)
    with pytest.raises(OSError, match="xha-quarantine"):
        data.quarantine("again")


def test_another_directory_of_root_s_in_the_quarantine_s_place_loses_nothing(place: Path) -> None:
    """The account owns the parent directory: it may rename root's backups, which it could not remove."""
    (place / "data").mkdir()
    os.chown(place / "data", *owner())
    backups = place / "backups"
    for day in ("day1", "day2", "day3", "day4", "0001-20260101T000000Z-000000000"):
        (backups / day).mkdir(parents=True, mode=0o700)
        (backups / day / "full.sql").write_text(PRECIOUS)
        (backups / day / "README").write_text("of the backup")
    backups.chmod(0o700)
    Attacker("mysql").run(f"mv {backups} {place}/data.xha-quarantine")
    for _ in range(QUARANTINES_KEPT + 2):
        DataDirectory(str(place / "data"), owner()).quarantine("why")
    left = {path.parent.name for path in (place / "data.xha-quarantine").glob("*/full.sql")}
    assert left == {"day1", "day2", "day3", "day4", "0001-20260101T000000Z-000000000"}


def test_what_the_account_puts_beside_its_data_neither_stops_nor_fills_a_quarantine(place: Path) -> None:
    """Every small file used to be copied: a README stopped the node forever, 5,000 took 313 MiB of root's disk."""
    (place / "data").mkdir()
    os.chown(place / "data", *owner())
    names = ("README", "error-log-tail", *(f"small-{number}" for number in range(300)))
    Attacker("mysql").run(f"cd {place}/data && touch {' '.join(names)} && echo x >grastate.dat")
    for _ in range(QUARANTINES_KEPT + 2):
        kept = DataDirectory(str(place / "data"), owner()).quarantine("why", "the end")
    assert sorted(path.name for path in Path(kept).iterdir()) == ["README", "error-log-tail", "grastate.dat"]
    assert len(list(Path(kept).parent.iterdir())) == QUARANTINES_KEPT


def test_a_directory_of_the_account_s_in_the_quarantine_s_place_is_not_used(place: Path) -> None:
    (place / "data").mkdir()
    Attacker("mysql").run(f"mkdir {place}/data.xha-quarantine")
    os.chown(place / "data", *owner())
    with pytest.raises(UnfitPath, match=r"data\.xha-quarantine: it belongs to mysql, and not to root"):
        DataDirectory(str(place / "data"), owner()).quarantine("why")


@pytest.mark.parametrize("what", ["socket", "pid"])
def test_the_directory_of_a_socket_or_a_pid_file_is_made_by_the_account_alone(
    server: Server, precious: Path, what: str
) -> None:
    """The account owns the parent directory and puts a link there: root makes and gives away nothing behind it."""
    swap(server.directory, server.directory / "run", precious.parent)
    program = server.program()._replace(**{what: f"{server.directory}/run/mine/{what}"})
    with pytest.raises(Unusable, match="run/mine: mysql cannot make this directory"):
        launch(program, None)


def test_a_directory_of_run_that_the_resource_names_is_made_and_given_away(server: Server) -> None:
    """/run is empty after a boot, and the account cannot make a directory there."""
    where = Path(f"/run/xha-test-{os.urandom(4).hex()}")
    try:
        program = server.program(socket=f"{where}/mysqld.sock")
        launched = launch(program, None, bootstrap=True)
        assert (where.stat().st_uid, where.stat().st_mode & 0o777) == (owner()[0], 0o755)
        assert launched.pid
        server.end()
    finally:
        for path in where.glob("*"):
            path.unlink()
        where.rmdir()


def test_a_directory_of_run_that_only_the_server_names_is_not_made(server: Server) -> None:
    """systemd, modprobe and others act on what they find there: /run/tmpfiles.d, /run/modprobe.d, /run/sysctl.d."""
    where = f"/run/xha-test-{os.urandom(4).hex()}"
    for what in ("socket", "pid"):
        program = server.program()._replace(**{what: f"{where}/{what}"})
        with pytest.raises(Unusable, match=f"mysql cannot make this directory.*install -d -o mysql {where}"):
            launch(program, None)
    assert not Path(where).exists()


@pytest.mark.parametrize(("given", "made_by"), [(True, "root"), (False, "the account, which may not")])
def test_root_makes_only_the_data_directory_that_the_resource_names(
    server: Server, net: Net, given: bool, made_by: str
) -> None:
    """A path of the option file comes from a process of the account, which may name /etc/cron.hourly."""
    path = net.directory / f"new-{os.urandom(4).hex()}"
    program = server.program()._replace(datadir=str(path), named=(str(path),) if given else ())
    if made_by == "root":
        make_datadir(program)
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (owner()[0], 0o750)
    else:
        with pytest.raises(Unusable, match=f"install -d -o mysql -m 750 {path}"):
            make_datadir(program)
        assert not path.exists()


def test_a_data_directory_that_is_there_keeps_its_owner(server: Server, precious: Path) -> None:
    make_datadir(server.program()._replace(datadir=str(precious.parent), named=(str(precious.parent),)))


# --- FIFOs without a writer: a plain open of one waits forever


def pipe(path: Path) -> None:
    Attacker("mysql").run(f"rm -rf {path}; mkfifo {path}")


@pytest.mark.parametrize("name", ["grastate.dat", "gvwstate.dat", "xha-node.json"])
def test_a_fifo_in_the_place_of_a_saved_state_is_named(place: Path, name: str) -> None:
    pipe(place / name)
    data = DataDirectory(str(place), owner())
    read: dict[str, Callable[[], object]] = {
        "grastate.dat": data.read_grastate,
        "gvwstate.dat": data.read_gvwstate,
        "xha-node.json": data.read_record,
    }
    with pytest.raises(UnfitPath, match=f"{name}: it is no regular file"):
        read[name]()


def test_a_fifo_in_the_place_of_the_mark_of_a_creation_holds_nothing_up(place: Path) -> None:
    pipe(place / ".xha-creating")
    data = DataDirectory(str(place), owner())
    assert data.has_creation_mark()
    data.mark_creation()
    assert stat.S_ISREG((place / ".xha-creating").lstat().st_mode)
    pipe(place / ".xha-creating")
    data.unmark_creation()
    assert not data.has_creation_mark()


def test_a_fifo_in_the_place_of_the_error_log_holds_nothing_up(server: Server, account: Account) -> None:
    log = Path(server.program().log)
    pipe(log)
    with pytest.raises(OSError, match="no regular file"):
        read_log(account, str(log))
    with pytest.raises(OSError, match="No such device"):
        check_log(account, str(log))
    assert server.recover().position is not None, "a recovery has a log of its own"


def test_the_size_of_an_error_log_that_may_not_be_seen_is_not_known(tmp_path: Path, account: Account) -> None:
    Attacker("mysql").reach(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "error.log").write_text("[ERROR] of long ago\n")
    assert read_size(account, str(closed / "error.log")) is None
    assert read_size(account, str(tmp_path / "absent.log")) == 0


def test_a_fifo_in_the_place_of_the_server_s_status_file_holds_no_monitor_up(tmp_path: Path) -> None:
    run = RunDir("p_mysql", str(tmp_path))
    path = Path(run.make_server_directory(*owner()))
    Attacker("mysql").reach(tmp_path)
    pipe(path / "status.json")
    with subprocess.Popen(
        ["sh", "-c", "read word", "sh", f"--wsrep-status-file={run.status_path}"], stdin=subprocess.PIPE
    ) as server:
        process = read_process(server.pid)
        assert process is not None
        wait_until(lambda: run.status_signature(process), 10, "the kernel tells its arguments")
        assert run.read_status(process) == ""
        server.kill()
    run.remove_status()
    assert not (path / "status.json").exists()


# --- hard links to files of root's (any account can make them with fs.protected_hardlinks=0)


def hard_link(target: Path, name: Path) -> None:
    os.link(target, name)


@pytest.mark.parametrize("name", ["grastate.dat", "xha-node.json"])
def test_a_second_name_of_a_file_of_root_s_is_not_read(place: Path, precious: Path, name: str) -> None:
    hard_link(precious, place / name)
    with Directory(str(place), owner=owner()[0]) as directory, pytest.raises(UnfitPath, match="it belongs to root"):
        directory.read(name, 1000)
    (place / name).unlink()


@pytest.mark.parametrize("name", ["grastate.dat", "xha-node.json"])
def test_the_last_name_of_a_file_of_root_s_is_not_read(place: Path, precious: Path, name: str) -> None:
    """Root replaces /etc/shadow by a rename: the link that the account made before is then its only name."""
    old = precious.parent / "old"
    old.write_text(PRECIOUS)
    old.chmod(0o640)
    hard_link(old, place / name)
    old.unlink()
    assert (place / name).stat().st_nlink == 1
    with Directory(str(place), owner=owner()[0]) as directory:
        with pytest.raises(UnfitPath, match="it belongs to root, and not to mysql; mend that with chown"):
            directory.read(name, 1000)
        for mode, gid in ((0o644, 0), (0o640, owner()[1])):  # as an operator writes one: the server reads it as well
            os.chown(place / name, 0, gid)
            (place / name).chmod(mode)
            assert directory.read(name, 1000) == PRECIOUS.encode()
        (place / name).chmod(0o604)
        with pytest.raises(UnfitPath):  # the group's rights count before those of all others
            directory.read(name, 1000)
    (place / name).unlink()


def test_a_directory_with_names_without_end_is_read_no_further(place: Path) -> None:
    """200,000 names took 2.5 s and 64 MB before anything was known of the data."""
    for number in range(MOST_NAMES):
        os.mknod(place / f"{number}")
    with Directory(str(place), owner=owner()[0]) as directory:
        assert len(directory.names()) == MOST_NAMES
        os.mkdir(place / "mysql")
        for look in (directory.names, DataDirectory(str(place), owner()).set_view_aside):
            with pytest.raises(UnfitPath, match=f"it holds more than {MOST_NAMES} names"):
                look()
        os.rmdir(place / "mysql")
        assert len(directory.names()) == MOST_NAMES, "it is read from its beginning each time"
    shutil.rmtree(place)


def test_a_second_name_of_a_file_of_root_s_as_the_error_log_is_neither_read_nor_given_away(
    place: Path, precious: Path, account: Account
) -> None:
    hard_link(precious, place / "error.log")
    for act in (read_log, check_log):
        with pytest.raises(PermissionError):
            act(account, str(place / "error.log"))
    (place / "error.log").unlink()


@pytest.mark.parametrize("plant", [os.symlink, os.link], ids=["link", "second name"])
def test_a_file_that_is_replaced_in_a_directory_of_others_is_written_to_no_file_of_root_s(
    place: Path, precious: Path, plant: Callable[[Path, Path], None]
) -> None:
    """The temporary name beside it can be guessed, for instance if xha.conf has the disabled file in /var/tmp."""
    plant(precious, place / f"disabled.{os.getpid()}.new")
    replace_text(str(place / "disabled"), "away", 0o644)
    assert (place / "disabled").read_text() == "away"
    assert [path.name for path in place.iterdir()] == ["disabled"]


@pytest.mark.parametrize("plant", [os.symlink, os.link], ids=["link", "second name"])
def test_the_error_file_of_clustercheck_is_no_file_of_root_s_in_a_directory_of_everybody_s(
    place: Path, precious: Path, plant: Callable[[Path, Path], None]
) -> None:
    """ERR_FILE=/tmp/clustercheck.err: run by root, clustercheck emptied whatever that name led to."""
    shared = place / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    plant(precious, shared / "error")
    with pytest.raises(OSError, match=r"Too many levels of symbolic links|no file of this account's"):
        write_report(str(shared / "error"), "why\n")
    (shared / "error").unlink()
    for text in ("a longer text\n", "why\n"):
        write_report(str(shared / "error"), text)
        assert (shared / "error").read_text() == text


def test_the_error_file_of_clustercheck_may_be_a_link_in_a_directory_of_root_s(tmp_path: Path) -> None:
    (tmp_path / "error").symlink_to("/dev/stderr")
    write_report(str(tmp_path / "error"), "")
    (tmp_path / "other").symlink_to(tmp_path / "target")
    write_report(str(tmp_path / "other"), "why\n")
    assert (tmp_path / "target").read_text() == "why\n"


# --- the child that does what only the account may


def test_work_as_an_account_is_done_with_its_rights_and_nothing_more(account: Account) -> None:
    def tell() -> bytes:
        return f"{os.getresuid()} {os.getresgid()} {sorted(os.getgroups())}".encode()

    uid, gid = account.uid, account.gid
    assert act_as(account, tell).decode() == f"{(uid, uid, uid)} {(gid, gid, gid)} {sorted(account.groups)}"
    assert (
        act_as(account, lambda: Path("/proc/self/status").read_bytes()).partition(b"CapEff:")[2].split()[0] == b"0" * 16
    )


def test_work_as_an_account_that_hangs_ends_at_its_deadline(account: Account) -> None:
    began, before = time.monotonic(), _children()
    with pytest.raises(TimeoutError, match=r"no end within 0\.2 s as mysql"):
        act_as(account, lambda: time.sleep(60) or b"", 0.2)
    assert time.monotonic() - began < PROMPT
    assert _children() == before


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.parametrize(
    ("work", "raised"),
    [
        (lambda: Path("/etc/shadow").read_bytes(), PermissionError),
        (lambda: Path("/nonexistent").read_bytes(), FileNotFoundError),
        (lambda: os.kill(os.getpid(), signal.SIGKILL) or b"", OSError),
    ],
    ids=["not allowed", "not there", "killed"],
)
def test_what_stops_work_as_an_account_is_raised_here(
    account: Account, work: Callable[[], bytes], raised: type
) -> None:
    with pytest.raises(raised):
        act_as(account, work)


def test_a_database_is_still_created_where_a_fifo_was_its_mark(server: Server) -> None:
    shutil.rmtree(server.datadir)
    server.datadir.mkdir(mode=0o750)
    if server_user():
        os.chown(server.datadir, *owner())
    pipe(server.datadir / ".xha-creating")
    create(server.program(), time.monotonic() + 60)
    assert server.files.read_contents().initialised
