"""Decides whether HAProxy may send traffic to a node, and why. This is the only rule of xha for that.

The responder, xha-check, clustercheck and the resource agent all call `judge`, so they cannot disagree about the same
reading. docs/contributing.md says what a new reason needs.
"""

from __future__ import annotations

from enum import Enum

from ..galera.reading import READ_ONLY_NAMES, DonorKind, LocalState, Reading, count_data_members, is_apart
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .codes import RULES, Code, NagiosCode, VerdictRule
from .commits import NOT_KNOWN, Commits
from .refusals import code_of_error

if TYPE_CHECKING:
    from .withdrawal import Withdrawal

__all__ = [
    "RULES",
    "Code",
    "LastNode",
    "NagiosCode",
    "Policy",
    "Unreadable",
    "Verdict",
    "VerdictRule",
    "judge",
    "judge_withdrawal",
]


class LastNode(Enum):
    """Which source may establish that a donor or read-only node is the last one, and so stays in service."""

    NEVER = "0"
    CLUSTER = "1"
    HAPROXY = "haproxy"


class Policy(NamedTuple):
    """The operator's choices for nodes that answer but are degraded."""

    available_when_donor: bool = False
    available_when_readonly: bool = True
    last_node: LastNode = LastNode.CLUSTER


class Unreadable(NamedTuple):
    """Why there is no reading. detail is for the operator and the log of this host, never for a remote client."""

    code: Code
    detail: str = ""


class Verdict(NamedTuple):
    """The verdict. available is for `/` and `/ready`, live for `/live`, exit_code for xha-check."""

    code: Code
    available: bool
    live: bool
    exit_code: NagiosCode
    message: str
    remedy: str


def judge(
    reading: Reading | Unreadable,
    policy: Policy,
    withdrawal: Withdrawal | None = None,
    last_server: bool = False,
    commits: Commits = NOT_KNOWN,
) -> Verdict:
    """Return the verdict. last_server: HAProxy says that it has no other usable server.

    commits: what core/node/commits.py has come to; the default is that nobody has looked, which changes nothing.
    A broken server outranks a disabled node: a disabled node whose server froze must not look merely disabled. A node
    drains only where it would serve otherwise: a balancer that has taken it out must not be told to go on with it.
    """
    if isinstance(reading, Unreadable):
        return _verdict(reading.code, available=False, detail=reading.detail)
    codes = _codes(reading, withdrawal, commits)
    refused = [code for code in codes if not _serves(code, policy)]
    if not refused:
        return _serve(_verdict(codes[0], available=True, detail=_detail(codes[0], reading)), withdrawal)
    rescue = _last_node(reading, codes, policy, last_server)
    if rescue and all(code in _RESCUED for code in refused):
        return _serve(_verdict(refused[0], available=True, detail=f"in service because {rescue}"), withdrawal)
    if withdrawal and refused[0] is Code.DISABLED:
        return judge_withdrawal(withdrawal)
    detail = commits.detail if refused[0] is commits.code else _detail(refused[0], reading)
    return _verdict(refused[0], available=False, detail=detail)


def _serve(verdict: Verdict, withdrawal: Withdrawal | None) -> Verdict:
    """Return the verdict on a node that would serve."""
    return judge_withdrawal(withdrawal) if withdrawal else verdict


def _serves(code: Code, policy: Policy) -> bool:
    """Return whether a node of which only this holds may have traffic."""
    return code is Code.SYNCED or (code.rule.policy != "" and bool(getattr(policy, code.rule.policy)))


def judge_withdrawal(withdrawal: Withdrawal) -> Verdict:
    """Return the verdict on a node that was taken out of service, without a reading (as clustercheck does)."""
    code = Code.DRAINING if withdrawal.drains else Code.DISABLED
    return _verdict(code, available=False, detail=withdrawal.why or "")


_RESCUED = (Code.DONOR, Code.DONOR_SST, Code.DONOR_LOCK, Code.READ_ONLY)
_DONORS = {None: Code.DONOR, DonorKind.SST: Code.DONOR_SST, DonorKind.LOCK: Code.DONOR_LOCK}


def _codes(reading: Reading, withdrawal: Withdrawal | None, commits: Commits) -> list[Code]:
    """Return the codes that hold for the node, worst first. There is more than one only where the policy decides."""
    status, variables = reading.status, reading.variables
    fault = _find_fault(reading) or _find_refusal(reading) or commits.code
    if fault:
        return [fault]
    if withdrawal and not withdrawal.drains:
        return [Code.DISABLED]
    if variables.pxc_maint_mode not in (None, "DISABLED") or variables.offline_mode:
        return [Code.MAINTENANCE]
    codes = []
    if variables.wsrep_desync:
        codes.append(Code.DESYNCED)
    elif status.wsrep_local_state == LocalState.DONOR:
        codes.append(_DONORS[reading.donor.kind if reading.donor else None])
    if any(getattr(variables, name) for name in READ_ONLY_NAMES):
        codes.append(Code.READ_ONLY)
    return codes or [Code.SYNCED]


def _find_fault(reading: Reading) -> Code | None:
    """Return why the node is no member that could serve; None if it is one."""
    status, variables = reading.status, reading.variables
    state = status.wsrep_local_state
    # Percona XtraDB Cluster has no global wsrep_on. There only a missing local state tells that Galera is off. A server
    # without a provider has wsrep_on = ON (measured, MariaDB 10.11).
    if variables.wsrep_on is False or variables.wsrep_provider == "none" or (state is None and not variables.wsrep_on):
        return Code.WSREP_OFF
    if is_apart(reading):
        return Code.EVICTED if reading.departure and reading.departure.evicted else Code.DISCONNECTED
    # A joiner that accepts connections says non-Primary too (measured: a joiner stuck in IST). Its state is what
    # counts.
    if state == LocalState.JOINING:
        return Code.JOINING
    if status.wsrep_cluster_status not in ("Primary", None):
        return Code.NON_PRIMARY
    return Code.JOINED if state == LocalState.JOINED else None


def _find_refusal(reading: Reading) -> Code | None:
    """Return why a member that could serve does not; None if it serves."""
    if _find_doubts(reading):
        return Code.NOT_READY
    if reading.probe_errno:
        code = code_of_error(reading.probe_errno)
        return code if code in _ALSO_OF_QUERIES else Code.REJECTING_QUERIES
    if reading.variables.wsrep_reject_queries != "NONE":
        return Code.REJECTING_QUERIES
    return Code.SKIP_NETWORKING if reading.variables.skip_networking else None


# What a query that fails so says about the node, and not about this query.
_ALSO_OF_QUERIES = (Code.OUT_OF_RESOURCES, Code.MAINTENANCE)
# Every server with Galera sends these (tests/core/listings). Where one is missing, the node is not known to be well.
_NEEDED_STATUS = ("wsrep_local_state", "wsrep_cluster_status", "wsrep_ready", "wsrep_connected")
_NEEDED_VARIABLES = ("wsrep_desync", "wsrep_reject_queries", "read_only", "skip_networking")


def _find_doubts(reading: Reading) -> list[str]:
    """Return why the node does not say that it is ready: what it denies, and what it does not say. Empty if it does."""
    status, variables = reading.status, reading.variables
    needed = {name: getattr(status, name) for name in _NEEDED_STATUS}
    needed.update({name: getattr(variables, name) for name in _NEEDED_VARIABLES})
    # MySQL has renamed tx_read_only, and MariaDB after it; some versions have both.
    if variables.tx_read_only is None:
        needed["transaction_read_only"] = variables.transaction_read_only
    doubts = [f"it does not say {name}" for name, value in needed.items() if value is None]
    if status.wsrep_ready is False:
        doubts.insert(0, "wsrep_ready is OFF")
    if status.wsrep_local_state not in (None, LocalState.DONOR, LocalState.SYNCED):
        doubts.insert(0, f"wsrep_local_state is {status.wsrep_local_state}")
    return doubts


def _detail(code: Code, reading: Reading) -> str:
    """Return what makes the message of a code precise; "" where there is nothing to add."""
    if code is Code.NOT_READY:
        return ", ".join(_find_doubts(reading))
    if code is Code.READ_ONLY:
        found = [name for name in READ_ONLY_NAMES if getattr(reading.variables, name)]
        return f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} ON"
    if code in (Code.EVICTED, Code.DISCONNECTED) and reading.departure:
        return reading.departure.text
    return ""


def _last_node(reading: Reading, codes: list[Code], policy: Policy, last_server: bool) -> str | None:
    """Return why this is the last node in service. None if it is not, or if the policy does not use that."""
    if policy.last_node is LastNode.NEVER:
        return None
    members = count_data_members(reading.status)
    if members == 1:
        return "it is the only member of the cluster that has data"
    if members == 2 and Code.DONOR_SST in codes:
        return "the only other member that has data is its joiner"
    if last_server and policy.last_node is LastNode.HAPROXY:
        return "HAProxy has no other usable server"
    return None


def _verdict(code: Code, available: bool, detail: str = "") -> Verdict:
    rule = code.rule
    message = f"{rule.message}: {detail}" if detail else rule.message
    return Verdict(code, available, rule.live, rule.exit_code, message, rule.remedy)
