"""MySQL option files: the one that a configuration names, and those that the program `mysql` reads by itself."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from ...core.config.xha_conf import DEFAULT_OPTION_FILE
from ...core.text.mysql_option_file import (
    PROGRAM_GROUPS,
    Include,
    Option,
    OptionFileError,
    client_options,
    parse_option_file,
)
from ...core.text.values import ConfigError
from ..files.config_files import as_text, reason_of
from ..files.whole_file import MAX_BYTES, read_whole
from ..host.login_name import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_INCLUDE_DEPTH = 10  # mysys/my_default.c, max_recursion_level
_MAX_INCLUDED = 256
# mysys/my_default.c, init_default_directories; distributions may add one of their own to these.
_SYSTEM_FILES = ("/etc/my.cnf", "/etc/mysql/my.cnf")
# The variables that give what no file gives (`mysql`: mysys/my_default.c, libmariadb/mariadb_lib.c), and their options.
_VARIABLES = {"MYSQL_UNIX_PORT": "socket", "MYSQL_TCP_PORT": "port", "MYSQL_PWD": "password"}


_ANOTHERS = "it belongs to another account; it is passed over"


class ClientOptions(NamedTuple):
    """The options that a client takes from option files, warnings about the safety of the files, and their name.

    looked_at: each file and directory on which that rests, those that an option file includes and absent ones, too.
    """

    values: dict[str, str]
    warnings: tuple[str, ...] = ()
    source: str = ""
    looked_at: tuple[str, ...] = ()


def read_client_options(path: str) -> ClientOptions:
    """Read a MySQL option file with its includes. The default file may be absent: then no account is configured.

    :raises ConfigError: if any other file does not exist; if a file is unreadable, malformed, or writable by everybody;
    and for includes without an end.
    """
    files = _OptionFiles(path)
    try:
        values = client_options(files.read(path))
    except OSError as error:
        if isinstance(error, FileNotFoundError) and error.filename == path == DEFAULT_OPTION_FILE:
            return ClientOptions({}, source=path, looked_at=(path,))
        raise ConfigError(f"{error.filename or path}: {reason_of(error)}") from None
    exposed = "password" in values and files.mode & 0o004
    warning = f"{path}: everybody on this host can read the password in it; chmod 0640"
    return ClientOptions(values, (warning,) if exposed else (), path, tuple(files.looked_at))


def read_program_options(extra: str | None, environment: Mapping[str, str]) -> ClientOptions:
    """Return what `mysql --defaults-extra-file=EXTRA` would take from its files and from the environment.

    The last value wins. As for `mysql`, a file that is absent, may not be read or can be written by everybody is passed
    over. So is one in a directory that the environment names if it, or the directory, belongs to another account:
    whoever calls this as root may have kept HOME. Each file that is passed over and exists has its warning.

    :raises ConfigError: for a malformed file, and for includes without an end.
    """
    options: list[Option] = []
    warnings: list[str] = []
    looked_at: list[str] = []
    own = [f"{environment[name]}/my.cnf" for name in ("MARIADB_HOME", "MYSQL_HOME") if environment.get(name)][:1]
    home = [f"{environment['HOME']}/.my.cnf"] if environment.get("HOME") else []
    for path in (*_SYSTEM_FILES, *own, *([extra] if extra else []), *home):
        ours = path in (*own, *home)
        if ours and _belongs_to_another(os.path.dirname(path)):
            looked_at += [os.path.dirname(path), path]
            warnings += [f"{path}: {_ANOTHERS}"] if os.path.lexists(path) else []
            continue
        files = _OptionFiles(path, lenient=True, foreign=not ours)
        try:
            options += files.read(path)
        except OSError as error:
            raise ConfigError(f"{error.filename or path}: {reason_of(error)}") from None
        warnings += files.passed_over
        looked_at += files.looked_at
    suffix = environment.get("MARIADB_GROUP_SUFFIX") or environment.get("MYSQL_GROUP_SUFFIX") or ""
    groups = {*PROGRAM_GROUPS, *(f"{group}{suffix}".lower() for group in PROGRAM_GROUPS)}
    values = {option: environment[name] for name, option in _VARIABLES.items() if environment.get(name)}
    values = {**values, **client_options(options, groups)}
    return ClientOptions(values, tuple(warnings), "the option files of mysql", tuple(looked_at))


def _belongs_to_another(directory: str) -> bool:
    try:
        return os.stat(directory).st_uid not in (ROOT, os.geteuid())
    except OSError:  # then nothing in it can be read
        return False


class _OptionFiles:
    """One option file and all that it includes. mode: the permissions of the first file.

    lenient: pass over what cannot or must not be read, as MySQL's clients do, and say so in passed_over. Otherwise that
    is an error, which is better than a login that fails without a visible reason. foreign: whether the first file may
    belong to any account. The number of files and bytes is limited. MySQL's clients limit only the depth, to 10: they
    have by then read a file that includes itself four times 349,525 times.
    """

    def __init__(self, path: str, *, lenient: bool = False, foreign: bool = True) -> None:
        self.mode = 0
        self.passed_over: list[str] = []
        self.looked_at: list[str] = []
        self._path, self._lenient, self._foreign = path, lenient, foreign
        self._files, self._bytes = _MAX_INCLUDED, MAX_BYTES

    def read(self, path: str, depth: int = 0) -> list[Option]:
        """Return the options in their order.

        :raises OSError: as read_whole and os.listdir. :raises ConfigError: for what is malformed, or too much.
        """
        if self._files == 0:
            raise ConfigError(f"{self._path}: more than {_MAX_INCLUDED} files are included; does one include itself?")
        self._files -= 1
        self.looked_at.append(path)
        text = self._read_text(path, depth)
        options: list[Option] = []
        try:
            for line in parse_option_file(text):
                if isinstance(line, Include):
                    options += self._include(line, depth + 1)
                else:
                    options.append(line)
        except OptionFileError as error:
            raise ConfigError(f"{path}: {error}") from None
        return options

    def _read_text(self, path: str, depth: int) -> str:
        try:
            data, mode, owner = read_whole(path, self._bytes)
        except OSError as error:
            if error.errno == errno.EFBIG:
                limit = f"more than {MAX_BYTES >> 10} KiB"
                raise ConfigError(f"{self._path}: it and what it includes have {limit}") from None
            if not self._lenient:
                raise
            if not isinstance(error, FileNotFoundError):
                self.passed_over.append(f"{path}: {reason_of(error)}; it is passed over")
            return ""
        self._bytes -= len(data)
        if depth == 0:
            self.mode = mode
        if stat.S_ISREG(mode) and mode & 0o002:
            fault = f"{path}: everybody on this host can write it; chmod 0640"
            if not self._lenient:
                raise ConfigError(fault)
            self.passed_over.append(f"{fault}; it is passed over")
            return ""
        if depth == 0 and not self._foreign and owner not in (ROOT, os.geteuid()):
            self.passed_over.append(f"{path}: {_ANOTHERS}")
            return ""
        return as_text(data)

    def _include(self, include: Include, depth: int) -> list[Option]:
        if depth > _MAX_INCLUDE_DEPTH:
            return []
        if not include.directory:
            # MySQL's clients skip a path that is no file, and give up for a directory that does not exist.
            return self._read_file(include.path, depth)
        self.looked_at.append(include.path)
        names = sorted(name for name in os.listdir(include.path) if name.endswith(".cnf"))
        paths = [os.path.join(include.path, name) for name in names]
        return [option for path in paths for option in self._read_file(path, depth)]

    def _read_file(self, path: str, depth: int) -> list[Option]:
        if os.path.isfile(path):
            return self.read(path, depth)
        self.looked_at.append(path)
        return []
