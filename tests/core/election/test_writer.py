"""Who makes the next claim to be the writer: a table, and what holds whatever is seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xha.core.election.writer import (
    LONGEST_SECONDS,
    NO_CLAIM,
    PATIENCE_SECONDS,
    Claim,
    WriterFacts,
    WriterWord,
    choose_claim,
    elect_writer,
    parse_writer_word,
    render_writer_word,
    tells_nothing,
)

ORDER = ("A", "B", "C")


def seen(me: str = "B", claim: Claim = Claim(7, "A"), **changes: Any) -> WriterFacts:  # noqa: B008 - a named tuple
    """All three are in the component and fit, A is the writer, and everybody has just said so."""
    facts = WriterFacts(
        me,
        ORDER,
        claim,
        serves=True,
        inside=dict.fromkeys(ORDER, True),
        fit=dict.fromkeys(ORDER, True),
        fresh=frozenset(ORDER) - {me},
        quorum=True,
        doubt=0.5,
    )
    for name in ("inside", "fit"):
        changes[name] = {**getattr(facts, name), **changes.get(name, {})}
    return facts._replace(**changes)


STANDS, DOUBTED = (None, False), (None, True)
NEXT = (8, True)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(seen(), STANDS, id="the writer is well"),
        pytest.param(seen(claim=Claim(7, "C")), STANDS, id="no failback to the first of the list"),
        pytest.param(seen("A", Claim(7, "B")), STANDS, id="nor by that one"),
        pytest.param(seen(fresh=frozenset()), STANDS, id="a writer whose keeper is silent stands: its server is there"),
        pytest.param(seen(fit={"A": False}), NEXT, id="the writer is not fit: the next of the list claims"),
        pytest.param(seen(inside={"A": False}), NEXT, id="the writer is not in the component any more"),
        pytest.param(seen(inside={"A": False}, fresh=frozenset()), NEXT, id="nobody is before it in the list"),
        pytest.param(seen("C", fit={"A": False}), DOUBTED, id="the third leaves it to the second"),
        pytest.param(
            seen("C", fit={"A": False}, doubt=LONGEST_SECONDS),
            NEXT,
            id="but not for ever: that one may see it otherwise",
        ),
        pytest.param(seen("C", fit={"A": False, "B": False}), NEXT, id="the second is not fit either"),
        pytest.param(seen("C", fit={"A": False}, inside={"B": False}), NEXT, id="the second is not in the component"),
        pytest.param(
            seen("C", fit={"A": False}, fresh=frozenset("A")), DOUBTED, id="the second has not said how it is"
        ),
        pytest.param(
            seen("C", fit={"A": False}, fresh=frozenset("A"), doubt=PATIENCE_SECONDS),
            NEXT,
            id="and does not in its time",
        ),
        pytest.param(seen("A", fit={"A": False}), DOUBTED, id="the writer itself is not fit: it makes no claim"),
        pytest.param(seen(fit={"A": False, "B": False}), DOUBTED, id="this node is not fit: it makes no claim"),
        pytest.param(seen(fit={"A": False}, quorum=False), DOUBTED, id="without quorum the present claim stands"),
        pytest.param(seen(serves=False, fit={"A": False}), STANDS, id="outside of a Primary component nobody can tell"),
        pytest.param(seen("A", NO_CLAIM), (1, True), id="nobody was the writer: the first of the list"),
        pytest.param(seen("B", NO_CLAIM), DOUBTED, id="and no other"),
        pytest.param(
            seen("C", Claim(7, "D")), DOUBTED, id="a writer that nobody knows: nothing tells that it is there"
        ),
        pytest.param(
            seen("B", inside={"A": None}), DOUBTED, id="which component it is in is not known: it says it is fit"
        ),
        pytest.param(
            seen("B", inside={"A": None}, fresh=frozenset("C"), doubt=PATIENCE_SECONDS),
            NEXT,
            id="and then it says nothing any more",
        ),
    ],
)
def test_who_claims(facts: WriterFacts, expected: tuple[int | None, bool]) -> None:
    choice = elect_writer(facts)
    assert (choice.claim and choice.claim.counter, choice.doubtful) == expected
    assert choice.claim is None or choice.claim.node == facts.me
    assert bool(choice.why) or not choice.doubtful or facts.inside["A"] is None


FLAGS = st.fixed_dictionaries({node: st.booleans() for node in ORDER})
MAYBE = st.fixed_dictionaries({node: st.sampled_from([True, False, None]) for node in ORDER})
CLAIMS = st.builds(Claim, st.integers(1, 4), st.sampled_from(ORDER))


@given(CLAIMS, FLAGS, FLAGS, st.floats(0, LONGEST_SECONDS - 0.1))
def test_of_those_that_see_the_same_at_most_one_claims_and_it_is_the_first_that_is_fit(
    claim: Claim, inside: dict[str, bool], fit: dict[str, bool], doubt: float
) -> None:
    made = [
        choice.claim
        for me in ORDER
        if inside[me]
        for choice in [elect_writer(seen(me, claim, inside=inside, fit=fit, doubt=doubt))]
        if choice.claim
    ]
    able = [node for node in ORDER if inside[node] and fit[node]]
    stands = claim.node in able
    assert made == ([] if stands or not able else [Claim(claim.counter + 1, able[0])])


@given(CLAIMS, MAYBE, FLAGS, st.sets(st.sampled_from(ORDER)), st.tuples(st.floats(0, 10), st.booleans()))
def test_nobody_claims_that_is_unfit_or_without_quorum_or_while_the_writer_is_known_to_be_well(
    claim: Claim, inside: dict[str, bool | None], fit: dict[str, bool], fresh: set[str], rest: tuple[float, bool]
) -> None:
    doubt, quorum = rest
    facts = seen("B", claim, inside={**inside, "B": True}, fit=fit, fresh=frozenset(fresh), doubt=doubt, quorum=quorum)
    made = elect_writer(facts).claim
    if made is None:
        return
    assert (made.node, made.counter) == ("B", claim.counter + 1)
    assert fit["B"]
    assert quorum
    assert not (fit[claim.node] and facts.inside[claim.node])


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([], NO_CLAIM, id="none"),
        pytest.param([Claim(2, "C"), Claim(3, "B")], Claim(3, "B"), id="the highest counter"),
        pytest.param([Claim(3, "C"), Claim(3, "B")], Claim(3, "B"), id="of equal ones the first of the list"),
        pytest.param([Claim(3, "X"), Claim(3, "C")], Claim(3, "C"), id="who is not in the list comes last"),
        pytest.param([NO_CLAIM, Claim(1, "X")], Claim(1, "X"), id="any claim is more than none"),
    ],
)
def test_which_claim_wins(claims: list[Claim], expected: Claim) -> None:
    assert choose_claim(claims, ORDER) == choose_claim(claims[::-1], ORDER) == expected


@given(st.builds(WriterWord, CLAIMS, st.booleans(), st.booleans(), queue=st.integers(-1, 9), beat=st.integers(0)))
def test_a_word_is_heard_as_it_was_said(word: WriterWord) -> None:
    assert parse_writer_word(render_writer_word(word)) == word


@pytest.mark.parametrize(
    ("word", "keeper", "mute"),
    [
        pytest.param(WriterWord(keeper="7.8"), "7.8", False, id="it tells"),
        pytest.param(WriterWord(keeper="7.8"), "9.9", False, id="another keeper begins, and tells"),
        pytest.param(None, "7.8", False, id="it has told nothing yet, or Pacemaker has lost it"),
        pytest.param(WriterWord(), "", False, id="a version that tells words, and names no keeper"),
        pytest.param(WriterWord(keeper="7.8"), "", True, id="after a downgrade: a word of before"),
        pytest.param(None, "", True, id="a version that tells none"),
    ],
)
def test_whose_keeper_tells_no_word(word: WriterWord | None, keeper: str, mute: bool) -> None:
    assert tells_nothing(word, keeper) is mute


def test_a_word_of_an_older_version_names_no_keeper() -> None:
    old = render_writer_word(WriterWord(Claim(3, "A"), True)).replace(',"keeper":""', "")
    assert parse_writer_word(old) == WriterWord(Claim(3, "A"), True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"schema":2}',
        render_writer_word(WriterWord()).replace('"fit":false', '"fit":0'),
        render_writer_word(WriterWord()).replace('[0,""]', '[0,"A"]'),
        render_writer_word(WriterWord()).replace('[0,""]', "null"),
    ],
)
def test_what_is_no_word_says_nothing(text: str) -> None:
    assert parse_writer_word(text) is None
