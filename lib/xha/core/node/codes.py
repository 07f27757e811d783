"""Why HAProxy may or may not send traffic to a node: every reason's stable name, and what follows from it.

core/node/verdict.py says which of them holds. A monitor that asks no server itself needs only these.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from ..light_typing import NamedTuple


class NagiosCode(IntEnum):
    """Monitoring Plugins exit codes (Nagios plugin guidelines)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Code(str, Enum):
    """The stable name of a reason."""

    SYNCED = "synced"
    DONOR = "donor"
    DONOR_SST = "donor-sst"
    DONOR_LOCK = "donor-lock"
    DESYNCED = "desynced"
    READ_ONLY = "read-only"
    DISABLED = "disabled"
    MAINTENANCE = "maintenance"
    REJECTING_QUERIES = "rejecting-queries"
    JOINING = "joining"
    JOINED = "joined"
    NON_PRIMARY = "non-primary"
    NOT_READY = "not-ready"
    WSREP_OFF = "wsrep-off"
    HUNG = "hung"
    SERVER_DOWN = "server-down"
    ACCESS_DENIED = "access-denied"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    CONFIG_ERROR = "config-error"
    UNREACHABLE = "unreachable"


class VerdictRule(NamedTuple):
    """What follows from a code, whatever the policy: `/live`, the exit code, and what a person reads."""

    live: bool
    exit_code: NagiosCode
    message: str
    remedy: str


_OK, _WARNING, _CRITICAL, _UNKNOWN = NagiosCode
_WAIT = "nothing: it resolves by itself; if it lasts, read the end of the server's error log"
_BACKUP = "wait for the backup to end; available_when_donor = 1 keeps such a node in service"

RULES = {
    Code.SYNCED: VerdictRule(True, _OK, "the node is synced and answers queries", ""),
    Code.DONOR: VerdictRule(True, _WARNING, "the node is donor or its replication is paused by a backup", _BACKUP),
    Code.DONOR_SST: VerdictRule(
        True,
        _WARNING,
        "the node sends a state transfer to a joiner",
        "wait for the joiner; available_when_donor = 1 keeps such a node in service",
    ),
    Code.DONOR_LOCK: VerdictRule(True, _WARNING, "a backup on this host has paused the node's replication", _BACKUP),
    Code.DESYNCED: VerdictRule(
        True,
        _WARNING,
        "an operator desynchronised the node (wsrep_desync is ON)",
        "SET GLOBAL wsrep_desync = OFF when the work that needed it is done",
    ),
    Code.READ_ONLY: VerdictRule(
        True,
        _WARNING,
        "the node is read-only",
        "SET GLOBAL read_only = OFF, and look for read_only in the server's configuration",
    ),
    Code.DISABLED: VerdictRule(True, _WARNING, "the node was taken out of service by hand", "xha-check --enable"),
    Code.MAINTENANCE: VerdictRule(
        True,
        _WARNING,
        "the server is in maintenance (pxc_maint_mode)",
        "SET GLOBAL pxc_maint_mode = 'DISABLED' when the maintenance is over",
    ),
    Code.REJECTING_QUERIES: VerdictRule(
        True,
        _CRITICAL,
        "the node is synced but refuses an application's queries",
        "look at wsrep_reject_queries and wsrep_sst_donor_rejects_queries, and set them to NONE and OFF",
    ),
    Code.JOINING: VerdictRule(False, _CRITICAL, "the node is joining and waits for its state transfer", _WAIT),
    Code.JOINED: VerdictRule(False, _CRITICAL, "the node has joined and is catching up", _WAIT),
    Code.NON_PRIMARY: VerdictRule(
        False,
        _CRITICAL,
        "the node is not in the primary component: it has lost the majority of the cluster",
        "bring back the other members or the network between them; xha-check --cluster shows who sees whom",
    ),
    Code.NOT_READY: VerdictRule(
        False,
        _CRITICAL,
        "Galera says that the node is not ready for queries (wsrep_ready is OFF)",
        "read the end of the server's error log",
    ),
    Code.WSREP_OFF: VerdictRule(
        False,
        _CRITICAL,
        "the server runs without Galera",
        "set wsrep_on = ON and wsrep_provider in the server's configuration and restart it",
    ),
    Code.HUNG: VerdictRule(
        False,
        _CRITICAL,
        "the server did not answer within the deadline",
        "look for a stopped process (state T), a full disk or a stalled storage below the server",
    ),
    Code.SERVER_DOWN: VerdictRule(
        False,
        _CRITICAL,
        "no server answers at the database's address",
        "start the server, or correct socket, host and port in xha.conf",
    ),
    Code.ACCESS_DENIED: VerdictRule(
        False,
        _UNKNOWN,
        "the server refuses the check's account",
        "create the account: CREATE USER xha@localhost IDENTIFIED VIA unix_socket; or correct client.cnf",
    ),
    Code.TOO_MANY_CONNECTIONS: VerdictRule(
        False,
        _UNKNOWN,
        "the server has no connection left for the check",
        "raise max_connections, or give the check its own by extra_port and extra_max_connections",
    ),
    Code.CONFIG_ERROR: VerdictRule(
        False,
        _UNKNOWN,
        "the fault is the check's own, so the node was not looked at",
        "correct what the message names; the next probe reads the file again",
    ),
    # Said of another host only: from here a dead server and a cut network look the same.
    Code.UNREACHABLE: VerdictRule(
        False,
        _CRITICAL,
        "the member does not answer from here",
        "run xha-check --node on that host; if it is well, look at the network and the firewall between",
    ),
}
