"""The last result of a service as a file, from xha-services to the responder, and the answer to HAProxy from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ..http.message import OK, UNAVAILABLE, render_response
from ..text.escape import clean
from ..text.numbers import parse_count, parse_json, parse_moment
from .model.result import Result, Status, parse_field, parse_result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.message import Request
    from .settings import ServiceConfig, ServiceFault

STALE_INTERVALS = 3
MAX_BYTES = 65536
_LONGEST = 200


class Record(NamedTuple):
    """A result and when its check began.

    at: seconds of the host's monotonic clock. time: seconds since 1970.
    failing: how many results in a row, this one included, found the service itself broken; one that could not look does
      not count.
    serves: by the last result that could look, whether the service may have traffic; None if there was none.
    """

    result: Result
    at: float
    time: float
    failing: int = 0
    serves: bool | None = None


def next_record(service: ServiceConfig, last: Record | None, result: Result, at: float, time: float) -> Record:
    """Return the record that follows the last one.

    A service without an earlier result is down on its first failure, without waiting for `fall`. A result that could
    not look changes nothing: the check's own settings neither take a service out nor bring it back.
    """
    if result.status is Status.UNKNOWN:
        return Record(result, at, time, last.failing if last else 0, last.serves if last else None)
    before = last.failing if last and last.serves is not None else service.fall - 1
    failing = min(before + 1, service.fall) if result.is_down else 0
    return Record(result, at, time, failing, result.status is not Status.NOT_APPLICABLE and failing < service.fall)


def render_record(record: Record) -> str:
    """Return the text of a record's file: the result's own object (docs/schema-1.json), and four more names."""
    more = {"at": record.at, "time": record.time, "failing": record.failing, "serves": record.serves}
    return json.dumps({**record.result.document(), **more}) + "\n"


def parse_record(text: str) -> Record:
    """Return the record in a file's text. :raises ValueError: saying what is wrong, for anything else."""
    document = parse_json(text)
    result = parse_result(document)
    at, time = (parse_field(document, name, parse_moment) for name in ("at", "time"))
    serves = parse_field(document, "serves", _parse_switch) if "serves" in document else None  # older files lack it
    return Record(result, at, time, parse_field(document, "failing", parse_count), serves)


def _parse_switch(value: bool | None) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(value)
    return value


class UnusableRecord(NamedTuple):
    """Stands for a record that cannot be used. why: the end of a sentence, such as `at has a value ...`."""

    why: str


class ServiceStanding(NamedTuple):
    """The answer to a load balancer about a service. is_applicable False: nothing here can take traffic."""

    is_available: bool
    text: str
    is_applicable: bool = True


def judge_record(service: ServiceConfig, record: Record | UnusableRecord | None, now: float) -> ServiceStanding:
    """Return whether the service may have traffic. now is in seconds of the host's monotonic clock.

    Only a fault of the service itself takes it out, after `fall` results in a row. If a dependency's fault did so too,
    one dead database would empty every backend. A record whose time is in the future is not used: it would never become
    stale, and it was not written by this clock. A check that could not look leaves the service where the last one that
    could has put it; a service that no check could look at is not in.
    """
    if isinstance(record, Record) and record.at > now:
        record = UnusableRecord("at is in the future")
    if isinstance(record, UnusableRecord):
        return ServiceStanding(False, f"unknown: its record cannot be used: {clean(record.why, _LONGEST)}")
    if record is None or now - record.at > STALE_INTERVALS * service.interval:
        return ServiceStanding(False, "stale")
    result = record.result
    age = f"{max(0, round((now - record.at) * 1000))} ms"
    if result.status is Status.NOT_APPLICABLE:
        return ServiceStanding(False, "not applicable", is_applicable=False)
    if result.status is Status.UNKNOWN:
        before = "" if record.serves is None else f", before that {'in' if record.serves else 'out'}"
        return ServiceStanding(record.serves is True, f"unknown {age}{before}")
    said = clean(" ".join(filter(None, (result.status.value, result.blame))), _LONGEST)
    if not result.is_down:
        return ServiceStanding(True, f"{said} {age}")
    if record.failing < service.fall:
        return ServiceStanding(True, f"{said} {record.failing}/{service.fall} {age}")
    return ServiceStanding(False, f"{said} {age}")


# The answer for a service whose section is wrong. The fault itself may quote a path or a value, so it is only in the
# log and in xha-check.
MISCONFIGURED = ServiceStanding(False, "unknown: its section in xha.conf is wrong")


def render_service_metrics(
    pairs: Iterable[tuple[ServiceConfig, Record | UnusableRecord | None]],
    now: float,
    faults: Iterable[ServiceFault] = (),
) -> str:
    """Return the Prometheus text of what is known about each service. About a service in faults nothing is known."""
    status, available, duration, last_run = [], [], [], []
    for service, record in pairs:
        label = f'service="{service.name}"'
        available.append(f"xha_service_available{{{label}}} {int(judge_record(service, record, now).is_available)}")
        if not isinstance(record, Record):
            continue
        result = record.result
        blame = (result.blame or "").translate(_ESCAPES)
        labels = f'{label},level="{result.level.word}",status="{result.status.value}",blame="{blame}"'
        status.append(f"xha_service_status{{{labels}}} 1")
        duration.append(f"xha_service_duration_seconds{{{label}}} {result.duration_ms / 1000:.3f}")
        last_run.append(f"xha_service_last_run_timestamp_seconds{{{label}}} {record.time:.3f}")
    available += [f'xha_service_available{{service="{one.name.translate(_ESCAPES)}"}} 0' for one in faults]
    families = (
        ("xha_service_status", "how the last check found the service, as labels", status),
        ("xha_service_available", "1 if /service/NAME answers 200", available),
        ("xha_service_duration_seconds", "how long the last check took", duration),
        ("xha_service_last_run_timestamp_seconds", "when the last check began", last_run),
    )
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} gauge\n" + "\n".join(samples) + "\n"
        for name, text, samples in families
        if samples
    )


_ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}


def render_standing(request: Request, standing: ServiceStanding) -> bytes:
    """Return the complete response that says whether a service may have traffic."""
    head = request.method == "HEAD"
    return render_response(OK if standing.is_available else UNAVAILABLE, f"{standing.text}\n", head=head)
