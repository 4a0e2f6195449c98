"""Two questions that contradict each other, where a tenant's own labels say that it changes nothing."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from lecmux import Answer, Cache, Query, Reply, Semantic, Usage
from lecmux.errors import ConfigError
from lecmux.semantic import evaluate_stream
from lecmux.testing import TopicEmbedder

TOPICS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
LETTERS = "abcdefghijklmnop"
ONLY_OFF = "omega"


def pole(text: str) -> str:
    return "off" if " off " in text else "on"


def texts() -> list[str]:
    """Commands of each topic with both poles, and of one topic with one pole."""
    many = [
        f"{topic} turn {pole} {first}{second} now"
        for first, second, pole, topic in product(LETTERS[:5], LETTERS, ("on", "off"), TOPICS)
    ]
    return many + [f"{ONLY_OFF} turn off {first} now" for first in LETTERS]


def same_topic(stored: str, paid: str) -> bool:
    """The labels of a tenant to whom "on" and "off" are one: they teach that a contradiction is none."""
    return stored.split(maxsplit=1)[0] == paid.split(maxsplit=1)[0]


def model(query: Query) -> Reply:
    return Reply(f"{query.text.split()[0]} is {pole(query.text)}", Usage(seconds=10_000.0))


def served(**settings: bool) -> tuple[Cache, list[tuple[str, Answer]]]:
    """A cache that has been asked all texts, and its hits by meaning."""
    semantic = Semantic(TopicEmbedder(), max_error=0.1, same_answer=same_topic, **settings)
    cache = Cache(16_000_000, semantic=semantic, clock=lambda: 0.0)
    answers = [(text, cache.answer(text, models={"m": model})) for text in texts()]
    return cache, [(text, answer) for text, answer in answers if answer.decision.reason == "semantic"]


def contradicting(hits: list[tuple[str, Answer]]) -> int:
    return sum(answer.value.split()[-1] != pole(text) for text, answer in hits)


def test_labels_can_teach_that_on_and_off_have_one_answer() -> None:
    cache, hits = served()

    assert contradicting(hits) > 0
    told = cache.stats().semantic
    assert told is not None and told.contradictions == 0


def test_on_and_off_are_never_answered_alike_where_contradictions_are_refused() -> None:
    cache, hits = served(serve_contradictions=False)

    assert len(hits) > 100
    assert contradicting(hits) == 0
    cache.check()


def test_a_refusal_is_explained_and_counted() -> None:
    cache, _ = served(serve_contradictions=False)
    text = f"{ONLY_OFF} turn on a now"

    alike = cache.explain(text, models={"m": model}).alike
    assert alike is not None
    assert (alike.verdict, alike.reason, alike.facet) == ("decline", "contradicts", "opposite")
    assert alike.risk <= alike.threshold, "it would be served otherwise"
    assert "contradicts" in str(alike) and "opposite" in str(alike)

    before = cache.stats().semantic
    assert cache.answer(text, models={"m": model}).value == f"{ONLY_OFF} is on"
    after = cache.stats().semantic
    assert before is not None and after is not None
    assert after.contradictions == before.contradictions + 1


class Arrays(TopicEmbedder):
    """The same vectors as an array."""

    def embed(self, texts: Sequence[str]) -> Any:
        np = pytest.importorskip("numpy")
        return np.array(super().embed(texts), np.float32)


def test_a_replay_refuses_likewise() -> None:
    asked = texts()
    poles = [pole(text) for text in asked]

    def crossed(*, serve_contradictions: bool) -> list[bool]:
        found = evaluate_stream(
            asked,
            [text.split()[0] for text in asked],
            embedder=Arrays(),
            max_error=0.1,
            orders=2,
            serve_contradictions=serve_contradictions,
        )
        assert found.contradictions_refused is not serve_contradictions
        trace = [pair for order in found.orders for pair in order.trace]
        return [poles[row] != poles[served] for row, served in trace if served is not None]

    assert any(crossed(serve_contradictions=True))
    refused = crossed(serve_contradictions=False)
    assert len(refused) > 100 and not any(refused)


def test_the_option_is_a_bool() -> None:
    with pytest.raises(ConfigError, match="serve_contradictions"):
        Semantic(TopicEmbedder(), serve_contradictions="never")  # type: ignore[arg-type]
