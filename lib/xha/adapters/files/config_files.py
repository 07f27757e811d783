"""The files that xha reads: its configuration, the disabled and the drain file, clustercheck's settings."""

from __future__ import annotations

import os
import time

from ...core.config.xha_conf import DEFAULT_PATH, Config, Responder, parse_config
from ...core.node import withdrawal as core_withdrawal
from ...core.node.withdrawal import Withdrawal
from ...core.text.values import ConfigError
from .whole_file import read_whole

LEGACY_DISABLED_FILE = "/var/tmp/clustercheck.disabled"  # noqa: S108 - looked at, never opened
SYSCONFIG_FILES = ("/etc/sysconfig/clustercheck", "/etc/default/clustercheck")


def read_config(path: str | None = None) -> Config:
    """Read xha.conf. Without a path, the default file is read; if that is absent, all defaults apply.

    :raises ConfigError: if the file is unreadable, and for everything that parse_config refuses.
    """
    try:
        return parse_config(as_text(read_whole(path or DEFAULT_PATH).data, "strict"), path or DEFAULT_PATH)
    except FileNotFoundError:
        if path is None:
            return Config()
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path or DEFAULT_PATH}: {reason_of(error)}") from None


def config_signature(path: str | None = None) -> tuple[int, ...] | None:
    """Return a value that changes whenever xha.conf does; None while it cannot be examined."""
    try:
        seen = os.stat(path or DEFAULT_PATH)
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_mode, seen.st_uid, seen.st_gid


def read_withdrawal(files: Responder) -> Withdrawal | None:
    """Read who took the node out of service; None if nobody did. Who disabled it outranks who drains it.

    Any failure to read a file, except its absence, counts as the file does. The legacy file is never opened, because it
    is in a directory where any user can put a FIFO.
    """
    found = _read_withdrawal(files.disabled_file, drains=False)
    if found is None and files.legacy_disabled_file and os.path.lexists(files.legacy_disabled_file):
        return Withdrawal(why=f"{files.legacy_disabled_file} exists")
    return found or _read_withdrawal(files.drain_file, drains=True)


def _read_withdrawal(path: str | None, drains: bool) -> Withdrawal | None:
    if not path:
        return None
    try:
        # Links are followed: an operator may have linked the file to storage that all nodes see.
        text = read_whole(path, core_withdrawal.MAX_BYTES).data.decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        return core_withdrawal.unclear_withdrawal(f"cannot be read ({reason_of(error)})", drains)
    return core_withdrawal.parse_withdrawal(text, time.time(), drains)


def write_withdrawal(path: str, withdrawal: Withdrawal) -> None:
    """Write the disabled or the drain file in one step with mode 0644, so that no reader sees half of it.

    :raises OSError: as open does.
    """
    from .atomic_write import replace_text

    replace_text(path, core_withdrawal.render_withdrawal(withdrawal), 0o644, flush=True)


def remove_withdrawal(path: str) -> bool:
    """Remove the disabled or the drain file, and return whether it existed. :raises OSError: as os.unlink does."""
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

        settings.update(parse_sysconfig(as_text(data)))
    return settings


def as_text(data: bytes, errors: str = "surrogateescape") -> str:
    """Return the text of a configuration file, whatever its line ends are."""
    return data.decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def reason_of(error: Exception) -> str:
    """Return why a configuration file cannot be read, as the end of a sentence."""
    return (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "not UTF-8 text"
