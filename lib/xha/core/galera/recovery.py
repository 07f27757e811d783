"""What a recovery (mysqld --wsrep-recover) has told, and whether it has told anything.

Only one that ended by itself, well, and with a line that names a position has looked at the data. Whatever else it
came to is not known: one that was killed, refused or muted says as little as data without a position, and is no proof
of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .error_log import find_errors, is_inconsistent, tell
from .position import parse_recovered_position

if TYPE_CHECKING:
    from .position import Position

# What a server is told for a recovery, behind all options of its own, so that it says where the data end:
OPTIONS = (
    "--wsrep-recover",
    "--loose-wsrep-on=ON",  # where replication is switched off, it would serve; PXC knows no such option
    "--loose-skip-silent-startup",  # MariaDB 10.11 with silent-startup logs no position (measured)
    "--loose-log-error-verbosity=3",  # MySQL 8, PXC 8: the position is a note
    "--loose-log-error-services=log_filter_internal; log_sink_internal",  # a JSON sink writes to a file of its own
)
# Signals that kill, by their numbers, with who sends them.
_SIGNALS = {
    6: "SIGABRT: it found a fault of its own",
    9: "SIGKILL, as the kernel kills where memory runs out: see dmesg",
    11: "SIGSEGV: it found a fault of its own",
    15: "SIGTERM: somebody ended it",
}


class Recovery(NamedTuple):
    """What a recovery found.

    position: None where it told none, and failure says why, in words; one that is not real is no data's. errors are the
    server's own last ones. inconsistent: by the error log, the server that ran last was voted out. overdue: it was
    killed at its deadline. log is all that it said.
    """

    position: Position | None
    errors: tuple[str, ...] = ()
    inconsistent: bool = False
    overdue: bool = False
    failure: str = ""
    log: str = ""


def judge_recovery(log: str, exit_code: int, server_log: str, *, overdue: bool = False) -> Recovery:
    """Return what a recovery came to: by all that it said, its exit code (-N: signal N), and the server's own log."""
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
