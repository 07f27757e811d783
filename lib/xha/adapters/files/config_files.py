"""The files that xha reads: its configuration, MySQL option files, the disabled file, clustercheck's settings."""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import NamedTuple

from ...core.config.xha_conf import DEFAULT_OPTION_FILE, DEFAULT_PATH, Config, parse_config
from ...core.node import disabled as core_disabled
from ...core.node.disabled import Disabled
from ...core.text.mysql_option_file import Include, Option, OptionFileError, client_options, parse_option_file
from ...core.text.values import ConfigError
from .whole_file import MAX_BYTES, read_whole

LEGACY_DISABLED_FILE = "/var/tmp/clustercheck.disabled"  # noqa: S108 - looked at, never opened
SYSCONFIG_FILES = ("/etc/sysconfig/clustercheck", "/etc/default/clustercheck")

_MAX_INCLUDE_DEPTH = 10  # mysys/my_default.c, max_recursion_level
_MAX_INCLUDED = 256


def read_config(path: str | None = None) -> Config:
    """Read xha.conf. Without a path, the default file is read; if that is absent, all defaults apply.

    :raises ConfigError: if the file is unreadable, and for everything that parse_config refuses.
    """
    try:
        return parse_config(_text(read_whole(path or DEFAULT_PATH).data, "strict"), path or DEFAULT_PATH)
    except FileNotFoundError:
        if path is None:
            return Config()
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path or DEFAULT_PATH}: {_reason(error)}") from None


def config_signature(path: str | None = None) -> tuple[int, ...] | None:
    """Return a value that changes whenever xha.conf does; None while it cannot be examined."""
    try:
        seen = os.stat(path or DEFAULT_PATH)
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_mode, seen.st_uid, seen.st_gid


class ClientOptions(NamedTuple):
    """The options that a client takes from an option file, and warnings about the safety of the file."""

    values: dict[str, str]
    warnings: tuple[str, ...] = ()


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
            return ClientOptions({})
        raise ConfigError(f"{error.filename or path}: {_reason(error)}") from None
    exposed = "password" in values and files.mode & 0o004
    warning = f"{path}: everybody on this host can read the password in it; chmod 0640"
    return ClientOptions(values, (warning,) if exposed else ())


class _OptionFiles:
    """One option file and all that it includes. mode: the permissions of the first file.

    The number of files and bytes is limited. MySQL's clients limit only the depth, to 10: they have by then read a file
    that includes itself four times 349,525 times.
    """

    def __init__(self, path: str) -> None:
        self.mode = 0
        self._path = path
        self._files, self._bytes = _MAX_INCLUDED, MAX_BYTES

    def read(self, path: str, depth: int = 0) -> list[Option]:
        if self._files == 0:
            raise ConfigError(f"{self._path}: more than {_MAX_INCLUDED} files are included; does one include itself?")
        self._files -= 1
        try:
            data, mode = read_whole(path, self._bytes)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            raise ConfigError(f"{self._path}: it and what it includes have more than {MAX_BYTES >> 10} KiB") from None
        self._bytes -= len(data)
        if depth == 0:
            self.mode = mode
        # MySQL's clients ignore such a file. An error is better than a login that fails without a visible reason.
        if stat.S_ISREG(mode) and mode & 0o002:
            raise ConfigError(f"{path}: everybody on this host can write it; chmod 0640")
        options: list[Option] = []
        try:
            for line in parse_option_file(_text(data)):
                if isinstance(line, Include):
                    options += self._include(line, depth + 1)
                else:
                    options.append(line)
        except OptionFileError as error:
            raise ConfigError(f"{path}: {error}") from None
        return options

    def _include(self, include: Include, depth: int) -> list[Option]:
        if depth > _MAX_INCLUDE_DEPTH:
            return []
        if not include.directory:
            # MySQL's clients skip a path that is no file, and give up for a directory that does not exist.
            return self.read(include.path, depth) if os.path.isfile(include.path) else []
        names = sorted(name for name in os.listdir(include.path) if name.endswith(".cnf"))
        paths = [os.path.join(include.path, name) for name in names]
        return [option for path in paths if os.path.isfile(path) for option in self.read(path, depth)]


def read_disabled(path: str | None, legacy_path: str | None = None) -> Disabled | None:
    """Read who took the node out of service; None if nobody did.

    Any failure to read the file, except its absence, counts as disabled. The legacy file is never opened, because it is
    in a directory where any user can put a FIFO.
    """
    found = _read_disabled(path) if path else None
    if found is None and legacy_path and os.path.lexists(legacy_path):
        return Disabled(why=f"{legacy_path} exists")
    return found


def _read_disabled(path: str) -> Disabled | None:
    try:
        # Links are followed: an operator may have linked the file to storage that all nodes see.
        text = read_whole(path, core_disabled.MAX_BYTES).data.decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return Disabled(why=f"the disabled file cannot be read ({_reason(error)}); it counts as disabled")
    return core_disabled.parse_disabled(text, time.time())


def write_disabled(path: str, disabled: Disabled) -> None:
    """Write the disabled file in one step with mode 0644, so that no reader sees half of it.

    :raises OSError: as open does.
    """
    from .atomic_write import replace_text

    replace_text(path, core_disabled.render_disabled(disabled), 0o644, flush=True)


def remove_disabled(path: str) -> bool:
    """Remove the disabled file, and return whether it existed. :raises OSError: as os.unlink does."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def read_sysconfig() -> dict[str, str]:
    """Read the settings of clustercheck from both distribution families' paths; /etc/sysconfig takes precedence.

    An unreadable file counts as empty.
    """
    settings: dict[str, str] = {}
    for path in reversed(SYSCONFIG_FILES):
        try:
            data = read_whole(path).data
        except OSError:
            continue
        from ...core.text.shell_assignments import parse_sysconfig

        settings.update(parse_sysconfig(_text(data)))
    return settings


def _text(data: bytes, errors: str = "surrogateescape") -> str:
    return data.decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: Exception) -> str:
    return (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "not UTF-8 text"
