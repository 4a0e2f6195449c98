"""Strategies on measured outcomes, through the cache and router that serve live requests."""

from statistics import fmean

import pytest

import lecmux.demo.replay as replay_module
from langchain_lecmux import LECCache
from lecmux.demo.outcomes import Outcomes, ask
from lecmux.demo.play import Tally, stream_of
from lecmux.demo.questions import ASKED
from lecmux.demo.replay import Replay, Tallies, replay, stand_ins
from lecmux.demo.strategies import STRATEGIES, Terms, budget_bytes, router


@pytest.fixture(scope="module")
def terms(outcomes: Outcomes) -> Terms:
    return Terms(budget_bytes(outcomes))


@pytest.fixture(scope="module")
def streams(outcomes: Outcomes, terms: Terms) -> list[Tallies]:
    return list(replay(outcomes, range(1, 4), terms, requests=600, after_each=lambda: None))


def test_every_strategy_serves_every_request(streams: list[Tallies]) -> None:
    for tallies in streams:
        assert list(tallies) == list(STRATEGIES)
        for tally in tallies.values():
            assert tally.requests == 600
            assert tally.hits + sum(tally.calls.values()) == 600


def test_without_a_cache_every_request_is_a_call(streams: list[Tallies], outcomes: Outcomes) -> None:
    stream = stream_of(1, 600)
    tally = streams[0]["always_large"]

    assert tally.hits == 0
    assert tally.usd == pytest.approx(sum(outcomes.usd("large", each) for each in stream))
    assert tally.seconds == pytest.approx(0.5 * 600)


def test_one_model_behind_a_cache_is_as_often_right_as_alone(streams: list[Tallies]) -> None:
    for tallies in streams:
        assert tallies["lfu_large"].right == tallies["lru_large"].right == tallies["always_large"].right
        assert tallies["lfu_large"].hits > 300


def test_lecmux_pays_less_and_is_right_nearly_as_often(streams: list[Tallies]) -> None:
    def mean(strategy: str, name: str) -> float:
        return fmean(tallies[strategy].as_json()[name] for tallies in streams)

    assert mean("lecmux", "usd") < mean("lfu_large", "usd") < mean("always_large", "usd")
    assert mean("lecmux", "right") >= mean("always_large", "right") - 0.03 * 600
    both = {name: mean(name, "usd") + mean(name, "wrong_usd") for name in ("lecmux", "lfu_large")}
    assert both["lecmux"] < both["lfu_large"]
    assert all(tallies["lecmux"].calls["small"] for tallies in streams)


def test_a_replay_comes_to_the_same(outcomes: Outcomes, terms: Terms, streams: list[Tallies]) -> None:
    """But for a little: an entry's size has in it the digits of the seconds that a call took."""
    again = next(iter(replay(outcomes, [1], terms, requests=600, after_each=lambda: None)))

    for name in STRATEGIES:
        assert again[name].hits == pytest.approx(streams[0][name].hits, abs=40)
        assert again[name].usd == pytest.approx(streams[0][name].usd, rel=0.15)
        assert again[name].right == pytest.approx(streams[0][name].right, abs=12)


def test_processes_share_the_work(
    outcomes: Outcomes, terms: Terms, streams: list[Tallies], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_WORTH_A_PROCESS", 1)
    done: list[None] = []

    shared = list(replay(outcomes, [1, 2], terms, requests=600, after_each=lambda: done.append(None)))

    assert len(done) == 2
    for ours, theirs in zip(shared, streams, strict=False):
        assert ours["always_large"] == theirs["always_large"]
        assert ours["lfu_large"].hits == pytest.approx(theirs["lfu_large"].hits, abs=40)


def test_the_budget_holds_a_quarter_of_the_answers_with_vectors_and_what_is_learnt(
    outcomes: Outcomes, terms: Terms
) -> None:
    quarter = len(ASKED) // 4
    chat = router("lecmux", stand_ins(outcomes), outcomes, terms, seed=0)
    assert isinstance(chat.cache, LECCache)
    for place in range(2 * quarter):
        chat.invoke(ask(place))

    stats = chat.cache.store.stats()
    assert 0.95 * quarter < stats.entries < 1.2 * quarter  # not every answer is worth a place
    assert stats.semantic is not None
    assert stats.semantic.entries == stats.entries
    assert stats.bytes_used + stats.semantic.evidence_bytes <= terms.capacity_bytes


def test_all_caches_have_the_same_bytes_and_the_others_hold_more_in_them(
    outcomes: Outcomes, terms: Terms
) -> None:
    held = {}
    for name in ("lecmux", "lecmux_exact", "lfu_large"):
        chat = router(name, stand_ins(outcomes), outcomes, terms, seed=0)
        assert isinstance(chat.cache, LECCache)
        for place in range(len(ASKED)):
            chat.invoke(ask(place))
        held[name] = chat.cache.store.stats().entries

    assert held["lfu_large"] > 1.5 * held["lecmux"]
    assert held["lecmux_exact"] > 1.5 * held["lecmux"]


def test_streams_that_cost_more_are_counted() -> None:
    cheap, dear = Tally(0.5, usd=1.0, requests=2, right=2), Tally(0.5, usd=1.0, requests=2, right=1)
    others = dict.fromkeys(
        ("always_large", "lru_large", "lfu_small", "lecmux_multiplexer", "lecmux_exact"), cheap
    )

    lost = Replay(
        ({**others, "lecmux": dear, "lfu_large": cheap}, {**others, "lecmux": cheap, "lfu_large": dear})
    )

    assert lost.losing_streams == 1
    assert lost.spread("lecmux", lambda tally: tally.total_usd).mean == 1.25
    assert (lost.prior.losing_streams, lost.prior.usd.mean, lost.prior.share) == (0, -0.25, -0.2)
    assert (lost.semantic.losing_streams, lost.semantic.usd.mean, lost.semantic.share) == (1, 0.25, 0.25)


def test_the_prior_pays(outcomes: Outcomes, streams: list[Tallies]) -> None:
    """Kinds of questions differ here as they do for real models: one reckons, one does not."""
    paired = Replay(tuple(streams))

    assert paired.prior.usd.mean < 0
    assert paired.prior.losing_streams < len(streams) / 2


def test_hits_by_meaning_come_and_are_few_times_misled(streams: list[Tallies]) -> None:
    for tallies in streams:
        for name, strategy in STRATEGIES.items():
            tally = tallies[name]
            assert strategy.semantic or (tally.alike, tally.alike_usd) == (0, 0.0)
            assert 0 <= tally.misled <= tally.alike_wrong <= tally.alike <= tally.hits
            assert tally.exact + tally.alike == tally.hits
    assert all(tallies["lecmux"].misled <= 0.02 * 600 for tallies in streams)
    assert fmean(tallies["lecmux"].alike for tallies in streams) > 30
    assert all(tallies["lecmux"].alike_usd > 0 for tallies in streams)


def test_they_can_be_switched_off(outcomes: Outcomes) -> None:
    without = Terms(budget_bytes(outcomes, 0.0), 0.0)
    tallies = next(iter(replay(outcomes, [1], without, requests=600, after_each=lambda: None)))

    assert tallies["lecmux"].alike == 0
    assert tallies["lecmux"].hits == tallies["lecmux_exact"].hits
    assert without.capacity_bytes < budget_bytes(outcomes)
