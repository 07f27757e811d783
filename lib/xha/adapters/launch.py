"""Starting the server program: to serve, to tell where its data end, or to create them. Never on data in use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import stat
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

from ..core.position import Position, parse_recovered_position
from ..core.serverlog import find_errors, is_inconsistent, tell
from .datadir import DataDirectory, read_tail
from .mariadbd import Unusable, clean_environment
from .occupants import find_occupants
from .procfs import Process, read_process, with_argv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .mariadbd import Program

# What mariadb.service gives a server.
FILES, LOCKED_BYTES, UMASK, OOM_SCORE = 32768, 524288, 0o007, "0"
_INFINITE = 2**63

# What this process launched: kept, so that it is waited for when it ends.
_children: dict[int, subprocess.Popen[bytes]] = {}


class InUse(Exception):
    """The data directory is in use; the text says by whom."""


class Recovery(NamedTuple):
    """What a recovery found. position is None where it named none; errors are the server's own last ones.

    inconsistent: by the error log, the server that ran last was voted out. overdue: it was killed at its deadline.
    """

    position: Position | None
    errors: tuple[str, ...] = ()
    inconsistent: bool = False
    overdue: bool = False


@contextlib.contextmanager
def hold(datadir: str) -> Iterator[int]:
    """Hold a data directory that nobody uses, against another recovery or launch; the descriptor is the lock's.

    :raises InUse: naming who uses it. :raises OSError: as open does.
    """
    descriptor = os.open(datadir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{datadir} is in use: another start or recovery is under way") from None
        check_unused(datadir)
        yield descriptor
    finally:
        os.close(descriptor)


def check_unused(datadir: str) -> None:
    """Return if nothing uses a data directory. :raises InUse: naming what does."""
    occupants = find_occupants(datadir)
    if occupants:
        raise InUse(f"{datadir} is in use by {occupants[0]}")
    locked = DataDirectory(datadir).find_lock()
    if locked:
        raise InUse(f"{datadir} is in use: {locked} is locked, by a process that cannot be seen from here")


def recover(program: Program, deadline: float) -> Recovery:
    """Have the server tell where the data end (--wsrep-recover), killed with all its group at the deadline.

    The engine's own crash recovery runs, so the data directory must be free; program is one of read_options. deadline
    is a time of time.monotonic(). :raises InUse: if the directory is not free.
    """
    with hold(program.datadir) as lock, _private_directory(program, "recovery") as private:
        log = os.path.join(private, "recovery.log")
        quiet = [f"--log-error={log}", f"--pid-file={private}/pid", f"--socket={private}/socket", "--skip-networking"]
        # Where replication is switched off, the server would serve. PXC knows no such option.
        command = [*program.command, *quiet, f"--tmpdir={private}", "--wsrep-recover", "--loose-wsrep-on=ON"]
        with open(os.path.join(private, "output"), "w+b") as output:
            # The lock lives as long as the recovery does, even if we are killed.
            process = _spawn(program, command, output.fileno(), program.datadir, pass_fds=(lock,))
            overdue = _await(process, deadline)
            output.seek(0)
            text = output.read().decode("utf-8", "surrogateescape") + read_tail(log)
        position = None if overdue or process.returncode else parse_recovered_position(text)
        return Recovery(position, find_errors(text), is_inconsistent(read_tail(program.log)), overdue)


@contextlib.contextmanager
def _private_directory(program: Program, purpose: str) -> Iterator[str]:
    """Make a directory of the server's account for the time of a block.

    Also for temporary tables: a server that starts removes those of every other server in its tmpdir (seen).
    """
    with tempfile.TemporaryDirectory(prefix=f"xha-{purpose}-") as path:
        if os.geteuid() == 0:
            os.chown(path, *program.account.owner)
        yield path


def _spawn(  # noqa: PLR0913 - what its three callers differ in
    program: Program,
    command: list[str],
    output: int,
    directory: str,
    environment: Mapping[str, str] | None = None,
    *,
    pass_fds: tuple[int, ...] = (),
    serving: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, as the server's account. :raises Unusable: if it cannot be."""
    try:
        return subprocess.Popen(  # noqa: S603 - the operator's own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env={**clean_environment(), **(environment or {})},
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_become(program, serving=serving),  # noqa: PLW1509 - there is one thread
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unusable(f"{command[0]} cannot be run: {error}; look at binary, user and datadir") from None


def _await(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for a child, and kill its group at the deadline; return whether that was needed."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True
    finally:
        if process.returncode is None:  # overdue, or we are being ended ourselves
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return False


def launch(  # noqa: PLR0913 - each is an option of the server's
    program: Program,
    start_position: Position | None,
    *,
    cluster_address: str | None = None,
    provider_options: str | None = None,
    bootstrap: bool = False,
    notify_socket: str = "",
    status_file: str = "",
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start the server in a session of its own, and return it as soon as its program runs; it outlives us.

    program is one of read_options. start_position None leaves it to the server: only for data that hold none.
    bootstrap forms a new Primary: grastate.dat has to say what it may. status_file only for a server that knows it.
    :raises InUse: if something uses the data directory. :raises Unusable: if the program cannot be run.
    :raises OSError: where the directories of its socket and pid file cannot be made.
    """
    words = [
        *([f"--wsrep-start-position={start_position}"] if start_position is not None else []),
        *([f"--wsrep-cluster-address={cluster_address}"] if cluster_address is not None else []),
        *([f"--wsrep-provider-options={provider_options}"] if provider_options is not None else []),
        *([f"--wsrep-status-file={status_file}"] if status_file else []),
        *(["--wsrep-new-cluster"] if bootstrap else []),
    ]
    notify = {"NOTIFY_SOCKET": notify_socket} if notify_socket else {}
    with hold(program.datadir):
        for path in (program.pid, program.socket):
            _make_directory(os.path.dirname(path), program)
        output = _open_log(program)
        try:
            environ = {**(environment or {}), **notify}
            child = _spawn(program, [*program.command, *words], output, program.datadir, environ, serving=True)
        finally:
            if output >= 0:
                os.close(output)
    _children[child.pid] = child
    process = read_process(child.pid)
    return with_argv(process) if process else Process(child.pid, 0, argv=tuple(program.command))


def exit_status(pid: int) -> int | None:
    """Return how a server that this very process launched has ended, -N for signal N; None where that is not known."""
    child = _children.get(pid)
    return None if child is None else child.poll()


def create(program: Program, deadline: float) -> None:
    """Create a database in a data directory that holds none. :raises Unusable: with the program's last words."""
    make_datadir(program)
    directory = DataDirectory(program.datadir, program.account.owner)
    with hold(program.datadir), _private_directory(program, "creation") as private, tempfile.TemporaryFile() as output:
        directory.mark_creation()
        process = _spawn(program, [*_creation(program), f"--tmpdir={private}"], output.fileno(), "/")
        overdue = _await(process, deadline)
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").split("\n")
    if overdue or process.returncode:
        last = next((line for line in reversed(lines) if line.strip()), "no word")
        said = tell(find_errors("\n".join(lines))) or last
        raise Unusable(f"no database could be created in {program.datadir}: {'overdue' if overdue else said}")
    directory.unmark_creation()


def make_datadir(program: Program) -> None:
    """Make the data directory where there is none, and give it to the server's account."""
    os.makedirs(program.datadir, mode=0o750, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(program.datadir, *program.account.owner)


def _creation(program: Program) -> list[str]:
    config = [f"--defaults-file={program.config}"] if program.config else ["--no-defaults"]
    where = (os.path.dirname(program.binary), "/usr/bin", "/usr/local/bin")
    for name in ("mariadb-install-db", "mysql_install_db"):
        for directory in where:
            path = os.path.join(directory, name)
            if os.access(path, os.X_OK):
                return [path, *config, f"--datadir={program.datadir}", "--skip-test-db", *program.parameters]
    return [program.binary, *config, f"--datadir={program.datadir}", *program.parameters, "--initialize-insecure"]


class _become:  # noqa: N801 - used as a function: what a child does before it turns into the server
    """Give up what a server must not inherit, and become its account; runs in the child."""

    def __init__(self, program: Program, *, serving: bool = False) -> None:
        self._account, self._serving, self._root = program.account, serving, os.geteuid() == 0

    def __call__(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.umask(UMASK)
        if self._serving:
            _raise_limit(resource.RLIMIT_NOFILE, FILES, self._root)
            _raise_limit(resource.RLIMIT_MEMLOCK, LOCKED_BYTES, self._root)
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
                file.write(OOM_SCORE)
        if self._root:
            os.setgroups(self._account.groups)
            os.setgid(self._account.gid)
            os.setuid(self._account.uid)


def _raise_limit(which: int, wanted: int, root: bool) -> None:
    """Raise a limit to what is wanted, or as far as it goes."""
    soft, hard = (_INFINITE if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(which))
    if soft >= wanted:
        return
    for pair in ([(wanted, max(wanted, hard))] if root or hard >= wanted else []) + [(hard, hard)]:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(which, (pair[0], resource.RLIM_INFINITY if pair[1] == _INFINITE else pair[1]))
            return


def _make_directory(path: str, program: Program) -> None:
    """Make the directory of a socket or a pid file: /run is empty after every boot."""
    if os.path.isdir(path):
        return
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o755)  # noqa: S103 - clients of every account have to find the socket
    if os.geteuid() == 0:
        os.chown(path, *program.account.owner)


def _open_log(program: Program) -> int:
    """Open the error log to append to, owned by the server's account; what cannot be is left to the server to tell."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(program.log, flags, 0o640)
    except FileNotFoundError:
        where = os.path.dirname(program.log)
        raise Unusable(f"log={program.log}: there is no {where}: make it, for {program.account.user}") from None
    except OSError:
        return subprocess.DEVNULL
    seen = os.fstat(descriptor)
    if stat.S_ISREG(seen.st_mode) and os.geteuid() == 0 and seen.st_uid != program.account.uid:
        os.fchown(descriptor, program.account.uid, -1 if seen.st_size else program.account.gid)
    return descriptor
