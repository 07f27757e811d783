"""The rules of ocf:xha:service: results of several depths in, one node attribute and OCF's exit codes out. Pure.

The agent starts and repairs nothing, so a monitor reports a fault as a failure only once. If every monitor failed,
Pacemaker would stop and start the watch for as long as the service is broken. The attribute shows the fault all the
time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ..services.last_result import STALE_INTERVALS, Record, judge_record, next_record, parse_record, render_record
from ..services.model.result import SELF, Level, Status
from ..text.escape import clean
from ..text.numbers import parse_json, parse_moment, parse_number
from .api import ExitCode, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..services.model.result import Result
    from ..services.settings import ServiceConfig

SCHEMA = 1
_LONGEST = 200


class Sight(NamedTuple):
    """The last result of one level. until: when it stops counting, in seconds of the host's monotonic clock."""

    record: Record
    until: float


class Watch(NamedTuple):
    """What the agent stores while it is started.

    value: of the attribute, "" while no check could tell.
    told: a monitor has already reported the present fault to Pacemaker.
    blame and known_blame: what the second attribute should hold, and what it was last set to; None if that is not
      known.
    degraded: Pacemaker may have a degraded result in its history.
    """

    attribute: str
    value: str = ""
    blame: str = ""
    known_blame: str | None = None
    told: bool = False
    degraded: bool = False
    sights: Mapping[Level, Sight] = {}


class ServiceLook(NamedTuple):
    """One look at the service. present: whether it has a process here. now: seconds of the host's monotonic clock.

    lasts: for how many seconds the result counts.
    """

    result: Result
    present: bool
    now: float
    time: float
    lasts: float


def lasting(interval: float, timeout: float) -> float:
    """Return for how long a result counts if the next one follows after interval."""
    return STALE_INTERVALS * interval + timeout


def take_look(watch: Watch, service: ServiceConfig, look: ServiceLook) -> Watch:
    """Return what to store after a look. A check that could not look changes no attribute."""
    level = look.result.level
    last = watch.sights.get(level)
    record = next_record(service, last.record if last else None, look.result, look.now, look.time)
    if look.result.is_down and not look.present:
        record = record._replace(failing=service.fall)
    sights = {one: sight for one, sight in watch.sights.items() if one is not level and sight.until > look.now}
    sights[level] = Sight(record, look.now + look.lasts)
    records = [sight.record for sight in sights.values()]
    down = _is_down(service, records)
    return watch._replace(
        sights=sights, value=_value(service, records, down) or watch.value, blame=_blame(records, down), told=down
    )


def _is_down(service: ServiceConfig, records: Iterable[Record]) -> bool:
    return any(one.result.is_down and one.failing >= service.fall for one in records)


def _value(service: ServiceConfig, records: Iterable[Record], down: bool) -> str:
    """Return 1 or 0 by the rule that answers HAProxy, or "" if no check could look."""
    standings = [judge_record(service, one, one.at) for one in records]
    if down or not all(one.is_applicable for one in standings):
        return "0"
    return "1" if any(one.is_available for one in standings) else ""


def _blame(records: Iterable[Record], down: bool) -> str:
    if down:
        return SELF
    # A fault of the service itself that does not count yet is no reason to prefer another host.
    others = (one.result.blame for one in records if one.result.blame not in (None, SELF))
    return next((clean(one, 100) for one in others if one), "")


def is_calm(watch: Watch) -> bool:
    """Return whether all results are ok or not applicable."""
    return all(one.record.result.status in (Status.OK, Status.NOT_APPLICABLE) for one in watch.sights.values())


def judge_look(watch: Watch | None, service: ServiceConfig, look: ServiceLook, *, is_probe: bool) -> Outcome:
    """Return the answer of a monitor after a look. watch: what was stored before it, None if not started."""
    result, told = look.result, watch is not None and watch.told
    text = _tell(result)
    if not look.present:
        if watch is None or is_probe:
            return Outcome(ExitCode.NOT_RUNNING)
        if result.status is Status.NOT_APPLICABLE:
            return Outcome(ExitCode.SUCCESS)
        if result.is_down:
            return Outcome(ExitCode.DEGRADED if told else ExitCode.NOT_RUNNING, text)
    if result.status in (Status.OK, Status.NOT_APPLICABLE):
        return Outcome(ExitCode.SUCCESS)
    if not result.is_down or told:
        return Outcome(ExitCode.DEGRADED, text)
    last = watch.sights.get(result.level) if watch else None
    failing = next_record(service, last.record if last else None, result, look.now, look.time).failing
    if failing < service.fall:
        return Outcome(ExitCode.DEGRADED, f"{failing} of {service.fall}: {text}")
    return Outcome(ExitCode.GENERIC, text)


def _tell(result: Result) -> str:
    blame = f" ({result.blame})" if result.blame and result.blame != SELF else ""
    said = clean(f"{result.name}{blame}: {result.message}", _LONGEST)
    return f"{said}; see xha-check service {result.name} --level {result.level.word}, and its unit's log"


def render_watch(watch: Watch) -> str:
    """Return the text of the watch's file."""
    sights = [[render_record(sight.record), sight.until] for sight in watch.sights.values()]
    return json.dumps({"schema": SCHEMA, **watch._asdict(), "sights": sights})


def parse_watch(text: str) -> Watch | None:
    """Return the watch of render_watch's text, or None for a text that is torn or has a value of another type."""
    try:
        said: dict[str, Any] = parse_json(text)
        if parse_number(said.pop("schema")) != SCHEMA:
            return None
        sights = [Sight(parse_record(record), parse_moment(until)) for record, until in said.pop("sights")]
        watch = Watch(**said, sights={sight.record.result.level: sight for sight in sights})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    words = (watch.attribute, watch.value, watch.blame, watch.known_blame or "")
    flags = (watch.told, watch.degraded)
    right = all(isinstance(word, str) for word in words) and all(isinstance(flag, bool) for flag in flags)
    return watch if right and watch.attribute else None
