"""The responses of percona-clustercheck (github.com/olafz/percona-clustercheck d5da8be) and of Red Hat's script."""

from __future__ import annotations

from enum import Enum
from functools import cache

from ..node.verdict import Code, Verdict
from .message import OK, UNAVAILABLE, render_response


class Body(Enum):
    """Whose wording `/` uses."""

    PERCONA = "percona"
    REDHAT = "redhat"


_NODE = {Body.PERCONA: "Percona XtraDB Cluster Node is ", Body.REDHAT: "Galera cluster node is "}
_STATE = {
    Body.PERCONA: {Code.READ_ONLY: "read-only.", Code.DISABLED: "manually disabled."},
    # The Red Hat script has no disabled file, so it has no wording for it.
    Body.REDHAT: {Code.READ_ONLY: "read-only."},
}


def render_clustercheck(verdict: Verdict, body: Body, head: bool = False, refusal: str = UNAVAILABLE) -> bytes:
    """Return the response that the users of clustercheck match on. refusal: the status of a node out of service."""
    return _render(OK if verdict.available else refusal, verdict.code, body, head)


@cache  # statuses, codes, bodies and methods are few
def _render(status: str, code: Code, body: Body, head: bool) -> bytes:
    state = "synced." if status is OK else _STATE[body].get(code, "not synced.")
    return render_response(status, f"{_NODE[body]}{state}\r\n", head=head)
