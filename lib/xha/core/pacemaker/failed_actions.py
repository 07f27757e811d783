"""What Pacemaker remembers of a resource's last failed action on each node, until somebody cleans it up.

And which action of it is under way there.

A host whose start failed may have no keeper that could say why: a start that ends with "not installed" launches none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.numbers import parse_int

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

# enum pcmk_exec_status: the time was over.
_TIMED_OUT = "2"
# The same: it has begun and not ended (record-pending, which is the default since 2.0).
_PENDING = "-1"
# A degraded result, and a probe that found a server, stand in the same place and are no failures.
_NO_FAILURES = (0, 190)


class FailedAction(NamedTuple):
    """A failed action: start, stop or monitor, its exit code, and the exit reason, "" where it gave none."""

    action: str
    code: int
    reason: str = ""
    timed_out: bool = False

    def __str__(self) -> str:
        how = "was not done in its time" if self.timed_out else f"failed with exit code {self.code}"
        return f"{self.action} {how}" + (f": {self.reason}" if self.reason else "")


def read_failed_actions(root: Element, resource: str) -> dict[str, FailedAction]:
    """Return the last failed action of each node that has one. root: the configuration, of any version."""
    return dict(_read(root, resource))


def read_in_flight(root: Element, resource: str) -> dict[str, str]:
    """Return the action of the resource that is under way on each node that has one."""
    return {
        node: done.get("operation", "") for node, done in _history(root, resource) if done.get("op-status") == _PENDING
    }


def _read(root: Element, resource: str) -> Iterator[tuple[str, FailedAction]]:
    for node, done in _history(root, resource):
        code = parse_int(done.get("rc-code", ""))
        if not done.get("id", "").endswith("_last_failure_0") or code is None or code in _NO_FAILURES:
            continue
        timed_out = done.get("op-status") == _TIMED_OUT
        yield node, FailedAction(done.get("operation", ""), code, done.get("exit-reason", ""), timed_out)


def _history(root: Element, resource: str) -> Iterator[tuple[str, Element]]:
    """Yield the entries of a resource's history, each with its node."""
    for state in root.iterfind("status/node_state"):
        for entry in state.iterfind("lrm/lrm_resources/lrm_resource"):
            if entry.get("id", "").partition(":")[0] == resource:
                yield from ((state.get("uname", ""), done) for done in entry.iterfind("lrm_rsc_op"))
