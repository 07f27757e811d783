"""Decides whether HAProxy may send traffic to a node, and why. This is the only rule of xha for that.

The responder, xha-check, clustercheck and the resource agent all call `judge`, so they cannot disagree about the same
reading. docs/contributing.md says what a new reason needs.
"""

from __future__ import annotations

from enum import Enum

from ..galera.reading import DonorKind, LocalState, Reading
from ..light_typing import TYPE_CHECKING, NamedTuple
from .codes import RULES, Code, NagiosCode, VerdictRule

if TYPE_CHECKING:
    from .disabled import Disabled

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
    "judge_disabled",
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
    disabled: Disabled | None = None,
    last_server: bool = False,
) -> Verdict:
    """Return the verdict. last_server: HAProxy says that it has no other usable server.

    A broken server outranks a disabled node: a drained node whose server froze must not look merely drained.
    """
    if isinstance(reading, Unreadable):
        return _verdict(reading.code, available=False, detail=reading.detail)
    codes = _codes(reading, disabled)
    refused = [code for code in codes if not _serves(code, policy)]
    if not refused:
        return _verdict(codes[0], available=True)
    rescue = _last_node(reading, codes, policy, last_server)
    if rescue and all(code in _RESCUED for code in refused):
        return _verdict(refused[0], available=True, detail=f"in service because {rescue}")
    detail = disabled.why or "" if disabled and refused[0] is Code.DISABLED else ""
    return _verdict(refused[0], available=False, detail=detail)


def _serves(code: Code, policy: Policy) -> bool:
    """Return whether a node of which only this holds may have traffic."""
    return code is Code.SYNCED or (code.rule.policy != "" and bool(getattr(policy, code.rule.policy)))


def judge_disabled(disabled: Disabled) -> Verdict:
    """Return the verdict on a node that was taken out of service, without a reading (as clustercheck does)."""
    return _verdict(Code.DISABLED, available=False, detail=disabled.why or "")


_RESCUED = (Code.DONOR, Code.DONOR_SST, Code.DONOR_LOCK, Code.READ_ONLY)
_DONORS = {None: Code.DONOR, DonorKind.SST: Code.DONOR_SST, DonorKind.LOCK: Code.DONOR_LOCK}


def _codes(reading: Reading, disabled: Disabled | None) -> list[Code]:
    """Return the codes that hold for the node, worst first. There is more than one only where the policy decides."""
    status, variables = reading.status, reading.variables
    state = status.wsrep_local_state
    # Percona XtraDB Cluster has no global wsrep_on. There only a missing local state tells that Galera is off.
    if variables.wsrep_on is False or state is None:
        return [Code.WSREP_OFF]
    # A joiner that accepts connections says non-Primary too (measured: a joiner stuck in IST). Its state is what
    # counts.
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
    """Return why this is the last node in service. None if it is not, or if the policy does not use that."""
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
    rule = code.rule
    message = f"{rule.message}: {detail}" if detail else rule.message
    return Verdict(code, available, rule.live, rule.exit_code, message, rule.remedy)
