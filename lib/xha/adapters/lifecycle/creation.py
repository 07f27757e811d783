"""Creates a database where there is none, and the directory for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...core.galera.error_log import find_errors, tell
from ..datadir.hold import data_of, hold
from ..files.as_account import make_directories
from ..files.foreign import ROOT, Directory
from ..files.scratch import scratch
from ..mysqld.program import Unusable
from ..process.captured_output import capture_output
from .launch import await_child, spawn
from .remains import remove_remains

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..files.as_account import Account
    from ..mysqld.program import Program

_MOST_OUTPUT = 1 << 20


def create(program: Program, deadline: float, log: Callable[[str], None] | None = None) -> None:
    """Create a database in a data directory that contains none. deadline is a time of time.monotonic().

    What an earlier creation left that was cut short is removed first. The mark stays from the first one's beginning to
    the end of the one that finishes. log: is told what was removed.

    :raises Unusable: with the last output of the program; and as remove_remains does.
    :raises InUse, OSError: as hold and remove_remains do.
    """
    make_datadir(program)
    directory = data_of(program)
    with hold(program) as lock, scratch(program.account, "creation") as private, capture_output(_MOST_OUTPUT) as output:
        if directory.has_creation_mark():
            removed = remove_remains(program, deadline)
            if log is not None:
                log(removed)
        directory.mark_creation()
        command = [*_creation(program), f"--tmpdir={private.path}"]
        # As for a recovery (launch.py). What the program has started lasts a moment longer, and holds the lock.
        process = spawn(program, command, output.fileno(), "/", pass_fds=(lock,), ends_with_us=True)
        overdue = await_child(process, deadline)
        lines = output.read().decode("utf-8", "replace").split("\n")
    if overdue or process.returncode:
        last = next((line for line in reversed(lines) if line.strip()), "it printed nothing")
        said = tell(find_errors("\n".join(lines))) or last
        raise Unusable(f"no database could be created in {program.datadir}: {'overdue' if overdue else said}")
    if not directory.read_contents().initialised:  # else the keeper would create one again and again
        raise Unusable(f"no database could be created in {program.datadir}: {command[0]} ended well, and none is there")
    directory.unmark_creation()


def make_datadir(program: Program) -> None:
    """Make the data directory for the server's account if it does not exist; an existing one is not changed.

    Root makes only a directory that the resource itself names, and only where root alone can create names. A path from
    an option file comes from a process of the server's account, so that account makes the directory.

    :raises Unusable: if it cannot be made.
    """
    path, account = program.datadir, program.account
    above, name = os.path.split(path)
    try:
        if path in program.named and _make_as_root(above, name, account):
            return
        make_directories(account, path, 0o750)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        make = f"install -d -o {account.user} -m 750 {path}"
        raise Unusable(f"datadir={path}: {account.user} cannot make it: {reason}; make it: {make}") from None


def _make_as_root(above: str, name: str, account: Account) -> bool:
    try:
        with Directory(above) as parent:
            if not parent.controlled or os.geteuid() != ROOT:
                return False
            if not parent.exists(name):
                parent.make_directory(name, 0o750, *account.owner).close()
            return True
    except FileNotFoundError:
        return False


def _creation(program: Program) -> list[str]:
    config = program.defaults
    # The accounts that Debian's package makes: root@localhost, and the server's own, both by their unix socket. A
    # full copy by mariabackup with `wsrep_sst_auth = mysql:` logs in as the second one.
    options = ["--skip-test-db", f"--auth-root-socket-user={program.account.user}"]
    where = (os.path.dirname(program.binary), "/usr/bin", "/usr/local/bin")
    for name in ("mariadb-install-db", "mysql_install_db"):
        for directory in where:
            path = os.path.join(directory, name)
            if os.access(path, os.X_OK):
                return [path, *config, f"--datadir={program.datadir}", *options, *program.parameters]
    return [program.binary, *config, f"--datadir={program.datadir}", *program.parameters, "--initialize-insecure"]
