"""The server program: its path, its account, and the options that it would use itself."""

from __future__ import annotations

import grp
import os
import pwd
import resource
import socket as sockets
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.cluster_address import correct_cluster_address
from ...core.galera.server_options import ServerOptions, find_datadir, parse_default_files, parse_server_options
from ..files.as_account import Account
from ..files.scratch import scratch
from ..process.captured_output import capture_output
from ..process.privileges import Confinement
from .default_files import find_unreadable
from .engine_places import find_own_directories, find_state_directory
from .environment import clean_environment

if TYPE_CHECKING:
    import subprocess

    from ...core.ocf.galera_settings import Settings

NAMES = ("mariadbd", "mysqld")
DIRECTORIES = ("/usr/sbin", "/usr/libexec", "/usr/bin", "/usr/local/sbin", "/usr/local/libexec", "/usr/local/bin")
# Where distributions have them. They are only named in sentences: the server itself knows which files it reads.
CONFIGS = ("/etc/my.cnf", "/etc/mysql/my.cnf")
DATADIR = "/var/lib/mysql"
_WRAPPERS = ("mysqld_safe", "mariadbd-safe", "safe_mysqld")
_ADDRESS, _SUFFIX = "--wsrep-cluster-address=", "--defaults-group-suffix="
_SECONDS = 10.0
# A listing of MariaDB 10.11 has 120 kB (measured).
_MOST_BYTES = 1 << 22


class Unusable(Exception):
    """The program, its configuration or its account cannot be used, and a second try does not help.

    The text says the remedy. installed: whether the program itself exists.
    """

    def __init__(self, text: str, *, installed: bool = True) -> None:
        super().__init__(text)
        self.installed = installed


class Program(NamedTuple):
    """A server program with its files. Until read_options has run, "" is a value that the server itself determines.

    state is the directory in which Galera keeps grastate.dat and gvwstate.dat. places are the directories in the data
    directory that the server's options name.

    suffix is --defaults-group-suffix, as units for several servers on one host have it. parameters are the other words
    of additional_parameters, and the list of members if the resource names it. named: the
    paths that the resource itself names, and the built-in data directory. Every other path comes from a process of the
    server's account that has read an option file.
    """

    binary: str
    config: str
    account: Account
    datadir: str = ""
    log: str = ""
    pid: str = ""
    socket: str = ""
    state: str = ""
    places: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Where its options stand, for people."""
        found = [path for path in CONFIGS if os.path.exists(path)]
        return self.config or " or ".join(found) or "its configuration"

    @property
    def defaults(self) -> list[str]:
        """The options that say which option files and groups are read. They must come first."""
        return [*([f"--defaults-file={self.config}"] if self.config else []), *self.suffix]

    @property
    def command(self) -> list[str]:
        """The beginning of the command line for every use of the program."""
        named = [("datadir", self.datadir), ("log-error", self.log), ("pid-file", self.pid), ("socket", self.socket)]
        return [
            self.binary,
            *self.defaults,
            *(f"--{name}={value}" for name, value in named if value),
            *self.parameters,
        ]


def find_program(settings: Settings) -> Program:
    """Return the program that the settings mean, without running anything. :raises Unusable: if it cannot be used."""
    config = settings.config  # without it, the server reads the files that it was built to read: Debian's reads two
    if config and not os.access(config, os.R_OK):
        raise Unusable(f"config={config}: there is no such file, or it cannot be read; correct the parameter config")
    return Program(
        find_binary(settings.binary),
        config,
        find_account(settings.user, settings.group),
        datadir=settings.datadir,
        log=settings.log,
        pid=settings.pid,
        socket=settings.socket,
        suffix=tuple(word for word in settings.additional_parameters if word.startswith(_SUFFIX)),
        parameters=(
            *(word for word in settings.additional_parameters if not word.startswith(_SUFFIX)),
            *([f"{_ADDRESS}{settings.wsrep_cluster_address}"] if settings.wsrep_cluster_address else ()),
        ),
    )


def find_binary(binary: str) -> str:
    """Return the path of the server program; for a mysqld_safe, that of the server beside it.

    mysqld_safe would recover the position and restart the server on its own. :raises Unusable: if there is none.
    """
    if not binary:
        found = _search(DIRECTORIES, NAMES)
        if found is None:
            raise Unusable("no mariadbd or mysqld on this host: install the server, or set binary", installed=False)
        return found
    path = binary if "/" in binary else _search(DIRECTORIES, (binary,)) or binary
    if os.path.basename(path) in _WRAPPERS:
        names = NAMES if "mariadb" in path else tuple(reversed(NAMES))
        found = _search((os.path.dirname(os.path.realpath(path)), os.path.dirname(path), *DIRECTORIES), names)
        if found is None:
            raise Unusable(f"binary={binary}: the server that it starts is not here: set binary", installed=False)
        return found
    if not _is_program(path):
        raise Unusable(f"binary={binary}: no such program: install it, or correct the parameter", installed=False)
    return path


def find_account(user: str, group: str = "") -> Account:
    """Return the account of a user and group by name. Without root's rights, this process's own account is returned.

    :raises Unusable: if it does not exist.
    """
    if os.geteuid() != 0:
        own = pwd.getpwuid(os.geteuid())
        return Account(own.pw_name, os.geteuid(), os.getegid(), tuple(os.getgroups()))
    try:
        entry = pwd.getpwnam(user or "mysql")
    except KeyError:
        raise Unusable(f"user={user}: no such user on this host: create it, or correct the parameter") from None
    try:
        gid = grp.getgrnam(group).gr_gid if group else entry.pw_gid
    except KeyError:
        raise Unusable(f"group={group}: no such group on this host: create it, or correct the parameter") from None
    if entry.pw_uid == 0:
        raise Unusable(f"user={user}: a database server does not run as root: set user=mysql")
    return Account(entry.pw_name, entry.pw_uid, gid, tuple(os.getgrouplist(entry.pw_name, gid)))


def guess_datadir(settings: Settings) -> tuple[str, str]:
    """Return the data directory, and why it is not known ("" if it is known): a stop has to work in any case.

    If the server program cannot report its options, its default directory is only a guess, and none at all where the
    resource has an option file of its own: in that directory may be another resource's server. Without the file on this
    host "" is known: no server of this resource can have been started here, but for those that are remembered.
    """
    named = find_datadir(" ".join(settings.additional_parameters)) or settings.datadir
    if named:
        return named, ""
    try:
        return _default_datadir(find_program(settings)), ""
    except (Unusable, OSError) as error:  # it does not answer, or the empty directory for it cannot be made
        if not settings.config:
            return DATADIR, str(error)
        return "", str(error) if os.path.exists(settings.config) else ""


def read_options(program: Program) -> tuple[Program, ServerOptions]:
    """Return the program with all its paths, and the options that the server would use itself.

    The server lists its options itself, in about 60 ms. For that it would open the data directory and write in it
    (measured: MariaDB 10.11 opens aria_log_control for writing), so it gets an empty directory instead.
    :raises Unusable: with the server's own error, if it refuses its options.
    :raises TimeoutError: if it does not answer, or the listing is incomplete: the next call tries again.
    """
    given = find_datadir(" ".join(program.parameters)) or program.datadir
    datadir = given or _default_datadir(program)
    if not datadir.startswith("/"):  # the server would resolve it from its base directory
        raise Unusable(f"datadir={datadir}: not an absolute path; correct {program.where}")
    datadir = os.path.normpath(datadir)
    with scratch(program.account, "listing") as empty:
        done = _run(program, [*program.command, f"--datadir={empty.path}", "--help", "--verbose"])
        options = parse_server_options(done.stdout.replace(empty.path, datadir))
        files = () if program.config else parse_default_files(done.stdout)
    if done.returncode != 0:
        raise _refusal(program, done)
    if options is None:
        raise _incomplete(program.binary, "ended before the end of it")
    unread = find_unreadable(program.account, files)
    if unread:
        raise Unusable(
            f"{unread}: {program.account.user} may not read it, and would start without it: chmod o+r {unread}"
        )
    log = _in(datadir, options.log_error or f"{sockets.gethostname()}.err")
    options = options._replace(
        datadir=datadir,
        socket=_in(datadir, options.socket),
        pid_file=_in(datadir, options.pid_file),
        log_error=log if os.path.splitext(log)[1] else f"{log}.err",
    )
    listed = any(word.startswith(_ADDRESS) for word in program.parameters)
    corrected = "" if listed else correct_cluster_address(options.wsrep_cluster_address)
    resolved = program._replace(
        parameters=(*program.parameters, *([f"{_ADDRESS}{corrected}"] if corrected else ())),
        datadir=datadir,
        log=options.log_error,
        pid=options.pid_file,
        socket=options.socket,
        state=find_state_directory(options),
        places=find_own_directories(options),
        named=tuple(filter(None, (given and datadir, program.socket, program.pid, DATADIR))),
    )
    return resolved, options


def _default_datadir(program: Program) -> str:
    """Return the data directory of the option file. The full listing is not used: the server would open the directory.

    :raises Unusable, TimeoutError: as read_options does.
    """
    done = _run(program, [program.binary, *program.defaults, "--print-defaults"])
    if done.returncode != 0:
        raise _refusal(program, done)
    if not done.stdout.endswith("\n"):
        raise _incomplete(program.binary, "ended before the end of it")
    return find_datadir(done.stdout) or DATADIR


def _refusal(program: Program, done: subprocess.CompletedProcess[str]) -> Unusable:
    from ...core.galera.error_log import find_errors, tell

    said = tell(find_errors(done.stderr)) or f"exit code {done.returncode}"
    return Unusable(f"{program.binary} refuses its options: {said}; correct {program.where}")


def _incomplete(binary: str, how: str) -> TimeoutError:
    """Return the error for an incomplete listing: an option that is missing in it may still be set."""
    return TimeoutError(f"{binary}: the listing of its options is incomplete: it {how}; is memory short on this host?")


def _run(program: Program, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the program as the server's account, for at most _SECONDS, and keep at most _MOST_BYTES of each output."""
    import subprocess

    account = program.account
    become = Confinement(account.uid, account.gid, account.groups, without_core=True, ends_with_parent=True)

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_BYTES, _MOST_BYTES))
        become()

    with capture_output(_MOST_BYTES) as out, capture_output(_MOST_BYTES) as errors:
        try:
            done: subprocess.CompletedProcess[bytes] = subprocess.run(  # noqa: S603 - the operator's own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=out.fileno(),
                stderr=errors.fileno(),
                timeout=_SECONDS,
                check=False,
                cwd="/",
                env=clean_environment(account),
                start_new_session=True,
                preexec_fn=confine,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{command[0]} did not list its options within {_SECONDS:g} s") from None
        except (OSError, subprocess.SubprocessError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"it cannot be run as {program.account.user}"
            raise Unusable(f"{command[0]}: {reason}: correct the parameter binary") from None
        if done.returncode < 0 or out.is_cut:
            how = f"was killed by signal {-done.returncode}" if done.returncode < 0 else "printed too much"
            raise _incomplete(command[0], how)
        said = [place.read().decode("utf-8", "surrogateescape") for place in (out, errors)]
    return subprocess.CompletedProcess(command, done.returncode, *said)


def _search(directories: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    paths = (os.path.join(directory, name) for name in names for directory in directories)
    return next((path for path in paths if _is_program(path)), None)


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _in(directory: str, path: str) -> str:
    return os.path.normpath(os.path.join(directory, path))
