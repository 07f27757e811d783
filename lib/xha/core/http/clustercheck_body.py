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


def render_clustercheck(verdict: Verdict, body: Body, head: bool = False) -> bytes:
    """Return the response that the users of clustercheck match on."""
    return _render(verdict.available, verdict.code, body, head)


@cache  # verdicts, bodies and methods are few
def _render(available: bool, code: Code, body: Body, head: bool) -> bytes:
    state = "synced." if available else _STATE[body].get(code, "not synced.")
    return render_response(OK if available else UNAVAILABLE, f"{_NODE[body]}{state}\r\n", head=head)
