"""Starts the server program: to serve, or to report its position. Never while something else uses the data."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from ...core.galera.recovery import OPTIONS, Recovery, judge_recovery
from ..datadir.hold import data_of, hold
from ..files.as_account import become, make_directories
from ..files.foreign import ROOT, Directory
from ..files.scratch import scratch
from ..mysqld.environment import clean_environment
from ..mysqld.error_log import check_log, open_log, read_log
from ..mysqld.program import Unusable
from ..process.captured_output import capture_output
from ..process.privileges import Confinement
from ..process.procfs import Process, read_process, with_argv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.galera.position import Position
    from ..mysqld.program import Program

# The limits that mariadb.service gives a server.
FILES, LOCKED_BYTES, UMASK, OOM_SCORE = 32768, 524288, 0o007, "0"
_INFINITE = 2**63
_RUN = "/run"
_USUAL = ("mysqld", "mysql", "mariadb")
_LOG = "recovery.log"
_MOST_OUTPUT = 1 << 24

# The servers that this process started; kept, so that they are waited for when they end.
_children: dict[int, subprocess.Popen[bytes]] = {}


def recover(program: Program, deadline: float) -> Recovery:
    """Run the server to report the position of its data (--wsrep-recover). Its group is killed at the deadline.

    The engine's own crash recovery runs, so the data directory must not be in use. program comes from read_options.
    deadline is a time of time.monotonic().

    :raises InUse: if the directory is in use.
    :raises OSError: if that cannot be determined.
    """
    with hold(program) as lock, scratch(program.account, "recovery") as private:
        quiet = [f"--log-error={private.path}/{_LOG}", f"--pid-file={private.path}/pid", "--skip-networking"]
        quiet += [f"--socket={private.path}/socket", f"--tmpdir={private.path}"]
        with capture_output(_MOST_OUTPUT) as output:
            command = [*program.command, *quiet, *OPTIONS]
            # The child inherits the lock, so that the lock lasts as long as the recovery if this process is killed; the
            # child is then killed a moment later.
            process = spawn(program, command, output.fileno(), program.datadir, pass_fds=(lock,), ends_with_us=True)
            overdue = await_child(process, deadline)
            text = (output.read() + _read_if_there(private, _LOG)).decode("utf-8", "surrogateescape")
        found = judge_recovery(text, process.returncode, _read_last_log(program), overdue=overdue)
        with contextlib.suppress(OSError):  # then it is found out again where it is needed
            found = found._replace(stamp=data_of(program).read_engine_stamp())
        return found


def _read_last_log(program: Program) -> str:
    """Return the error log of the server that ran last; "" if the log is no regular file.

    :raises OSError: if it is a file and cannot be read: it is then unknown whether that server was voted out.
    """
    try:
        return read_log(program.account, program.log)
    except OSError as error:
        if error.errno == errno.ESPIPE:
            return ""
        reason = (error.strerror or str(error)).lower()
        raise OSError(f"the error log {program.log} cannot be read as {program.account.user}: {reason}") from None


def _read_if_there(private: Directory, name: str) -> bytes:
    try:
        return private.read(name, _MOST_OUTPUT)
    except FileNotFoundError:  # the program ended before it opened the file
        return b""


def spawn(  # noqa: PLR0913 - what its three callers differ in
    program: Program,
    command: list[str],
    output: int,
    directory: str,
    environment: Mapping[str, str] | None = None,
    *,
    pass_fds: tuple[int, ...] = (),
    serving: bool = False,
    ends_with_us: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, as the server's account.

    ends_with_us: the child is killed if this process dies first.

    :raises Unusable: if it cannot be started.
    """
    try:
        return subprocess.Popen(  # noqa: S603 - the operator's own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env={**clean_environment(program.account), **(environment or {})},
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_become(program, serving=serving, ends_with_us=ends_with_us),  # noqa: PLW1509 - one thread
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unusable(f"{command[0]} cannot be run: {error}; look at binary, user and datadir") from None


def await_child(process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait for a child, and kill its group at the deadline. Return whether that was necessary."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True
    finally:
        if process.returncode is None:  # it is overdue, or this process is being ended
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
    """Start the server in a session of its own, and return it as soon as its program runs. It outlives this process.

    program comes from read_options. start_position None: the server finds its position itself; only for data without
    one. bootstrap: form a new Primary component; grastate.dat must permit it. status_file: only for a server that has
    this option.

    :raises InUse: if something uses the data directory.
    :raises Unusable: if the program cannot be run.
    :raises OSError: if the directories of its socket and pid file cannot be made.
    """
    words = [
        *([f"--wsrep-start-position={start_position}"] if start_position is not None else []),
        *([f"--wsrep-cluster-address={cluster_address}"] if cluster_address is not None else []),
        *([f"--wsrep-provider-options={provider_options}"] if provider_options is not None else []),
        *([f"--wsrep-status-file={status_file}"] if status_file else []),
        *(["--wsrep-new-cluster"] if bootstrap else []),
    ]
    notify = {"NOTIFY_SOCKET": notify_socket} if notify_socket else {}
    with hold(program):
        for path in (program.pid, program.socket):
            _make_place(path, program)
        _check_log(program)
        environ = {**(environment or {}), **notify}
        child = spawn(program, [*program.command, *words], subprocess.DEVNULL, program.datadir, environ, serving=True)
    _children[child.pid] = child
    process = read_process(child.pid)
    return with_argv(process) if process else Process(child.pid, 0, argv=tuple(program.command))


def exit_status(pid: int) -> int | None:
    """Return how a server that this process launched has ended, -N for signal N; None if it runs or is not known."""
    child = _children.get(pid)
    return None if child is None else child.poll()


class _become:  # noqa: N801 - used as a function: what a child does before it turns into the server
    """Drops what a server must not inherit, and switches to its account; this runs in the child.

    A server that serves keeps the rights that its scripts may need, such as sudo in a wsrep_notify_cmd. Every other run
    of the program is confined.
    """

    def __init__(self, program: Program, *, serving: bool, ends_with_us: bool) -> None:
        self._account, self._serving, self._root = program.account, serving, os.geteuid() == ROOT
        self._log = program.log if serving else ""
        account = program.account
        self._confine = Confinement(
            account.uid, account.gid, account.groups, without_core=True, ends_with_parent=ends_with_us
        )

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
        if not self._serving:
            self._confine()
            return
        become(self._account)
        if self._log:
            with contextlib.suppress(OSError):  # the server itself reports what is wrong with it
                descriptor = open_log(self._log)
                os.dup2(descriptor, 1)
                os.dup2(descriptor, 2)


def _raise_limit(which: int, wanted: int, root: bool) -> None:
    """Raise a limit to `wanted`, or as far as possible."""
    soft, hard = (_INFINITE if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(which))
    if soft >= wanted:
        return
    for pair in ([(wanted, max(wanted, hard))] if root or hard >= wanted else []) + [(hard, hard)]:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(which, (pair[0], resource.RLIM_INFINITY if pair[1] == _INFINITE else pair[1]))
            return


def _make_place(file: str, program: Program) -> None:
    """Make the directory of a socket or a pid file if it does not exist: /run is empty after every boot.

    The server's options name it, so the server's account makes it. In root's own /run that account cannot. There root
    makes only a directory that the resource itself names or that has the usual name in a distribution, because systemd,
    modprobe and others act on files in directories of /run.

    :raises Unusable: if it cannot be made.
    """
    account, path = program.account, os.path.dirname(file)
    above, name = os.path.split(path)
    try:
        if os.path.realpath(above) == _RUN and os.geteuid() == ROOT and (file in program.named or name in _USUAL):
            with Directory(_RUN, owner=ROOT) as run:
                if not run.exists(name):
                    run.make_directory(name, 0o755, *account.owner).close()
            return
        make_directories(account, path, 0o755)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        make = f"install -d -o {account.user} {path}"
        raise Unusable(f"{path}: {account.user} cannot make this directory: {reason}; make it: {make}") from None


def _check_log(program: Program) -> None:
    """Return if the server's account can write its error log.

    :raises Unusable: if it cannot; the text says the remedy.
    """
    user, where = program.account.user, os.path.dirname(program.log)
    try:
        check_log(program.account, program.log)
    except FileNotFoundError:
        raise Unusable(f"log={program.log}: there is no {where}: make it, for {user}") from None
    except PermissionError:
        raise Unusable(f"log={program.log}: {user} may not write it: chown {user} {program.log}, or {where}") from None
    except OSError:
        return  # the server itself reports what is wrong with it
