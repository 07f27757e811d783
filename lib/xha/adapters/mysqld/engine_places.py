"""Where a server's options place its own files: in the data directory, or elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ...core.galera.server_options import parse_provider_options

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


def find_state_directory(options: ServerOptions) -> str:
    """Return the directory in which Galera keeps grastate.dat and gvwstate.dat; a relative path is one in datadir.

    The provider's base_dir goes before wsrep_data_home_dir (galera/src/replicator_smm.cpp, gcomm/src/view.cpp).
    """
    base_dir = parse_provider_options(options.wsrep_provider_options).get("base_dir", "")
    return _in(options.datadir, base_dir or options.wsrep_data_home_dir)


def find_own_directories(options: ServerOptions) -> tuple[str, ...]:
    """Return the names in the data directory under which the options place directories of the server's own, sorted."""
    datadir = os.path.normpath(options.datadir)
    temporary = (options.tmpdir, options.innodb_tmpdir, options.slave_load_tmpdir)
    logs = (options.log_error, options.general_log_file, options.slow_query_log_file)
    binary_logs = (options.log_bin, options.relay_log)
    paths = {
        *find_engine_places(options).elsewhere,
        find_state_directory(options),
        *(_in(datadir, path) for each in temporary for path in each.split(":") if path),
        *(os.path.dirname(_in(datadir, path)) for path in (*logs, *binary_logs) if path),
    }
    inside = (os.path.relpath(path, datadir).partition("/")[0] for path in paths)
    return tuple(sorted({name for name in inside if name not in (os.curdir, os.pardir)}))


def _in(directory: str, path: str) -> str:
    return os.path.normpath(os.path.join(directory, path))
