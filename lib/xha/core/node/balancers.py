"""Who asks the responder about the node as a load balancer does, and who of them has taken it out while it drains.

Of those that ask for the writer it is also kept who has taken it in, by the same rules.

A balancer is done with a node that drains
- with HAProxy's `http-check send-state`: when it says itself that the server is NOLB or DOWN;
- without: when it has been told for three of its intervals. HAProxy stays at `inter` after a 404, not `fastinter`
  (measured, 2.6), and needs one answer with `disable-on-404`, else `fall` of them.
"""

from __future__ import annotations

from collections import deque

from ..text.light_typing import NamedTuple

# Who has not asked for so long is no balancer (any more), in seconds.
WINDOW = 60.0
# Without HAProxy's header, who asks less often than this in WINDOW is a person, or another monitor.
_ASKS = 3
# Within this time a balancer asks once, in seconds. A responder that is younger does not know who asks.
RAREST = WINDOW / _ASKS
# For how many of its longest intervals a balancer has to be told before it has taken the node out.
TELLINGS = 3
# Who has not asked for so many of its intervals, and seconds, has ended.
_MISSED, _PATIENCE = 3, 5.0
_REMEMBERED = 32
# More clients than a cluster has balancers; a host that pretends to be many makes the answer unknown, never "done".
_MOST = 256


class Balancers(NamedTuple):
    """Who asks. asking: how many. untold: the names of those that still send new connections here.

    unknown: why it is not known who asks, "" where it is.
    """

    asking: int = 0
    untold: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def done(self) -> bool | None:
        """Whether all have taken the node out; None where that is not known."""
        return False if self.untold else None if self.unknown else True


class RefusalCounts:
    """How often each client was told that the node is out of service. After MOST clients, the rest is one."""

    MOST = 32

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def note(self, host: str) -> None:
        """Count an answer that was not 200."""
        name = host if host in self._counts or len(self._counts) < self.MOST else "other"
        self._counts[name] = self._counts.get(name, 0) + 1

    def render(self) -> str:
        """Return the counts as Prometheus reads them; a client is an address, and needs no quoting."""
        if not self._counts:
            return ""
        rows = [f'xha_refusals_total{{client="{host}"}} {count}' for host, count in self._counts.items()]
        text = "answers of / and /ready that were not 200, by the client's address"
        return "\n".join([f"# HELP xha_refusals_total {text}", "# TYPE xha_refusals_total counter", *rows, ""])


class _Balancer:
    """One client. asked: when, the latest times. told_since: since when each answer told it. out: by its own word."""

    __slots__ = ("asked", "named", "out", "told_since")

    def __init__(self) -> None:
        self.asked: deque[float] = deque(maxlen=_REMEMBERED)
        self.told_since: float | None = None
        self.named = self.out = False

    def interval(self, now: float) -> float:
        """Return the longest time between two of its requests in WINDOW, in seconds."""
        times = [at for at in self.asked if now - at <= WINDOW]
        return max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0)

    def counts(self, now: float, uptime: float) -> bool:
        """Return whether it is a load balancer that still asks. uptime: for how long anybody was listened to."""
        if uptime < WINDOW:  # it may ask so rarely that it has asked only once so far
            return now - self.asked[-1] <= RAREST
        if now - self.asked[-1] > max(_PATIENCE, _MISSED * self.interval(now)):
            return False
        return self.named or sum(1 for at in self.asked if now - at <= WINDOW) >= _ASKS

    def is_done(self, now: float) -> bool:
        """Return whether it sends no new connections here."""
        if self.named:
            return self.out
        return self.told_since is not None and now - self.told_since >= TELLINGS * self.interval(now)


class BalancerList:
    """What a resident responder remembers of its clients. All times are in seconds of one monotonic clock."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._balancers: dict[str, _Balancer] = {}
        self._crowded_at: float | None = None

    def note(self, host: str, now: float, *, told: bool, name: str = "", done: bool = False) -> None:
        """Take note of a question. told: it was answered with what all are to learn, as 404 of a node that drains.

        name: what the balancer calls itself and its server, "" if it does not. done: it says itself that it has done
        so: that the server is out, or in.
        """
        # By both: who pretends to be another host's balancer speaks for himself only.
        key = f"{name} at {host}" if name else host
        balancer = self._balancers.get(key) or self._add(key, now)
        if balancer is None:
            return
        balancer.asked.append(now)
        balancer.named, balancer.out = bool(name), done
        if not told:
            balancer.told_since = None
        elif balancer.told_since is None:
            balancer.told_since = now

    def _add(self, key: str, now: float) -> _Balancer | None:
        if len(self._balancers) >= _MOST:
            self._balancers = {one: seen for one, seen in self._balancers.items() if now - seen.asked[-1] <= WINDOW}
            if len(self._balancers) >= _MOST:
                self._crowded_at = now
                return None
        self._balancers[key] = _Balancer()
        return self._balancers[key]

    def look(self, now: float) -> Balancers:
        """Return who asks, and who has not taken the node out."""
        asking = {name: one for name, one in self._balancers.items() if one.counts(now, now - self._since)}
        unknown = ""
        if self._crowded_at is not None and now - self._crowded_at <= WINDOW:
            unknown = f"more than {_MOST} clients ask"
        elif now - self._since < RAREST:
            unknown = f"the responder has run for less than {RAREST:g} s"
        return Balancers(
            len(asking), tuple(sorted(name for name, one in asking.items() if not one.is_done(now))), unknown
        )
