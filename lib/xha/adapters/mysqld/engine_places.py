"""Where a server's options place the files of its engines: in the data directory, or elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...core.galera.server_options import ServerOptions


class EnginePlaces(NamedTuple):
    """What the options say about the engines' files. Paths are absolute.

    files: the files of the system tablespace. elsewhere: the directories with files of the engines that are not the
    data directory itself.
    """

    files: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def find_engine_places(options: ServerOptions) -> EnginePlaces:
    """Return where the options place the files of the engines. A relative path is one in the data directory."""
    datadir = os.path.normpath(options.datadir)
    home = _in(datadir, options.innodb_data_home_dir)
    # ibdata1:12M;/srv/ibdata2:50M:autoextend
    names = [entry.partition(":")[0] for entry in options.innodb_data_file_path.split(";")]
    files = tuple(_in(home, name) for name in names if name)
    named = (options.innodb_log_group_home_dir, options.innodb_undo_directory, options.aria_log_dir_path)
    places = {home, *(_in(datadir, place) for place in named), *(os.path.dirname(file) for file in files)}
    return EnginePlaces(files, tuple(sorted(places - {datadir})))


def _in(directory: str, path: str) -> str:
    return os.path.normpath(os.path.join(directory, path))
