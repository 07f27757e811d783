"""Whether a stop drains its node first, and how long it waits: for balancers, then for open transactions.

Pure: app/agent/drain.py looks and acts. Nothing here makes a stop fail; what is not known ends with the time limit.
"""

from __future__ import annotations

from ..text.escape import clean
from ..text.json_types import parse_text, parse_texts
from ..text.light_typing import TYPE_CHECKING, NamedTuple
from ..text.numbers import parse_json
from .codes import Code

if TYPE_CHECKING:
    from collections.abc import Iterable


class DrainSetting(NamedTuple):
    """What is known before a stop begins.

    limit: the most that it may cost, in seconds. serves: whether load balancers send traffic here. others: the nodes
    that are ready to take over, None where that is not known. foreign: whose data directory the responder of
    this host tells of, "" for this resource's.
    """

    limit: float
    serves: bool
    others: tuple[str, ...] | None
    foreign: str = ""


def why_no_drain(setting: DrainSetting) -> str:
    """Return why the stop does not drain, as the end of a sentence; "" if it does."""
    if setting.limit <= 0:
        return "drain_timeout is 0"
    if not setting.serves:
        return "load balancers send no traffic here"
    if setting.foreign:
        return f"the responder of this host tells of {setting.foreign}"
    if setting.others is None:
        return "it is not known whether another node is ready"
    return "" if setting.others else "no other node takes over"


class Answers(NamedTuple):
    """What the responder says of those that ask it (core/node/balancers.py).

    done None: it does not know who asks. untold: who still sends new connections here, as far as this reader may know.
    """

    done: bool | None
    untold: tuple[str, ...] = ()


class ClientSeen(NamedTuple):
    """A client's connection.

    idle: for how many seconds it has done nothing, None while it works. known: for how many seconds whoever looks has
    seen it. transaction: when its open transaction began, "" where none is open. Its number changes with its first
    write. local: it came by the unix socket, and so through no load balancer.
    """

    number: int
    idle: float | None
    transaction: str = ""
    local: bool = False
    known: float = 0.0


def open_transactions(clients: Iterable[ClientSeen]) -> frozenset[tuple[int, str]]:
    """Return which transactions are open: the numbers of their connections, and what tells them apart."""
    return frozenset((one.number, one.transaction) for one in clients if one.transaction)


class DrainSeen(NamedTuple):
    """One look. Times are in seconds.

    limit: how long the drain may last. elapsed: how long it lasts. answers None: no responder answers.
    told_for: how long all balancers have taken the node out, None while one has not.
    clients: those that are connected, None where that cannot be read.
    waits_for: the transactions that were open when all were told. A client that keeps its connection may go on to begin
    others for ever; the stop breaks into one of those.
    """

    limit: float
    elapsed: float
    answers: Answers | None
    told_for: float | None = None
    clients: tuple[ClientSeen, ...] | None = None
    waits_for: frozenset[tuple[int, str]] = frozenset()

    @property
    def told(self) -> bool:
        """Whether new connections go elsewhere."""
        return self.answers is not None and self.answers.done is True


# A pool tests a connection before it uses it. Nearly all are idle at one of the looks of this time, and are closed
# then; within 1 s, on a busy machine, one of four was not, and the end of the server broke its query off.
SETTLE_SECONDS = 2.5
# A client that works through its transactions without a pause may have sent the next one by the time that it is closed.
IDLE_SECONDS = 0.02
# A client that opens a connection for each transaction has come just before its load balancer was told, has logged in,
# and is about to say what it wants: it ends by itself. On a busy machine it paused for more than 20 ms.
NEW_SECONDS = 0.5


def choose_idle(clients: Iterable[ClientSeen]) -> tuple[int, ...]:
    """Return whose connection may be closed once new ones go elsewhere: nothing of it can be lost.

    A pool that tests a connection before it uses it opens another one then, on another node.
    """
    return tuple(one.number for one in clients if _is_idle(one) and not one.transaction)


def _is_idle(client: ClientSeen) -> bool:
    if client.idle is None:
        return False
    return client.idle >= (IDLE_SECONDS if client.known >= NEW_SECONDS else NEW_SECONDS)


def judge_drain(seen: DrainSeen) -> tuple[bool, str]:
    """Return whether the server may end, and for whom or what it waits, or what it has reached."""
    waits = _find_wait(seen)
    if not waits:
        return True, "new connections go elsewhere, and what was open has ended"
    if seen.elapsed >= seen.limit:
        return True, f"the time is over ({seen.limit:g} s): {waits}"
    return False, waits


def _find_wait(seen: DrainSeen) -> str:
    if seen.answers is None:
        return "there is no responder, which would know whether load balancers have taken the node out"
    if seen.answers.done is False:
        return f"{', '.join(seen.answers.untold) or 'a load balancer'} may still send new connections here"
    if seen.answers.done is None:
        return "the responder does not know who asks it"
    if seen.clients is None:
        return "it cannot be read which clients are there"
    open_still = seen.waits_for & open_transactions(seen.clients)
    if open_still:
        return f"open transactions: {len(open_still)}"
    if seen.clients and (seen.told_for is None or seen.told_for < SETTLE_SECONDS):
        return f"connected clients: {len(seen.clients)}"
    return ""


class ResponderView(NamedTuple):
    """What this host's responder tells of the node. serves: it sends balancers here, or drains the node already."""

    serves: bool
    datadir: str
    answers: Answers


def parse_responder_view(text: str) -> ResponderView | None:
    """Return what a responder's /node tells (docs/schema-1.json), None for any other text.

    A responder of an earlier version, or one that serves a single request, does not know who asks it.
    """
    try:
        document = parse_json(text)
        verdict, said = document["verdict"], document.get("balancers") or {"done": None, "untold": None}
        serves = verdict["available"] is True or verdict["code"] == Code.DRAINING.value
        datadir, done, untold = document["reading"]["datadir"] or "", said["done"], said["untold"] or []
        names = tuple(map(clean, parse_texts(untold)))
        if done not in (True, False, None):
            return None
        return ResponderView(serves, parse_text(datadir), Answers(done, names))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
