"""Which one node is the writer: pure, for every keeper of a resource.

A claim is (counter, node). The highest counter wins; of two that are equal, the node that is first in the list of
members. Each keeper tells the highest claim that it knows, so a claim outlives the host that made it. The present claim
stands until its node is known to be unfit or is in this node's Primary component no more; then the first of the list
that is fit by a fresh report makes the next one. Nobody makes one because a better node is back.

*Unknown* is neither: a writer whose keeper says nothing stands while Galera counts it among the members, and a node
whose keeper says nothing is no candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..text.json_types import parse_flag, parse_text
from ..text.numbers import parse_json, parse_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from ..node.writer_rule import WriterRecord

SCHEMA = 1
# A report counts for a candidate for so long, in seconds. Whoever sees a doubtful writer repeats its own each second.
FRESH_SECONDS = 3.0
# How long a node waits for the word of those before it in the list: a keeper that is calm looks once a second.
PATIENCE_SECONDS = 1.5
# How long a node waits for the claim of a candidate before it: that one may see the writer otherwise.
LONGEST_SECONDS = 3.0


class Claim(NamedTuple):
    """Who the writer is. counter 0: nobody has ever claimed to be it."""

    counter: int = 0
    node: str = ""


NO_CLAIM = Claim()


class WriterWord(NamedTuple):
    """What one keeper tells the others: the private attribute xha-RSC-claim.

    claim: the highest that it knows. fit: load balancers would be sent to its node, by the responder's rule; drains:
    the node gets no new connections, and so is not fit. settled: of the writer, that every load balancer sends writes
    here; of any other node, that none does any more. asks: a person waits for everybody's word. queue: write sets that
    are received and not applied; lowest, last: the first write set in the node's gcache, and the last one that it has
    applied; -1 where that is not known. beat: another one each time that it is told. keeper: who told it, as in the
    report; "" in a word of an older version.
    """

    claim: Claim = NO_CLAIM
    fit: bool = False
    drains: bool = False
    settled: bool = False
    asks: bool = False
    queue: int = -1
    lowest: int = -1
    last: int = -1
    beat: int = 0
    keeper: str = ""

    @property
    def lasting(self) -> WriterWord:
        """The word without what changes all the time."""
        return self._replace(queue=-1, lowest=-1, last=-1, beat=0)


def render_writer_word(word: WriterWord) -> str:
    """Return the text of the attribute, on one line."""
    import json

    fields = {**word._asdict(), "claim": list(word.claim)}
    return json.dumps({"schema": SCHEMA, **fields}, separators=(",", ":"))


def parse_writer_word(text: str) -> WriterWord | None:
    """Return the word; None for a text of another schema, or with a missing or invalid field: nothing is known then."""
    try:
        document = parse_json(text)
        if parse_number(document["schema"]) != SCHEMA:
            return None
        names = (name for name in WriterWord._fields if name in document or name not in _LATER)
        fields: dict[str, Any] = {name: _PARSERS.get(name, parse_number)(document[name]) for name in names}
        return WriterWord(**fields)
    except (ValueError, KeyError, TypeError):
        return None


def parse_claim(value: Any) -> Claim:
    """Return a claim of its JSON. :raises ValueError, TypeError: for anything else."""
    counter, node = value
    claim = Claim(parse_number(counter), parse_text(node))
    if claim.counter < 0 or (claim.counter > 0) is not bool(claim.node):
        raise ValueError(f"{value!r} is no claim")
    return claim


# Fields that older words of this schema lack.
_LATER = {"keeper"}
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "claim": parse_claim,
    "keeper": parse_text,
    **dict.fromkeys(("fit", "drains", "settled", "asks"), parse_flag),
}


def tells_nothing(word: WriterWord | None, keeper: str) -> bool:
    """Return whether a node's keeper is of a version that tells no word of the writer, as after a downgrade in place.

    keeper: the one that its report names, "" for one of a version that names none. A word that stands beside such a
    report and names its keeper is one of before: that version's stop left it. Nobody there answers /writer.
    """
    return not keeper and (word is None or bool(word.keeper))


def choose_claim(claims: Iterable[Claim], order: Sequence[str]) -> Claim:
    """Return the claim that wins. order: the members; a node that is none of them comes last."""

    def rank(claim: Claim) -> tuple[int, int, str]:
        place = order.index(claim.node) if claim.node in order else len(order)
        return -claim.counter, place, claim.node

    return min(claims, key=rank, default=NO_CLAIM)


class WriterFacts(NamedTuple):
    """What one node sees.

    order: the members in the list's order. claim: the one that wins. serves: whether this node's own server is in a
    Primary component. inside: of each node whether it is in that component, None where that is not known. fit: the
    last word of each node whose keeper has said any, however old; this node's own is of now. fresh: the nodes whose
    last word is younger than FRESH_SECONDS. quorum: Pacemaker's. doubt: for how many seconds the writer is doubtful.
    """

    me: str
    order: tuple[str, ...]
    claim: Claim = NO_CLAIM
    serves: bool = False
    inside: Mapping[str, bool | None] = {}
    fit: Mapping[str, bool] = {}
    fresh: frozenset[str] = frozenset()
    quorum: bool = False
    doubt: float = 0.0


class WriterChoice(NamedTuple):
    """claim: the one that this node is to make now, None for none. doubtful: whether the present writer is.

    why: what is waited for, or why a claim is due.
    """

    claim: Claim | None
    doubtful: bool
    why: str = ""


def elect_writer(facts: WriterFacts) -> WriterChoice:
    """Return whether this node makes the next claim."""
    if not facts.serves:
        return WriterChoice(None, doubtful=False, why="this node is in no Primary component, and cannot tell")
    stands, doubtful, why = _judge_present(facts)
    if stands:
        return WriterChoice(None, doubtful, why)
    if not facts.quorum:
        return WriterChoice(None, doubtful, f"{why}; the claim stands, for Pacemaker has no quorum")
    for node in facts.order:
        if node == facts.me:
            if facts.fit.get(node):
                return WriterChoice(Claim(facts.claim.counter + 1, node), doubtful, why)
            continue
        waited = _why_waited(facts, node)
        if waited:
            return WriterChoice(None, doubtful, f"{why}; {waited}")
    return WriterChoice(None, doubtful, f"{why}; no other node is fit")


def _judge_present(facts: WriterFacts) -> tuple[bool, bool, str]:
    """Return whether the present claim stands, whether it is doubtful, and why it is."""
    node = facts.claim.node
    if not node:
        return False, True, "there is no writer yet"
    if facts.inside.get(node) is False:
        return False, True, f"{node} is not in the Primary component any more"
    fit = facts.fit.get(node)
    if fit is False:
        return False, True, f"{node} is not fit to be written to, or drains"
    if facts.inside.get(node):
        return True, False, ""
    # Whether it is in the component cannot be read: then it has to say itself that it is well, again and again.
    if fit and node in facts.fresh:
        return True, True, ""
    waits = facts.doubt < PATIENCE_SECONDS
    return waits, True, f"whether {node} is in the Primary component is not known, and it says nothing"


def _why_waited(facts: WriterFacts, node: str) -> str:
    """Return why this node waits for one before it in the list; "" if it does not."""
    if node not in facts.fit or not facts.fit[node] or facts.inside.get(node) is False:
        return ""
    if node in facts.fresh:
        return f"{node} is fit, and is to claim" if facts.doubt < LONGEST_SECONDS else ""
    return f"{node} has not said whether it is fit" if facts.doubt < PATIENCE_SECONDS else ""


# --- what a keeper remembers


class Heard(NamedTuple):
    """A keeper's word of the writer, and when it was first seen; 0.0: how old it is, is not known."""

    word: WriterWord
    at: float


class WriterPost(NamedTuple):
    """What this node told of the writer last (core/keeper/writer.py). since: when it heard of the claim first.

    until, leaves, former: as in WriterRecord. clients: how many were connected to a former writer last, -1 unknown.
    word, record, shown: what the others, this host's responder and rules of other resources were told, None:
    nothing yet; word_at: when the others were.
    """

    claim: Claim = NO_CLAIM
    since: float = 0.0
    until: float = 0.0
    leaves: float = 0.0
    former: bool = False
    settled: bool = True
    clients: int = -1
    word: WriterWord | None = None
    word_at: float = 0.0
    record: WriterRecord | None = None
    shown: bool | None = None


class WriterMemory(NamedTuple):
    """What is known of the writer. heard: each keeper's last word. doubt_since: since when the writer is doubtful.

    uuids: of each node its server's group UUID, by its last report of a Primary; Pacemaker forgets the report of a host
    that it loses, and Galera may have it among its members all the same. hurries: somebody waits for what this keeper
    says of it.
    """

    heard: Mapping[str, Heard] = {}
    uuids: Mapping[str, str] = {}
    doubt_since: float = 0.0
    hurries: bool = False
    post: WriterPost = WriterPost()
