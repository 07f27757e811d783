"""May HAProxy send traffic to this node, and why: the one rule of xha.

The responder, xha-check, clustercheck and the resource agent all ask `judge`, so they cannot disagree about the
same reading. To add a reason: add a Code, its row in RULES, a line in docs/verdicts.md and a branch in `_codes`.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

from .reading import DonorKind, LocalState, Reading

if TYPE_CHECKING:
    from .disabled import Disabled


class ExitCode(IntEnum):
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


class Rule(NamedTuple):
    """What follows from a code, whatever the policy: `/live`, the exit code, and what a person reads."""

    live: bool
    exit_code: ExitCode
    message: str
    remedy: str


_OK, _WARNING, _CRITICAL, _UNKNOWN = ExitCode
_WAIT = "nothing: it resolves by itself; if it lasts, read the end of the server's error log"
_BACKUP = "wait for the backup to end; available_when_donor = 1 keeps such a node in service"

RULES = {
    Code.SYNCED: Rule(True, _OK, "the node is synced and answers queries", ""),
    Code.DONOR: Rule(True, _WARNING, "the node is donor or its replication is paused by a backup", _BACKUP),
    Code.DONOR_SST: Rule(
        True,
        _WARNING,
        "the node sends a state transfer to a joiner",
        "wait for the joiner; available_when_donor = 1 keeps such a node in service",
    ),
    Code.DONOR_LOCK: Rule(True, _WARNING, "a backup on this host has paused the node's replication", _BACKUP),
    Code.DESYNCED: Rule(
        True,
        _WARNING,
        "an operator desynchronised the node (wsrep_desync is ON)",
        "SET GLOBAL wsrep_desync = OFF when the work that needed it is done",
    ),
    Code.READ_ONLY: Rule(
        True,
        _WARNING,
        "the node is read-only",
        "SET GLOBAL read_only = OFF, and look for read_only in the server's configuration",
    ),
    Code.DISABLED: Rule(True, _WARNING, "the node was taken out of service by hand", "xha-check --enable"),
    Code.MAINTENANCE: Rule(
        True,
        _WARNING,
        "the server is in maintenance (pxc_maint_mode)",
        "SET GLOBAL pxc_maint_mode = 'DISABLED' when the maintenance is over",
    ),
    Code.REJECTING_QUERIES: Rule(
        True,
        _CRITICAL,
        "the node is synced but refuses an application's queries",
        "look at wsrep_reject_queries and wsrep_sst_donor_rejects_queries, and set them to NONE and OFF",
    ),
    Code.JOINING: Rule(False, _CRITICAL, "the node is joining and waits for its state transfer", _WAIT),
    Code.JOINED: Rule(False, _CRITICAL, "the node has joined and is catching up", _WAIT),
    Code.NON_PRIMARY: Rule(
        False,
        _CRITICAL,
        "the node is not in the primary component: it has lost the majority of the cluster",
        "bring back the other members or the network between them; xha-check --cluster shows who sees whom",
    ),
    Code.NOT_READY: Rule(
        False,
        _CRITICAL,
        "Galera says that the node is not ready for queries (wsrep_ready is OFF)",
        "read the end of the server's error log",
    ),
    Code.WSREP_OFF: Rule(
        False,
        _CRITICAL,
        "the server runs without Galera",
        "set wsrep_on = ON and wsrep_provider in the server's configuration and restart it",
    ),
    Code.HUNG: Rule(
        False,
        _CRITICAL,
        "the server did not answer within the deadline",
        "look for a stopped process (state T), a full disk or a stalled storage below the server",
    ),
    Code.SERVER_DOWN: Rule(
        False,
        _CRITICAL,
        "no server answers at the database's address",
        "start the server, or correct socket, host and port in xha.conf",
    ),
    Code.ACCESS_DENIED: Rule(
        False,
        _UNKNOWN,
        "the server refuses the check's account",
        "create the account: CREATE USER xha@localhost IDENTIFIED VIA unix_socket; or correct client.cnf",
    ),
    Code.TOO_MANY_CONNECTIONS: Rule(
        False,
        _UNKNOWN,
        "the server has no connection left for the check",
        "raise max_connections, or give the check its own by extra_port and extra_max_connections",
    ),
    Code.CONFIG_ERROR: Rule(
        False,
        _UNKNOWN,
        "the fault is the check's own, so the node was not looked at",
        "correct what the message names; the next probe reads the file again",
    ),
    # Said of another host only: from here a dead server and a cut network look the same.
    Code.UNREACHABLE: Rule(
        False,
        _CRITICAL,
        "the member does not answer from here",
        "run xha-check --node on that host; if it is well, look at the network and the firewall between",
    ),
}


class LastNode(Enum):
    """Who may say that a donor or read-only node is the last one and stays in service."""

    NEVER = "0"
    CLUSTER = "1"
    HAPROXY = "haproxy"


class Policy(NamedTuple):
    """What the operator decided about nodes that answer, but not at their best."""

    available_when_donor: bool = False
    available_when_readonly: bool = True
    last_node: LastNode = LastNode.CLUSTER


class Unreadable(NamedTuple):
    """Why there is no reading. detail is for this host's operator and log, never for a remote client."""

    code: Code
    detail: str = ""


class Verdict(NamedTuple):
    """The answer. available is for `/` and `/ready`, live for `/live`, exit_code for xha-check."""

    code: Code
    available: bool
    live: bool
    exit_code: ExitCode
    message: str
    remedy: str


def judge(
    reading: Reading | Unreadable,
    policy: Policy,
    disabled: Disabled | None = None,
    last_server: bool = False,
) -> Verdict:
    """Return the verdict. last_server is HAProxy's word that it has no other usable server.

    A broken server outranks a disabled node: a drained node whose server froze must not look merely drained.
    """
    if isinstance(reading, Unreadable):
        return _verdict(reading.code, available=False, detail=reading.detail)
    codes = _codes(reading, disabled)
    allowed = {
        Code.SYNCED: True,
        Code.DONOR: policy.available_when_donor,
        Code.DONOR_SST: policy.available_when_donor,
        Code.DONOR_LOCK: policy.available_when_donor,
        Code.DESYNCED: policy.available_when_donor,
        Code.READ_ONLY: policy.available_when_readonly,
    }
    refused = [code for code in codes if not allowed.get(code, False)]
    if not refused:
        return _verdict(codes[0], available=True)
    rescue = _last_node(reading, codes, policy, last_server)
    if rescue and all(code in _RESCUED for code in refused):
        return _verdict(refused[0], available=True, detail=f"in service because {rescue}")
    detail = disabled.why or "" if disabled and refused[0] is Code.DISABLED else ""
    return _verdict(refused[0], available=False, detail=detail)


def judge_disabled(disabled: Disabled) -> Verdict:
    """Return the verdict on a node that was taken out of service, without a reading (clustercheck's order)."""
    return _verdict(Code.DISABLED, available=False, detail=disabled.why or "")


_RESCUED = (Code.DONOR, Code.DONOR_SST, Code.DONOR_LOCK, Code.READ_ONLY)
_DONORS = {None: Code.DONOR, DonorKind.SST: Code.DONOR_SST, DonorKind.LOCK: Code.DONOR_LOCK}


def _codes(reading: Reading, disabled: Disabled | None) -> list[Code]:
    """Return what holds for the node, worst first; more than one only where policy has the word."""
    status, variables = reading.status, reading.variables
    state = status.wsrep_local_state
    # Percona XtraDB Cluster has no global wsrep_on: only its absence of a local state tells.
    if variables.wsrep_on is False or state is None:
        return [Code.WSREP_OFF]
    # A joiner that accepts connections says non-Primary too (measured, a joiner stuck in IST): the state is the truth.
    if state == LocalState.JOINING:
        return [Code.JOINING]
    if status.wsrep_cluster_status != "Primary":
        return [Code.NON_PRIMARY]
    if state == LocalState.JOINED:
        return [Code.JOINED]
    if state not in (LocalState.DONOR, LocalState.SYNCED) or not status.wsrep_ready:
        return [Code.NOT_READY]
    if reading.probe_errno or variables.wsrep_reject_queries not in (None, "NONE"):
        return [Code.REJECTING_QUERIES]
    if disabled:
        return [Code.DISABLED]
    if variables.pxc_maint_mode not in (None, "DISABLED"):
        return [Code.MAINTENANCE]
    codes = []
    if variables.wsrep_desync:
        codes.append(Code.DESYNCED)
    elif state == LocalState.DONOR:
        codes.append(_DONORS[reading.donor.kind if reading.donor else None])
    if variables.read_only:
        codes.append(Code.READ_ONLY)
    return codes or [Code.SYNCED]


def _last_node(reading: Reading, codes: list[Code], policy: Policy, last_server: bool) -> str | None:
    """Return why this is the last node in service, None if it is not or the policy does not ask."""
    if policy.last_node is LastNode.NEVER:
        return None
    size = reading.status.wsrep_cluster_size
    if size == 1:
        return "it is the only member of the cluster"
    if size == 2 and Code.DONOR_SST in codes:
        return "the only other member is its joiner"
    if last_server and policy.last_node is LastNode.HAPROXY:
        return "HAProxy has no other usable server"
    return None


def _verdict(code: Code, available: bool, detail: str = "") -> Verdict:
    rule = RULES[code]
    message = f"{rule.message}: {detail}" if detail else rule.message
    return Verdict(code, available, rule.live, rule.exit_code, message, rule.remedy)
