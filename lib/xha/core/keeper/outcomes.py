"""What came of an effect: it is done, a guard did not hold, or it failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from ..galera.node_record import NodeRecord
    from ..galera.position import GvwState, Standing
    from .effects import Act, Guard
    from .memory import ServerProcess


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
class Done:
    """It is done, at a time of the monotonic clock. value: what it found or made; "" or None where that is nothing."""

    at: float = 0.0
    value: Started | Recovered | str | bool | None = None


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
