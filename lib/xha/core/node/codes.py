"""Why HAProxy may or may not send traffic to a node: the stable name of every reason, and what follows from it.

core/node/verdict.py decides which reason holds. A monitor that does not query the server itself needs only this file.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from ..text.light_typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class NagiosCode(IntEnum):
    """Monitoring Plugins exit codes (Nagios plugin guidelines)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class VerdictRule(NamedTuple):
    """What follows from a code: `/live`, the exit code, and the text for a person.

    policy: the switch of [policy] in xha.conf that keeps such a node in service, "" if there is none.
    """

    name: str
    live: bool
    exit_code: NagiosCode
    message: str
    remedy: str
    policy: str = ""


_OK, _WARNING, _CRITICAL, _UNKNOWN = NagiosCode
_WAIT = "nothing: it resolves by itself; if it lasts, read the end of the server's error log"
_BACKUP = "wait for the backup to end; available_when_donor = 1 keeps such a node in service"


class Code(str, Enum):
    """The stable name of a reason, and what follows from it: a row each. The order is that of docs/verdicts.md."""

    rule: VerdictRule

    if TYPE_CHECKING:

        @property
        def value(self) -> str:
            """The name alone."""

    def __new__(cls, *row: Any) -> Code:
        """Return the code of a row. Code("synced") finds it again."""
        code = str.__new__(cls, row[0])
        code._value_, code.rule = row[0], VerdictRule(*row)
        return code

    SYNCED = VerdictRule("synced", True, _OK, "the node is synced and answers queries", "")
    DONOR = VerdictRule(
        "donor",
        True,
        _WARNING,
        "the node is donor or its replication is paused by a backup",
        _BACKUP,
        "available_when_donor",
    )
    DONOR_SST = VerdictRule(
        "donor-sst",
        True,
        _WARNING,
        "the node sends a state transfer to a joiner",
        "wait for the joiner; available_when_donor = 1 keeps such a node in service",
        "available_when_donor",
    )
    DONOR_LOCK = VerdictRule(
        "donor-lock",
        True,
        _WARNING,
        "a backup on this host has paused the node's replication",
        _BACKUP,
        "available_when_donor",
    )
    DESYNCED = VerdictRule(
        "desynced",
        True,
        _WARNING,
        "an operator desynchronised the node (wsrep_desync is ON)",
        "SET GLOBAL wsrep_desync = OFF when the work that needed it is done",
        "available_when_donor",
    )
    READ_ONLY = VerdictRule(
        "read-only",
        True,
        _WARNING,
        "the node is read-only",
        "set the variable that the message names to OFF, here and in the server's configuration",
        "available_when_readonly",
    )
    DISABLED = VerdictRule("disabled", True, _WARNING, "the node was taken out of service by hand", "xha-check enable")
    # 404 on / and /ready, where all other refusals are 503: what HAProxy's `http-check disable-on-404` waits for.
    DRAINING = VerdictRule(
        "draining",
        True,
        _WARNING,
        "the node is being drained: its connections live on, new ones go to another node",
        "xha-check enable, or start the resource again",
    )
    # These two only at /writer (core/node/writer_rule.py).
    NOT_WRITER = VerdictRule(
        "not-writer",
        True,
        _WARNING,
        "another node is the writer",
        "nothing; xha-check switchover hands over to another node",
    )
    NO_WRITER_KNOWN = VerdictRule(
        "no-writer-known",
        True,
        _WARNING,
        "no keeper of this host has said yet which node is the writer",
        "start the resource on this host; where there are two, name one by [database] resource in xha.conf",
    )
    MAINTENANCE = VerdictRule(
        "maintenance",
        True,
        _WARNING,
        "the server is in maintenance (pxc_maint_mode or offline_mode)",
        "SET GLOBAL pxc_maint_mode = 'DISABLED', or offline_mode = OFF, when the maintenance is over",
    )
    REJECTING_QUERIES = VerdictRule(
        "rejecting-queries",
        True,
        _CRITICAL,
        "the node refuses an application's queries",
        "set wsrep_reject_queries to NONE and wsrep_sst_donor_rejects_queries to OFF, or correct init_connect",
    )
    SKIP_NETWORKING = VerdictRule(
        "skip-networking",
        True,
        _CRITICAL,
        "the server listens on no port (skip_networking is ON), so no application can connect",
        "remove skip_networking from the server's configuration and restart it",
    )
    CANNOT_COMMIT = VerdictRule(
        "cannot-commit",
        True,
        _CRITICAL,
        "the node answers queries, but commits nothing",
        "make room on the disk that it names, or look for stalled storage below the binary log and the data",
    )
    STALLING = VerdictRule(
        "stalling",
        True,
        _CRITICAL,
        "the node applies nothing, and its flow control stops the commits of the whole cluster",
        "end what holds its appliers: a full or stalled disk, or LOCK TABLES (SHOW PROCESSLIST); else stop this server",
    )
    # Not live = False: a state transfer can last for hours, and a restart begins it anew.
    JOINING = VerdictRule("joining", True, _CRITICAL, "the node is joining and waits for its state transfer", _WAIT)
    STARTING = VerdictRule("starting", True, _CRITICAL, "the server is coming up and does not listen yet", _WAIT)
    JOINED = VerdictRule("joined", True, _CRITICAL, "the node has joined and is catching up", _WAIT)
    EVICTED = VerdictRule(
        "evicted",
        True,
        _CRITICAL,
        "the group has evicted the node, and it does not come back by itself",
        "find out why in the other members' error logs, then restart the server",
    )
    DISCONNECTED = VerdictRule(
        "disconnected",
        False,
        _CRITICAL,
        "the node is connected to no group",
        "read the end of the server's error log for an eviction, an inconsistency or a full disk, then restart it",
    )
    NON_PRIMARY = VerdictRule(
        "non-primary",
        False,
        _CRITICAL,
        "the node is not in the primary component: it has lost the majority of the cluster",
        "bring back the other members or the network between them; xha-check cluster shows who sees whom",
    )
    NOT_READY = VerdictRule(
        "not-ready",
        False,
        _CRITICAL,
        "the node does not say that it is ready for queries",
        "read the end of the server's error log",
    )
    WSREP_OFF = VerdictRule(
        "wsrep-off",
        False,
        _CRITICAL,
        "the server runs without Galera",
        "set wsrep_on = ON and wsrep_provider in the server's configuration and restart it",
    )
    HUNG = VerdictRule(
        "hung",
        False,
        _CRITICAL,
        "the server did not answer within the deadline",
        "look for a stopped process (state T), a full disk or a stalled storage below the server",
    )
    SERVER_DOWN = VerdictRule(
        "server-down",
        False,
        _CRITICAL,
        "no server answers at the database's address",
        "start the server, or correct socket, host and port in xha.conf",
    )
    ACCESS_DENIED = VerdictRule(
        "access-denied",
        False,
        _UNKNOWN,
        "the server refuses the check's account",
        "create the account: CREATE USER xha@localhost IDENTIFIED VIA unix_socket; or correct client.cnf",
    )
    OUT_OF_RESOURCES = VerdictRule(
        "out-of-resources",
        True,
        _CRITICAL,
        "the server has no memory or no thread for another connection",
        "look at the memory of the host, and at TasksMax, LimitNPROC and MemoryMax of the server's unit",
    )
    REFUSED = VerdictRule(
        "refused",
        True,
        _CRITICAL,
        "the server was reached and refuses to answer",
        "look up the error that the message quotes, and read the end of the server's error log",
    )
    TOO_MANY_CONNECTIONS = VerdictRule(
        "too-many-connections",
        False,
        _UNKNOWN,
        "the server has no connection left for the check",
        "raise max_connections, or give the check its own by extra_port and extra_max_connections",
    )
    CONFIG_ERROR = VerdictRule(
        "config-error",
        False,
        _UNKNOWN,
        "the fault is the check's own, so the node was not looked at",
        "correct what the message names; the next probe reads the file again",
    )
    # Used only for another host: from here a dead server and a broken network look the same.
    UNREACHABLE = VerdictRule(
        "unreachable",
        False,
        _CRITICAL,
        "the member does not answer from here",
        "run xha-check node on that host; if it is well, look at the network and the firewall between",
    )


RULES = {code: code.rule for code in Code}
