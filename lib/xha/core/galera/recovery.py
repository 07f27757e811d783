"""Judges a recovery (mysqld --wsrep-recover): what position it told, or why it told none.

A recovery has looked at the data only if it ended by itself, with exit code 0, and logged a line that names a position.
Every other outcome is unknown. A recovery that was killed, refused or muted logs no more than one on a directory
without data, so its silence does not prove that there are no data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .error_log import find_errors, is_inconsistent, tell
from .position import parse_recovered_position

if TYPE_CHECKING:
    from .position import Position

# Options for a recovery. They follow all other options of the server, so that it says where the data end:
OPTIONS = (
    "--wsrep-recover",
    "--loose-wsrep-on=ON",  # with replication off, the server would go into service; PXC lacks this option
    "--loose-skip-silent-startup",  # with silent-startup, MariaDB 10.11 logs no position (measured)
    "--loose-log-error-verbosity=3",  # MySQL 8, PXC 8: the position is a note
    "--loose-log-error-services=log_filter_internal; log_sink_internal",  # a JSON sink writes to a file of its own
)
# Signals that kill, by number, with their usual cause.
_SIGNALS = {
    6: "SIGABRT: it found a fault of its own",
    9: "SIGKILL, as the kernel kills where memory runs out: see dmesg",
    11: "SIGSEGV: it found a fault of its own",
    15: "SIGTERM: somebody ended it",
}


class Recovery(NamedTuple):
    """The result of a recovery.

    position: None if the recovery told none; failure then says why. A position that is not real means that there are no
      data.
    errors: the server's own last errors.
    inconsistent: according to the error log, the server that ran last lacks rows that its position promises.
    overdue: the recovery was killed at its deadline.
    log: everything that it printed. stamp: what the data were when it ended (datadir/contents.py), "" where unknown.
    """

    position: Position | None
    errors: tuple[str, ...] = ()
    inconsistent: bool = False
    overdue: bool = False
    failure: str = ""
    log: str = ""
    stamp: str = ""


def judge_recovery(log: str, exit_code: int, server_log: str, *, overdue: bool = False) -> Recovery:
    """Return the result of a recovery, from its output, its exit code (-N: signal N) and the server's own log."""
    errors = find_errors(log)
    position = None if overdue or exit_code else parse_recovered_position(log)
    failure = "" if position is not None else _tell_end(exit_code, overdue, tell(errors))
    return Recovery(position, errors, is_inconsistent(server_log), overdue, failure, log)


def _tell_end(exit_code: int, overdue: bool, said: str) -> str:
    if overdue:
        how = "took too long and was killed"
    elif exit_code < 0:
        how = f"was killed by {_SIGNALS.get(-exit_code, f'signal {-exit_code}')}"
    else:
        how = f"ended with exit code {exit_code}" if exit_code else "ended well, but named no position"
    return f"mysqld --wsrep-recover {how}{f': {said}' if said else ''}"
