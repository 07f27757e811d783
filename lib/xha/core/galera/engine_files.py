"""Which files and directories in a data directory are a server's own, and which may be of users.

First, what the creation of a database makes: the system's schemas, and the files of the engines.

A creation of MariaDB 10.11 was seen to make some of the names. Others are those of a creation that is killed, or of
other versions: undo_001, #innodb_redo and mysql.ibd are MySQL's, mariadb_upgrade_info is that of MariaDB 11. Names that
an operator or a state transfer makes (keys, logs, binary logs, grastate.dat, galera.cache) are not among them.
"""

from __future__ import annotations

import re

# Galera's saved state, xha's record beside it, and the mark of a state transfer that has begun.
GRASTATE, GVWSTATE, RECORD, TRANSFER_MARK = "grastate.dat", "gvwstate.dat", "xha-node.json", "sst_in_progress"
DIRECTORIES = frozenset({"mysql", "performance_schema", "sys", "#innodb_redo", "#innodb_temp"})
_FILE = re.compile(
    r"ibdata\d+|ibtmp\d+|ib_logfile\d+|undo_?\d{3}|ib_buffer_pool(\.incomplete)?|#?ib_\d+_\d+\.dblwr|mysql\.ibd"
    r"|aria_log\.\d{8}|aria_log_control|tc\.log|ddl_recovery(-backup)?\.log|(mysql|mariadb)_upgrade_info|auto\.cnf"
)


# mysql_install_db makes a schema `test` with db.opt alone. A server's temporary files stay where tmpdir was, if it is
# killed; tmpdir=DATADIR/tmp is usual.
_SYSTEM_SCHEMAS = frozenset({"mysql", "performance_schema", "sys", "lost+found"})
_OPTIONS, _TEST, _TEMPORARY = "db.opt", "test", "tmp"
_TABLE = re.compile(
    r"(?!#sql).*\.(?:frm|ibd|isl|par|sdi|MYD|MYI|MAD|MAI|CSV|CSM|ARZ|ARM|TRG|TRN)|db\.opt", re.ASCII | re.DOTALL
)


def may_be_schema(directory: str) -> bool:
    """Return whether a directory of this name in the data directory may be a schema of users."""
    return directory not in _SYSTEM_SCHEMAS and not directory.startswith(("#", "."))


def is_of_users(directory: str, file: str, places: frozenset[str]) -> bool:
    """Return whether a file in a directory that may be a schema makes it one of users.

    Any file does. In a directory of the server's own, only a table does: in `tmp`, and in `places`, the directories
    that the server's options name. In `test`, the options of the schema do not.
    """
    if directory == _TEMPORARY or directory in places:
        return _TABLE.fullmatch(file) is not None
    return (directory, file) != (_TEST, _OPTIONS)


def is_made(name: str, data_files: tuple[str, ...] = ()) -> bool:
    """Return whether a creation makes this name in the data directory. data_files: the paths of the tablespace."""
    return name in DIRECTORIES or is_file_made(name, data_files)


def is_file_made(name: str, data_files: tuple[str, ...] = ()) -> bool:
    """Return whether a creation makes a file of this name in a directory of the engines."""
    return bool(_FILE.fullmatch(name)) or any(path.rpartition("/")[2] == name for path in data_files)
