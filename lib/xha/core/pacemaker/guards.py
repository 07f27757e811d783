"""What must hold in Pacemaker at the moment of an effect of the keeper's: each is a fresh look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from ..election.position_report import PositionReport


@dataclass(frozen=True)
class Allowed:
    """Neither maintenance nor standby, nor whatever else an operator decided, forbids it. what: it, for people."""

    what: str


@dataclass(frozen=True)
class HoldsToken:
    """The token in the cluster's configuration is this node's, for this epoch."""

    epoch: str


@dataclass(frozen=True)
class TokenNotElsewhere:
    """No other node has the token."""


@dataclass(frozen=True)
class Confirmed:
    """This report is what the cluster hands back, so that everybody can see it: attributes arrive in one order."""

    report: PositionReport


@dataclass(frozen=True)
class HasQuorum:
    """Pacemaker has quorum here."""


@dataclass(frozen=True)
class TellingAllowed:
    """Nothing keeps Pacemaker from being told at once that the resource has failed here (core/pacemaker/telling.py)."""


Guard = Union[Allowed, HoldsToken, TokenNotElsewhere, Confirmed, HasQuorum, TellingAllowed]
