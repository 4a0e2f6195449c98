"""Strategies on measured outcomes, through the cache and router that serve live requests."""

from statistics import fmean

import pytest

import lecmux.demo.replay as replay_module
from lecmux.demo.outcomes import Outcomes
from lecmux.demo.play import Tally
from lecmux.demo.questions import QUESTIONS
from lecmux.demo.replay import Replay, Tallies, replay
from lecmux.demo.strategies import STRATEGIES, budget_bytes
from lecmux.demo.stream import deal


@pytest.fixture(scope="module")
def streams(outcomes: Outcomes) -> list[Tallies]:
    capacity = budget_bytes(outcomes)
    return list(replay(outcomes, range(1, 4), requests=600, capacity_bytes=capacity, after_each=lambda: None))


def test_every_strategy_serves_every_request(streams: list[Tallies]) -> None:
    for tallies in streams:
        assert list(tallies) == list(STRATEGIES)
        for tally in tallies.values():
            assert tally.requests == 600
            assert tally.hits + sum(tally.calls.values()) == 600


def test_without_a_cache_every_request_is_a_call(streams: list[Tallies], outcomes: Outcomes) -> None:
    stream = deal(1, questions=len(QUESTIONS), requests=600)
    tally = streams[0]["always_large"]

    assert tally.hits == 0
    assert tally.usd == pytest.approx(sum(outcomes.usd("large", each) for each in stream))
    assert tally.seconds == pytest.approx(0.5 * 600)


def test_one_model_behind_a_cache_is_as_often_right_as_alone(streams: list[Tallies]) -> None:
    for tallies in streams:
        assert tallies["lfu_large"].right == tallies["lru_large"].right == tallies["always_large"].right
        assert tallies["lfu_large"].hits > 300


def test_lecmux_pays_less_and_is_right_as_often(streams: list[Tallies]) -> None:
    def mean(strategy: str, name: str) -> float:
        return fmean(tallies[strategy].as_json()[name] for tallies in streams)

    assert mean("lecmux", "usd") < mean("lfu_large", "usd") < mean("always_large", "usd")
    assert mean("lecmux", "right") >= mean("always_large", "right") - 12
    assert all(tallies["lecmux"].calls["small"] for tallies in streams)


def test_a_replay_comes_to_the_same(outcomes: Outcomes, streams: list[Tallies]) -> None:
    """But for a little: an entry's size has in it the digits of the seconds that a call took."""
    capacity = budget_bytes(outcomes)
    again = next(iter(replay(outcomes, [1], requests=600, capacity_bytes=capacity, after_each=lambda: None)))

    for name in STRATEGIES:
        assert again[name].hits == pytest.approx(streams[0][name].hits, abs=40)
        assert again[name].usd == pytest.approx(streams[0][name].usd, rel=0.15)
        assert again[name].right == pytest.approx(streams[0][name].right, abs=12)


def test_processes_share_the_work(
    outcomes: Outcomes, streams: list[Tallies], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_WORTH_A_PROCESS", 1)
    done: list[None] = []

    shared = list(
        replay(
            outcomes,
            [1, 2],
            requests=600,
            capacity_bytes=budget_bytes(outcomes),
            after_each=lambda: done.append(None),
        )
    )

    assert len(done) == 2
    for ours, theirs in zip(shared, streams, strict=False):
        assert ours["always_large"] == theirs["always_large"]
        assert ours["lfu_large"].hits == pytest.approx(theirs["lfu_large"].hits, abs=40)


def test_the_budget_holds_a_quarter_of_the_answers(outcomes: Outcomes) -> None:
    quarter = len(QUESTIONS) / 4

    assert 400 * quarter < budget_bytes(outcomes) < 1200 * quarter


def test_streams_that_cost_more_are_counted() -> None:
    cheap, dear = Tally(0.5, usd=1.0, requests=2, right=2), Tally(0.5, usd=1.0, requests=2, right=1)
    others = dict.fromkeys(("always_large", "lru_large", "lfu_small", "lecmux_multiplexer"), cheap)

    lost = Replay(
        ({**others, "lecmux": dear, "lfu_large": cheap}, {**others, "lecmux": cheap, "lfu_large": dear})
    )

    assert lost.losing_streams == 1
    assert lost.spread("lecmux", lambda tally: tally.total_usd).mean == 1.25
    assert (lost.prior_losing_streams, lost.prior_usd.mean) == (0, -0.25)


def test_the_prior_pays(outcomes: Outcomes, streams: list[Tallies]) -> None:
    """Kinds of questions differ here as they do for real models: one reckons, one does not."""
    paired = Replay(tuple(streams))

    assert paired.prior_usd.mean < 0
    assert paired.prior_losing_streams < len(streams) / 2
