"""Members' answers for the tests of the fleet, as their responders send them."""

from __future__ import annotations

import json

from xha.core.cluster.fleet.standing import FleetMember, judge_member
from xha.core.cluster.members import Member
from xha.core.cluster.responder_word import HttpAnswer
from xha.core.node.codes import Code

UUID = "6f1c2a9e-8b0d-11ef-9c41-3a5f0e7d2b18"
SINCE = "2026-11-27T10:00:00+00:00"


def document(code: Code = Code.SYNCED, available: bool = True, **reading: object) -> str:
    """What `/node` says."""
    status = {"wsrep_local_state": 4, "wsrep_cluster_status": "Primary", "wsrep_cluster_state_uuid": UUID}
    status.update({"wsrep_cluster_size": 3, "wsrep_cluster_conf_id": 7})
    verdict = {"available": available, "code": code.value, "since": SINCE}
    return json.dumps({"kind": "node", "age_ms": 12, "verdict": verdict, "reading": {**status, **reading}})


def member(number: int, said: str | Code | None = Code.SYNCED, **reading: object) -> FleetMember:
    """Member number of a cluster. said: its code, out of service unless synced; a text: why it does not answer."""
    address = Member(f"10.0.0.{number}", 49000)
    if not isinstance(said, Code):
        return judge_member(address, None, cause=said or "port 49000: connection refused")
    return judge_member(address, HttpAnswer(200, document(said, said is Code.SYNCED, **reading)))
