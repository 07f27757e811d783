"""What the processes and files of this host add to the reading of its own server, or to a login that failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...core.galera.reading import LocalState, Reading, is_apart
from ...core.node.verdict import Code, Unreadable

if TYPE_CHECKING:
    from ...adapters.datadir.coming_up import ComingUp, ComingUpWatch
    from ...adapters.datadir.joiner import Asked, Joiner
    from ...adapters.mysql.login_target import Target
    from ...core.galera.reading import Departure, DonorEvidence

# Examining every process of the host takes some milliseconds.
_LASTS = 1.0


class HostEvidence:
    """The evidence for one server. It is looked for at most once a second, and only where a reading leaves a doubt."""

    def __init__(self) -> None:
        self._datadir = ""
        self._donor: DonorEvidence | None = None
        self._departure: Departure | None = None
        self._joiner: Joiner | None = None
        self._coming_up: ComingUp | None = None
        self._watch: ComingUpWatch | None = None
        self._answered_at: float | None = None
        self._donor_at = self._departure_at = self._joiner_at = float("-inf")

    def add(self, reading: Reading, target: Target, server_user: str) -> Reading:
        """Add why the node is a donor, or why it left its group. server_user: the login name of the server's account.

        Nothing is added to a reading of another host.
        """
        if not target.local:
            return reading
        self._datadir, self._answered_at = reading.variables.datadir or "", time.monotonic()
        return self._with_departure(self._with_donor(reading, target), server_user)

    def explain(self, unreadable: Unreadable, target: Target | None, server_user: str) -> Unreadable:
        """Return `joining` or `starting` for a server that does not listen yet: it gets a state transfer, or comes up.

        Where that is not known, the detail says what was seen.
        """
        if unreadable.code is not Code.SERVER_DOWN or target is None or not target.local:
            return unreadable
        if time.monotonic() - self._joiner_at > _LASTS:
            from ...adapters.datadir.joiner import Asked, find_joiner

            asked = Asked(target.socket, target.host, target.port, self._datadir)
            self._joiner = find_joiner(asked, target.server_uids)
            self._coming_up = None if self._joiner else self._look_coming_up(asked, target, server_user)
            self._joiner_at = time.monotonic()
        if self._coming_up is not None:
            if self._coming_up.sure:
                return Unreadable(Code.STARTING, self._coming_up.text)
            return unreadable._replace(detail=f"{unreadable.detail}; {self._coming_up.text}")
        if self._joiner is None:
            return unreadable
        evidence = self._joiner.evidence
        if self._joiner.ours:
            return Unreadable(Code.JOINING, f"{evidence}; the server listens when the transfer is done")
        doubt = f"a state transfer runs on this host ({evidence}), and for which server is not known"
        return unreadable._replace(detail=f"{unreadable.detail}; {doubt}")

    def _look_coming_up(self, asked: Asked, target: Target, server_user: str) -> ComingUp | None:
        from ...adapters.datadir.coming_up import ComingUpWatch

        self._watch = self._watch or ComingUpWatch()
        return self._watch.look(asked, target.server_uids, server_user, self._answered_at)

    def _with_donor(self, reading: Reading, target: Target) -> Reading:
        if reading.status.wsrep_local_state != LocalState.DONOR or reading.variables.wsrep_desync:
            self._donor_at = float("-inf")
            return reading
        if time.monotonic() - self._donor_at > _LASTS:
            from ...adapters.mysqld.donor_evidence import find_donor_evidence

            variables, uids = reading.variables, target.server_uids
            self._donor = find_donor_evidence(variables.socket, variables.datadir, uids)
            self._donor_at = time.monotonic()
        return reading._replace(donor=self._donor)

    def _with_departure(self, reading: Reading, server_user: str) -> Reading:
        if not is_apart(reading):
            self._departure_at = float("-inf")
            return reading
        if time.monotonic() - self._departure_at > _LASTS:
            from ...adapters.mysqld.departure import read_departure

            self._departure = read_departure(reading, server_user)
            self._departure_at = time.monotonic()
        return reading._replace(departure=self._departure)
