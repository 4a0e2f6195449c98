"""Answers known to be wrong tell models apart, not questions: they teach the semantic stage nothing."""

import pytest

from lecmux import Cache, Hooks, Query, Reply, Router, Semantic, Usage
from lecmux.stats import SemanticStats
from lecmux.testing import TopicEmbedder

PRICE_OF_WRONG_SECONDS = 20_000.0


def judge(_query: Query, reply: Reply) -> float:
    """Knows the right answers."""
    return float("right" in reply.value) if "half" not in reply.value else 0.6


def stats_after(values: list[str], price: float = PRICE_OF_WRONG_SECONDS) -> SemanticStats:
    """What two questions of one topic came to, whose answers are `values`."""
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder()), hooks=Hooks(quality=judge))
    router = Router(["m"], price_of_wrong_seconds=price)
    answers = iter(values)
    for text in ("alpha one", "alpha two"):
        cache.answer(
            text, models={"m": lambda _query: Reply(next(answers), Usage(seconds=1.0))}, router=router
        )
    stats = cache.stats().semantic
    assert stats is not None
    assert stats.requests == 2
    return stats


@pytest.mark.parametrize("values", [["wrong", "right"], ["right", "wrong"], ["wrong", "wrong too"]])
def test_an_answer_known_to_be_wrong_gives_no_label(values: list[str]) -> None:
    assert stats_after(values).labels == 0


@pytest.mark.parametrize("values", [["right", "right"], ["right", "right too"], ["half right", "right"]])
def test_answers_that_are_rather_right_do(values: list[str]) -> None:
    assert stats_after(values).labels == 1


def test_where_errors_have_no_price_every_answer_does() -> None:
    assert stats_after(["wrong", "right"], price=0.0).labels == 1


def served(*, skilled: bool) -> int:
    """Hits by meaning on a stream of topics, where a model that is often wrong gives every other answer."""
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1), hooks=Hooks(quality=judge))
    router = Router(["m"], price_of_wrong_seconds=PRICE_OF_WRONG_SECONDS)
    calls = 0

    def model(query: Query) -> Reply:
        nonlocal calls
        calls += 1
        knows = skilled or calls % 3
        said = f"right about {query.text.split()[0]}" if knows else f"nothing {calls}"
        return Reply(said, Usage(seconds=10_000.0))

    for number in range(40):
        for topic in ("alpha", "beta", "gamma", "delta", "epsilon"):
            text = f"{topic} {'abcdefghijklmnopqrstuvwxyz'[number % 26]}{'ab'[number // 26]} please"
            cache.answer(text, models={"m": model}, router=router)
    stats = cache.stats().semantic
    assert stats is not None
    return stats.hits


def test_a_model_that_is_often_wrong_keeps_no_right_answers_from_being_served() -> None:
    assert served(skilled=False) > 0.5 * served(skilled=True) > 20
