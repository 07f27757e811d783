"""The files that xha reads: its configuration, the disabled file, clustercheck's settings."""

from __future__ import annotations

import os
import time

from ...core.config.xha_conf import DEFAULT_PATH, Config, parse_config
from ...core.node import disabled as core_disabled
from ...core.node.disabled import Disabled
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
        return Disabled(why=f"the disabled file cannot be read ({reason_of(error)}); it counts as disabled")
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

        settings.update(parse_sysconfig(as_text(data)))
    return settings


def as_text(data: bytes, errors: str = "surrogateescape") -> str:
    """Return the text of a configuration file, whatever its line ends are."""
    return data.decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def reason_of(error: Exception) -> str:
    """Return why a configuration file cannot be read, as the end of a sentence."""
    return (error.strerror or "unreadable").lower() if isinstance(error, OSError) else "not UTF-8 text"
