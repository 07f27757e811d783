"""The files that the creation of a database makes: the system's schemas, and the files of the engines.

A creation of MariaDB 10.11 was seen to make some of the names. Others are those of a creation that is killed, or of
other versions: undo_001, #innodb_redo and mysql.ibd are MySQL's, mariadb_upgrade_info is that of MariaDB 11. Names that
an operator or a state transfer makes (keys, logs, binary logs, grastate.dat, galera.cache) are not among them.
"""

from __future__ import annotations

import re

DIRECTORIES = frozenset({"mysql", "performance_schema", "sys", "#innodb_redo", "#innodb_temp"})
_FILE = re.compile(
    r"ibdata\d+|ibtmp\d+|ib_logfile\d+|undo_?\d{3}|ib_buffer_pool(\.incomplete)?|#?ib_\d+_\d+\.dblwr|mysql\.ibd"
    r"|aria_log\.\d{8}|aria_log_control|tc\.log|ddl_recovery(-backup)?\.log|(mysql|mariadb)_upgrade_info|auto\.cnf"
)


def is_made(name: str, data_files: tuple[str, ...] = ()) -> bool:
    """Return whether a creation makes this name in the data directory. data_files: the paths of the tablespace."""
    return name in DIRECTORIES or is_file_made(name, data_files)


def is_file_made(name: str, data_files: tuple[str, ...] = ()) -> bool:
    """Return whether a creation makes a file of this name in a directory of the engines."""
    return bool(_FILE.fullmatch(name)) or any(path.rpartition("/")[2] == name for path in data_files)
