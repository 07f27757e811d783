"""Reads the server's error log after a failed start: its last errors, and whether another attempt can succeed."""

from __future__ import annotations

import re

from ..text.escape import clean

MAX_LINES, MAX_CHARACTERS = 5, 300

# The layouts of MariaDB and of MySQL, what the servers print before they have a log, and the shells of the scripts that
# they run: `/usr/bin/wsrep_sst_rsync: line 728: /usr/bin/rsync: Permission denied`, `sh: 1: wsrep_sst_x: not found`.
_SHELL = re.compile(
    r"^(?:\S{0,200}wsrep_sst_\w{1,40}: line \d{1,6}|(?:/bin/)?sh: (?:line )?\d{1,6}): "
    r".{1,300}(?:not found|Permission denied)$"
)
_ERROR = re.compile(
    rf"\[ERROR\]|{_SHELL.pattern}|\[Warning\] Can't create test file"
    r"|^(?:Fatal error in defaults handling|Could not open required defaults file"
    r"|error: Found option without preceding group|error: Wrong group definition)"
)
# The counts keep a line full of "Starting" from taking a minute. MariaDB's longest has 150 characters.
_START = re.compile(r"[Ss]tarting (?:\S{1,100} [^\n]{0,300})?as process \d+")
_STAMP = re.compile(r"^\d{4}-?\d\d-?\d\d[T ]+\d{1,2}:\d\d:\d\d(?:\.\d+)?Z?(?:[+-]\d\d:\d\d)?\s+(?:0x)?[0-9a-f]+\s+")
# What the script of a state transfer says. It comes first: what the server says of it follows.
_SCRIPT = re.compile(rf"^WSREP_SST: \[ERROR\] |{_SHELL.pattern}")
# The script's errors are not in the server's log (sst-syslog=1). Their tag has syslog-tag before `wsrep-sst-joiner`.
_ELSEWHERE = re.compile(r"^WSREP_SST: \[INFO\] Logging all stderr of SST/\S+ to syslog", re.MULTILINE)
_JOURNAL = "; the script's own errors: journalctl --since -1h | grep wsrep-sst"
# Lines that only follow from the real error and hide it. Those of a state transfer, and of a group that is not reached,
# were seen with MariaDB 10.11 and Galera 26.4.23.
_ECHO = re.compile(
    r"\[ERROR\](?: \[MY-\d+\])?(?: \[\w+\])? (?:\S*(?:mysqld|mariadbd): )?"
    r"(?:(?:Aborting|Abort)\.?$|Plugin 'InnoDB' |Unknown/unsupported storage engine: InnoDB"
    r"|InnoDB: Plugin initialization aborted|WSREP: (?:Failed to (?:load provider$|create a new provider )"
    r"|View callback failed|Exception: State wait was interrupted"
    r"|Failed to read (?:'ready <addr>'|uuid:seqno|from: wsrep_sst_)"
    r"|(?:Process completed with error|Command did not run|Failed to execute): wsrep_sst_"
    r"|Failed to prepare for '\w+' SST|SST request callback failed|SST failed: "
    r"|Application (?:received wrong state|state transfer failed)"
    r"|\S*(?:gcs_core_open|gcs_open)\(\):\d+: Failed to open|gcs connect failed: |wsrep::connect\())"
    r"|WSREP_SST: \[ERROR\] (?:Cleanup after exit with status|\*+)"
)
_OF_TRANSFER = re.compile(r"wsrep_sst_|\bSST\b|joiner script|Application (?:received wrong|state transfer)")
# What PXC's strict mode says to a client, in that client's thread: not why a server ended. At a start the thread is 0.
_TO_A_CLIENT = re.compile(r"Z [1-9]\d* \[ERROR\] (?:\[MY-\d+\] )?(?:\[WSREP\]|WSREP:) Percona-XtraDB-Cluster ")
# A server quotes an option that it does not know with its value: wsrep_sst_auth, which PXC 8.0 has no longer.
_SECRET = re.compile(r"((?:auth|passw(?:or)?d)[\w-]*\s*=)[^']*", re.IGNORECASE)
# Errors of the configuration, the provider library or permissions. They return until somebody changes something.
_PERMANENT = re.compile(
    r"unknown (?:variable|option|suffix)|ambiguous option|requires an argument|Error while setting value"
    r"|defaults handling|defaults file|without preceding group|Wrong group definition"
    r"|Permission denied|Errcode: 13|errno: 13|OS error 13|must be writable|how to run m\w+ as root"
    r"|wsrep_load\(\)|Failed to load provider|Provider library|dlopen|unrecognized parameter|Unrecognized parameter"
    r"|Can't change dir to|Can't find error-message file|Unknown (?:storage engine|collation|character set)"
    r"|only be set to|is not a valid value|Plugin .* (?:is not loaded|is disabled)|failed to parse provider options"
    r"|Percona-XtraDB-Cluster prohibits"
    r"|Bad value for|uses page size \d+, but|binlog_format .* not supported|Galera Cluster.*innodb_autoinc_lock_mode",
    re.IGNORECASE,
)
# The node was voted out, or an incremental transfer failed. After such a failure Galera counts the write sets in its
# queue as applied, and skips them.
_INCONSISTENT = re.compile(
    r"Inconsistency detected|Inconsistent by consensus|node consistency compromised"
    r"|Receiving IST failed, node restart required|does not match certification protocol version: -1",
    re.IGNORECASE,
)
# In every line of MySQL's JSON sink (docs: "The JSON Error Log Sink").
_LABEL = '"label"'
# What a server writes once it listens, and once it is told to end.
_SERVED = re.compile(r": ready for connections|Normal shutdown|Received SHUTDOWN|Shutdown complete|Shutting down", re.I)
_EVICTED = re.compile(r"this node has been evicted out of the cluster")


def plain(log: str) -> str:
    """Return the log with the lines of MySQL's JSON sink (log_sink_json) in the layout of its plain sink."""
    return "\n".join(_plain(line) if line.startswith("{") and _LABEL in line else line for line in log.split("\n"))


def _plain(line: str) -> str:
    from ..text.numbers import parse_json

    try:
        said = parse_json(line)
        label, subsystem, text = (str(said.get(name, "")) for name in ("label", "subsystem", "msg"))
    except (ValueError, AttributeError, RecursionError):
        return line
    return f"[{label.upper() if label == 'Error' else label}] [{subsystem}] {text}"


def find_errors(log: str) -> tuple[str, ...]:
    """Return the last errors of a log, oldest first, without their time stamps, and shortened."""
    found = (line.strip() for line in plain(log).split("\n") if _ERROR.search(line))
    lines = [line for line in found if not _TO_A_CLIENT.search(line)]
    # Of lines that all follow from something else, the first is the nearest to it.
    telling = [line for line in lines if not _ECHO.search(line)] or lines[:1]
    # The text may come from anyone, and it is shown on terminals.
    cut = [clean(_SECRET.sub(r"\1***", _STAMP.sub("", line)), 2 * MAX_CHARACTERS) for line in _choose(telling)]
    told = [line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 3] + "..." for line in cut]
    if told and _OF_TRANSFER.search(told[-1]) and _ELSEWHERE.search(log) and not any(map(_SCRIPT.search, told)):
        told[-1] = told[-1][: MAX_CHARACTERS - len(_JOURNAL)] + _JOURNAL
    return tuple(told)


def _choose(lines: list[str]) -> list[str]:
    """Return MAX_LINES of the lines in their order: the first causes, and the last of the others."""
    causes = [place for place, line in enumerate(lines) if _is_cause(line)][:MAX_LINES]
    others = [place for place in range(len(lines)) if place not in set(causes)]
    kept = sorted([*causes, *others[max(0, len(others) + len(causes) - MAX_LINES) :]])
    return [lines[place] for place in kept]


def _is_cause(line: str) -> bool:
    return _PERMANENT.search(line) is not None or _SCRIPT.search(line) is not None


def tell(errors: tuple[str, ...]) -> str:
    """Return the most telling error, "" if there is none.

    It is the first that somebody has to mend (permanent), else the first of a state transfer's script, else the last.
    """
    ranked = (line for rule in (_PERMANENT, _SCRIPT) for line in errors if rule.search(line))
    return next(ranked, errors[-1] if errors else "")


def is_permanent(errors: tuple[str, ...]) -> bool:
    """Return whether one of the errors comes from the configuration, the provider library or permissions."""
    return any(_PERMANENT.search(line) for line in errors)


def is_inconsistent(log: str) -> bool:
    """Return whether the last server in this log lacks rows that its position promises.

    Either the group voted it out, or it left the group because an incremental transfer failed. In the second case the
    write sets in its queue were skipped while its position moved past them. Measured (Galera 26.4.23): a node that
    called itself intact lacked 46 acknowledged rows, and joined again by IST.
    """
    return _INCONSISTENT.search(since_start(log)) is not None


def is_evicted(log: str) -> bool:
    """Return whether the last server in this log was shut out by the group (gcomm/src/gmcast_proto.cpp)."""
    return _EVICTED.search(since_start(log)) is not None


def has_come_up(log: str) -> bool | None:
    """Return whether the last server in this log has listened or was told to end; None if no start is in it."""
    log = plain(log)
    starts = [match.end() for match in _START.finditer(log)]
    return _SERVED.search(log, starts[-1]) is not None if starts else None


def since_start(log: str) -> str:
    """Return what the last server in a log wrote, in the plain layout; all of it if no start is in it."""
    log = plain(log)
    starts = [match.end() for match in _START.finditer(log)]
    return log[starts[-1] :] if starts else log
