"""The files from which a service of OpenStack reads its options (oslo_config/cfg.py, find_config_files and _dirs).

A service reads PROJECT.conf and PROGRAM.conf, and then what is in PROJECT.conf.d and PROGRAM.conf.d, by name. What
comes later counts.
"""

from __future__ import annotations

import contextlib
import errno
import os

from ...core.services.workers.oslo_config import parse_options
from ..files.whole_file import read_whole

_MAX_BYTES = 1 << 20
_MOST_FILES = 100


def read_options(path: str, program: str) -> dict[tuple[str, str], str]:
    """Return the options that a program reads, whose project's file is at the path.

    :raises OSError: if the file, or another one that is there, cannot be read; its filename says which.
    :raises ValueError: naming a file that cannot be parsed, without its text.
    """
    own = os.path.join(os.path.dirname(path), f"{program}.conf")
    options = _read(path)
    if own != path:
        with contextlib.suppress(FileNotFoundError):
            options.update(_read(own))
    for directory in (f"{path}.d", f"{own}.d") if own != path else (f"{path}.d",):
        for name in _list(directory):
            options.update(_read(os.path.join(directory, name)))
    return options


def _list(directory: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".conf") and not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    if len(names) > _MOST_FILES:
        raise OSError(errno.EFBIG, f"has more than {_MOST_FILES} files", directory)
    return names


def _read(path: str) -> dict[tuple[str, str], str]:
    try:
        text = read_whole(path, _MAX_BYTES).data.decode("utf-8", "replace")
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    try:
        return parse_options(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
