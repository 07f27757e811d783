"""What came of an effect: it is done, a guard did not hold, or it failed; and the text by which a child tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Union

from ..galera.json_fields import parse_flag, parse_known_position, parse_text
from ..galera.node_record import parse_node_record, render_node_record
from ..galera.position import Kind, Standing
from ..text.numbers import parse_json, parse_moment

if TYPE_CHECKING:
    from typing import Any

    from ..galera.known_servers import ServerProcess
    from ..galera.node_record import NodeRecord
    from ..galera.position import GvwState
    from ..pacemaker.guards import Guard
    from .effects import Act


class FailureCause(Enum):
    """Why something failed, as far as it decides what comes next."""

    UNREACHABLE = "Pacemaker does not answer"
    BUSY = "somebody uses the data, or the system refuses: it is tried again"
    SYSTEM = "the operating system refuses to start the server"
    UNUSABLE = "the program or its configuration cannot be used: no second try helps"
    SURVIVES = "the server survives SIGKILL"
    UNFORESEEN = "a fault of xha's own"


@dataclass(frozen=True)
class Started:
    """The value of a launch: the server, and what was true when it was started."""

    server: ServerProcess
    at: float
    log_from: int | None = 0
    free: int = 0
    view: GvwState | None = None


@dataclass(frozen=True)
class Recovered:
    """The value of a recovery. record: the one beside the data, None where it is unknown too.

    unmendable: what made it fail comes back until somebody changes an option or a permission. busy: somebody uses the
    data, which may be over at any moment.
    """

    standing: Standing
    record: NodeRecord | None = None
    safe_to_bootstrap: bool = False
    unmendable: bool = False
    busy: bool = False


@dataclass(frozen=True)
class Unfit:
    """The value of a look at the host that found an error. permanent: no second try mends that."""

    text: str
    permanent: bool = False


@dataclass(frozen=True)
class Begun:
    """The value of an effect that begins a child. number: no other child of this keeper has it.

    directory: what distinguishes the data directory from any other one (device, inode), None where that is unknown.
    """

    number: int
    directory: tuple[int, int] | None = None


@dataclass(frozen=True)
class Done:
    """It is done, at a time of the monotonic clock. value: what it found or made; "" or None where that is nothing."""

    at: float = 0.0
    value: Started | Recovered | Unfit | Begun | str | bool | int | None = None


@dataclass(frozen=True)
class GuardFailed:
    """It was not done: what must hold did not. guard None: the act itself met that another was quicker.

    permanent: no second try mends that.
    """

    guard: Guard | None
    text: str = ""
    permanent: bool = False


@dataclass(frozen=True)
class EffectFailed:
    """It failed, perhaps after a part of it was done. at: when, by the monotonic clock."""

    cause: FailureCause
    text: str
    at: float = 0.0


EffectOutcome = Union[Done, GuardFailed, EffectFailed]


@dataclass(frozen=True)
class EffectResult:
    """An effect that was tried, and what came of it. What was dropped has no result."""

    act: Act
    outcome: EffectOutcome = field(default_factory=Done)


def render_outcome(outcome: Done | EffectFailed) -> str:
    """Return the text: one line of JSON. Of values, a recovery's and an unfit host's are kept."""
    if isinstance(outcome, EffectFailed):
        return json.dumps({"at": outcome.at, "cause": outcome.cause.name, "text": _encodable(outcome.text)})
    recovered = _describe(outcome.value) if isinstance(outcome.value, Recovered) else None
    value = outcome.value
    unfit = {"text": _encodable(value.text), "permanent": value.permanent} if isinstance(value, Unfit) else None
    return json.dumps({"at": outcome.at, "recovered": recovered, "unfit": unfit})


def parse_outcome(text: str) -> Done | EffectFailed | None:
    """Return the outcome, or None for a text that is torn, or has a missing or invalid field."""
    try:
        said = parse_json(text)
        at = parse_moment(said["at"])
        if "cause" in said:
            return EffectFailed(FailureCause[said["cause"]], parse_text(said["text"]), at)
        if said["unfit"] is not None:
            return Done(at, Unfit(parse_text(said["unfit"]["text"]), parse_flag(said["unfit"]["permanent"])))
        return Done(at, None if said["recovered"] is None else _parse_recovered(said["recovered"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _describe(value: Recovered) -> dict[str, object]:
    standing = value.standing
    return {
        "kind": standing.kind.value,
        "position": str(standing.position),
        "cause": _encodable(standing.cause),
        "record": value.record and render_node_record(value.record),
        "safe_to_bootstrap": value.safe_to_bootstrap,
        "unmendable": value.unmendable,
        "busy": value.busy,
    }


def _parse_recovered(said: Any) -> Recovered:
    record = None if said["record"] is None else parse_node_record(parse_text(said["record"]))
    if record is None and said["record"] is not None:
        raise ValueError("the record is none")
    return Recovered(
        Standing(Kind(said["kind"]), parse_known_position(said["position"]), parse_text(said["cause"])),
        record,
        *(parse_flag(said[name]) for name in ("safe_to_bootstrap", "unmendable", "busy")),
    )


def _encodable(text: str) -> str:
    """Return the text without what a program printed that is not UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
