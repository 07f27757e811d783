"""What the keeper counts: by which results, and how the responder tells it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from xha.core.election.decision import Decision, Join, Refuse, Wait
from xha.core.election.facts import Token
from xha.core.election.stall import Eviction
from xha.core.keeper.effects import Act, Evict, Launch, MakePrimary, SetReady, TakeToken
from xha.core.keeper.outcomes import Done, EffectResult, GuardFailed
from xha.core.keeper.results import count_results
from xha.core.monitor.keeper_status import KeeperStatus, Phase
from xha.core.monitor.keeper_tally import (
    DECISIONS,
    KeeperSeen,
    KeeperTally,
    parse_keeper_tally,
    render_keeper_metrics,
    render_keeper_tally,
    tell_phase,
)

TOKEN = Token("h1", "e", "shown")
EVICTION = Eviction("h2", "uuid", "h1", 1.8e9)
TALLY = KeeperTally("join", 1.8e9, 4, 3, 2, 1)


@pytest.mark.parametrize(
    ("act", "value", "counted"),
    [
        (TakeToken(TOKEN), None, {"elections": 5}),
        (TakeToken(TOKEN, EVICTION), None, {}),
        (MakePrimary(), "", {"formed": 4}),
        (MakePrimary(), "the server refuses", {}),
        (Launch(Phase.FORMING, None, bootstrap=True), None, {"formed": 4, "starts": 2}),
        (Launch(Phase.STARTING, None), None, {"starts": 2}),
        (Evict(EVICTION), "", {"evictions": 3}),
        (Evict(EVICTION), "the server refuses", {}),
        (SetReady(True), None, {}),
    ],
)
def test_what_is_done_is_counted_and_what_is_not_done_is_not(act: Act, value: object, counted: dict[str, int]) -> None:
    done = EffectResult(act, Done(1.0, value))
    assert count_results(TALLY, [done], None, 0.0) == TALLY._replace(**counted)  # type: ignore[arg-type]
    assert count_results(TALLY, [EffectResult(act, GuardFailed(None))], None, 0.0) == TALLY


def test_a_decision_has_the_time_at_which_it_became_another_one() -> None:
    first = count_results(KeeperTally(), [], Wait("for h2"), 10.0)
    assert first == KeeperTally("wait", 10.0)
    assert count_results(first, [], Wait("for h3"), 20.0) == first
    assert count_results(first, [], Join("h2 is Primary", "h2"), 30.0) == KeeperTally("join", 30.0)
    assert count_results(first, [], None, 40.0) == first


def test_every_decision_has_a_name() -> None:
    assert {one.__name__ for one in Decision.__args__} == set(DECISIONS)  # type: ignore[attr-defined]
    assert parse_keeper_tally(render_keeper_tally(TALLY)) == TALLY
    assert parse_keeper_tally(render_keeper_tally(TALLY).replace("join", "dance")) is None
    assert count_results(KeeperTally(), [], Refuse("two histories"), 1.0).decision == "refuse"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (KeeperStatus(Phase.RUNNING, at=100.0), "running"),
        (KeeperStatus(Phase.RUNNING, at=60.0), "silent"),
        (KeeperStatus(Phase.RUNNING, at=101.0), "silent"),
        (KeeperStatus(Phase.FAILED, at=1.0), "failed"),
        (KeeperStatus(Phase.ENDED, at=1.0), "ended"),
        (None, "unreadable"),
    ],
)
def test_an_old_word_of_a_keeper_is_not_how_it_is(status: KeeperStatus | None, told: str) -> None:
    assert tell_phase(status, 100.0) == told


def test_the_metrics_are_what_prometheus_reads_whatever_a_resource_is_called() -> None:
    seen = [
        KeeperSeen('d"b\\', KeeperStatus(Phase.WAITING, "h2 at 10.0.0.2", at=98.5), TALLY),
        KeeperSeen("new", None, None),
    ]
    text = render_keeper_metrics(seen, 100.0)
    families = text_string_to_metric_families(text)
    samples = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    assert samples == {
        ("xha_keeper_phase", 'd"b\\', "waiting"): 1,
        ("xha_keeper_phase", "new", "unreadable"): 1,
        ("xha_keeper_age_seconds", 'd"b\\'): 1.5,
        ("xha_keeper_decision", 'd"b\\', "join"): 1,
        ("xha_keeper_decision_timestamp_seconds", 'd"b\\'): 1.8e9,
        ("xha_keeper_elections_total", 'd"b\\'): 4,
        ("xha_keeper_formed_total", 'd"b\\'): 3,
        ("xha_keeper_evictions_total", 'd"b\\'): 2,
        ("xha_keeper_starts_total", 'd"b\\'): 1,
    }
    assert "10.0.0.2" not in text
    assert render_keeper_metrics([], 100.0) == ""
