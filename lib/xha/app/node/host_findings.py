"""Whether this host is ready for a server: for validate-all at level 10, and for a keeper before each launch."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ...core.ocf.api import ExitCode, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...adapters.mysqld.program import Program
    from ...core.galera.server_options import ServerOptions
    from ...core.ocf.galera_settings import Settings


def warn(text: str) -> Finding:
    """Return a finding that prevents nothing."""
    return Finding(ExitCode.SUCCESS, text)


def fault(text: str) -> Finding:
    """Return a finding that prevents the start of a server on this host."""
    return Finding(ExitCode.INSTALLED, text)


def find_fault(settings: Settings) -> Finding | None:
    """Return the first error of validate-all at level 10, which forbids a start on this host; None without an error.

    A list of members without this host is no error of the host, because an address or a name may still appear. Until
    then the election refuses, so nothing is started either.
    """
    return next((one for one in look_at_host(settings, resolve_program(settings)) if one.code), None)


def resolve_program(settings: Settings) -> tuple[Program, ServerOptions] | Finding:
    """Return the program and the options that it would use, or a finding that says why they are not known."""
    from ...adapters.mysqld.program import Unusable, find_program, read_options

    try:
        return read_options(find_program(settings))
    except Unusable as error:
        return fault(str(error))
    except TimeoutError as error:
        return Finding(ExitCode.GENERIC, str(error))


def look_at_host(settings: Settings, resolved: tuple[Program, ServerOptions] | Finding) -> Iterator[Finding]:
    """Yield what is wrong with the option file, Galera and the directories. resolved: from resolve_program."""
    if settings.test_conf:
        yield from _look_at_option_file(settings.test_conf)
    if isinstance(resolved, Finding):
        yield resolved
        return
    program, options = resolved
    yield from _look_at_galera(options, program)
    yield from _look_at_directories(program, settings)


def _look_at_option_file(path: str) -> Iterator[Finding]:
    try:
        seen = os.stat(path)
    except OSError as error:
        # A failed check is no failed database: the server starts, and monitor says what the check lacks.
        yield warn(f"test_conf={path}: {(error.strerror or 'unreadable').lower()}: write it on every host")
        return
    if stat.S_IMODE(seen.st_mode) & 0o077 or seen.st_uid:
        yield warn(f"test_conf={path}: others than root may read or change it: chown root {path}; chmod 600 {path}")


def _look_at_galera(options: ServerOptions, program: Program) -> Iterator[Finding]:
    where = program.where
    if not options.wsrep_provider:
        yield fault(f"wsrep_provider is not set: name Galera's library in {where}")
    elif not os.path.exists(options.wsrep_provider):
        yield fault(f"wsrep_provider={options.wsrep_provider}: no such library: install galera-4, or correct {where}")
    if not options.wsrep_on:
        yield fault(f"wsrep_on is OFF: set wsrep_on=ON in {where}")
    if not options.wsrep_cluster_name or options.wsrep_cluster_name == "my_wsrep_cluster":
        yield warn(f"wsrep_cluster_name is the default: another cluster's node could join; name it in {where}")


def _look_at_directories(program: Program, settings: Settings) -> Iterator[Finding]:
    from ...adapters.host.login_name import account_name

    owner = program.account
    named = {f"datadir={program.datadir}": program.datadir}
    if program.state != program.datadir:
        named[f"wsrep_data_home_dir or base_dir={program.state}"] = program.state
    for name, path in named.items():
        try:
            seen = os.stat(path)
        except OSError as error:
            why = (error.strerror or "unusable").lower()
            made = path == program.datadir and isinstance(error, FileNotFoundError) and settings.enable_creation
            if not made:  # start makes it
                yield fault(f"{name}: {why}: mount it, or make it for {owner.user}")
            continue
        if not stat.S_ISDIR(seen.st_mode):
            yield fault(f"{name}: not a directory: correct it")
        elif seen.st_uid != owner.uid:
            yield fault(
                f"{name}: permission denied to {owner.user}, for it belongs to {account_name(seen.st_uid)}: "
                f"chown -R {owner.user} {path}"
            )
    yield from _look_at_log(program)


def _look_at_log(program: Program) -> Iterator[Finding]:
    log = os.path.dirname(program.log)
    if log and not os.path.isdir(log):
        yield fault(
            f"log={program.log}: no directory {log}: make it for {program.account.user}, or correct the parameter log"
        )
    try:
        is_file = stat.S_ISREG(os.stat(program.log).st_mode)
    except OSError:  # the server makes it, or says why it cannot
        is_file = True
    # What /dev/stdout leads to differs from process to process, and a file that is made there is on no disk.
    if not is_file or f"{os.path.realpath(log)}/".startswith(("/dev/", "/proc/", "/sys/")):
        yield fault(
            f"log={program.log}: this is no file that the server's errors could be read from: set log_error in "
            f"{program.where}, or the parameter log, to one, as /var/log/mysql/error.log"
        )
