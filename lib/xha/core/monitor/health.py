"""The answer of a monitor: one table from what was seen to Pacemaker's code, a reason, and the next step for a person.

A failed check does not prove a failed database. The code is 1 only if the process, the group or a silence that has
lasted proves a failure, and 7 only if nothing runs. Everything that can wait or needs a person is 190. Only
core/node/verdict.py says what a reading means, so that agent and responder cannot disagree about the same reading.
"""

from __future__ import annotations

from ..node.codes import Code
from ..ocf.api import ExitCode, Outcome
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from .keeper_status import Phase
from .symptoms import (
    IMPOSSIBLE,
    DatadirUse,
    Graces,
    Symptoms,
    hangs,
    has_ended,
    has_failed,
    has_failed_keeper,
    has_mute_keeper,
    in_phase,
    is_degraded,
    is_evicted,
    is_left_behind,
    is_low,
    is_one_of,
    is_out,
    is_silent,
    is_told,
    joins,
    keeper_words,
    stalls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENDED", "RULES", "DatadirUse", "Graces", "Health", "MonitorRule", "Symptoms", "judge_health"]

# How much of an exit reason Pacemaker keeps (2.1.5), and how much of it goes to its log.
_SHOWN, _LONGEST = 128, 400
_EXPLAIN = "xha-check explain"
# The rule for a server that has ended by itself.
ENDED = "ended"


class MonitorRule(NamedTuple):
    """One row of the table: if `holds` returns a text or True for what was seen, the answer is `code`.

    text: the beginning of the reason. A text from holds follows it. remedy: the next step; says_remedy is False if the
      text from holds already names one.
    """

    name: str
    code: ExitCode
    text: str
    remedy: str
    holds: Callable[[Symptoms], str | bool]
    says_remedy: bool = True


class Health(NamedTuple):
    """The answer. launch_keeper: the server has no keeper, and a monitor that is no probe must launch one."""

    outcome: Outcome
    rule: str
    launch_keeper: bool = False


def judge_health(seen: Symptoms) -> Health:
    """Return the answer of a monitor: the first rule of RULES that holds. The last rule always holds."""
    for rule in RULES:
        found = rule.holds(seen)
        if found is not False and found != "":
            break
    reason = "" if rule.code in (ExitCode.SUCCESS, ExitCode.NOT_RUNNING) else _reason(rule, found, seen)
    wanted = (
        not seen.alive and seen.server in (DatadirUse.RUNNING, DatadirUse.RECOVERY) and rule.code != ExitCode.GENERIC
    )
    return Health(Outcome(rule.code, reason), rule.name, wanted)


def _reason(rule: MonitorRule, found: str | bool, seen: Symptoms) -> str:
    words = rule.text if found is True else f"{rule.text}: {found}"
    steps = f"; {rule.remedy}" if rule.remedy and (rule.says_remedy or found is True) else ""
    line = " ".join(f"{words}{steps}".split())
    says_step = 0 < line.find("; ") < _SHOWN - len(_EXPLAIN)
    if len(line) > _SHOWN and _EXPLAIN in rule.remedy and not says_step:
        return f"{line[: _SHOWN - len(_EXPLAIN) - 5]}...; {_EXPLAIN}"
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


_OK, _FAILS, _STOPPED, _WAITS = ExitCode.SUCCESS, ExitCode.GENERIC, ExitCode.NOT_RUNNING, ExitCode.DEGRADED
_LOOK = "read the end of the server's error log"

RULES = (
    MonitorRule("stopped", _STOPPED, "nothing runs", "", lambda s: s.server is DatadirUse.ABSENT and not s.alive),
    MonitorRule("told", _WAITS, "mysqld has ended by itself, and Pacemaker was told just now", _LOOK, is_told),
    MonitorRule(ENDED, _FAILS, "mysqld has ended by itself", _LOOK, has_ended),
    MonitorRule("failed", _FAILS, "the keeper gave up", "mend what it names, then pcs resource cleanup", has_failed),
    MonitorRule(
        "occupied",
        _WAITS,
        "no server runs, but another program uses the data directory",
        "find it with fuser -v DATADIR/ibdata1 and let it end",
        lambda s: s.server is DatadirUse.OTHER and (s.occupant or True),
    ),
    MonitorRule(
        "unseen",
        _WAITS,
        "what uses the data directory is not known",
        "mend what it names: until then a stop fails",
        lambda s: s.server is DatadirUse.UNSEEN and (s.occupant or True),
    ),
    MonitorRule(
        "frozen",
        _FAILS,
        "mysqld is held by a signal or a debugger (state T)",
        "if that was on purpose, set the resource is-managed=false before",
        lambda s: s.server is DatadirUse.STOPPED,
    ),
    MonitorRule("recovering", _WAITS, "finding out where the data end", "", lambda s: s.server is DatadirUse.RECOVERY),
    MonitorRule(
        "evicted",
        _WAITS,
        "the group has evicted this node",
        "mend the storage that the keeper names; it restarts the server then",
        is_evicted,
    ),
    MonitorRule("out", _FAILS, "mysqld has left the group and does not come back by itself", _LOOK, is_out),
    MonitorRule("hung", _FAILS, "mysqld hangs", "look for a full disk or a stalled storage below it", hangs),
    MonitorRule(
        "stalled", _FAILS, "the state transfer stands still", "look at the network, and at the donor's log", stalls
    ),
    MonitorRule("left-behind", _FAILS, "mysqld stays outside of the Primary component", _LOOK, is_left_behind),
    MonitorRule("mute-keeper", _WAITS, "the keeper is stuck", "xha-check keeper --replace", has_mute_keeper),
    MonitorRule(
        "no-keeper",
        _WAITS,
        "mysqld has no keeper, because that gave up",
        "mend what it names: the next monitor begins anew",
        has_failed_keeper,
    ),
    MonitorRule(
        "silent", _WAITS, "mysqld does not answer", "wait for hang_grace, or look at the disk below it", is_silent
    ),
    MonitorRule(
        "no-position",
        _WAITS,
        "nobody knows where the data end",
        "mend what it names: the keeper looks again by itself, within half a minute",
        in_phase(Phase.UNKNOWN),
    ),
    MonitorRule("preparing", _WAITS, "the keeper works", "", in_phase(Phase.RECOVERING, Phase.REVIVING)),
    MonitorRule(
        "refusing",
        _WAITS,
        "a person has to decide",
        f"{_EXPLAIN} on this node",
        in_phase(Phase.REFUSING),
        says_remedy=False,
    ),
    MonitorRule(
        "waiting",
        _WAITS,
        "waiting",
        f"bring up what it names; {_EXPLAIN} tells more",
        in_phase(Phase.WAITING),
        says_remedy=False,
    ),
    MonitorRule(
        "held",
        _WAITS,
        "nothing is done here, by order",
        "end what it names when the work is done",
        lambda s: s.code != Code.SYNCED.value and in_phase(Phase.HELD)(s),
    ),
    MonitorRule("joining", _WAITS, "joining the cluster", "", joins),
    MonitorRule(
        "non-primary",
        _WAITS,
        "without a Primary component",
        f"bring back the other members or the network; {_EXPLAIN}",
        lambda s: s.code == Code.NON_PRIMARY.value and keeper_words(s),
        says_remedy=False,
    ),
    MonitorRule(
        "check-failed",
        _WAITS,
        "the check is not possible, which says nothing of the database",
        "what the reason names",
        is_one_of(*IMPOSSIBLE, Code.SERVER_DOWN),
        says_remedy=False,
    ),
    MonitorRule("degraded", _WAITS, "not at its best", "what the reason names (docs/verdicts.md)", is_degraded, False),
    MonitorRule(
        "query-fails",
        _WAITS,
        "synced, but a query fails",
        "run the query by hand with the check's account",
        lambda s: s.query_error,
    ),
    MonitorRule(
        "disk-low",
        _WAITS,
        "the disk is nearly full, and a full one stalls the whole cluster",
        "make room: old binary logs first (PURGE BINARY LOGS)",
        lambda s: is_low(s.disk_free, s.disk_size) and f"{(s.disk_free or 0) >> 20} MiB free",
    ),
    MonitorRule(
        "synced",
        _OK,
        "Primary and ready",
        "",
        lambda s: s.server is DatadirUse.RUNNING and s.code == Code.SYNCED.value,
    ),
    MonitorRule("starting", _WAITS, "about to start", "", lambda s: s.server is DatadirUse.ABSENT),
    MonitorRule("unknown", _WAITS, "mysqld runs and has not been asked yet", "", lambda _: True),
)
