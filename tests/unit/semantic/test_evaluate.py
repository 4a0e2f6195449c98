"""`lecmux.semantic`: a stream and pairs, with vectors that are given."""

from collections.abc import Sequence
from typing import Any

import pytest

from lecmux.errors import ConfigError
from lecmux.semantic import evaluate_pairs, evaluate_stream

np = pytest.importorskip("numpy")


class Given:
    """Texts "CLASS WORDING" embedded near their class."""

    name = "given"

    def embed(self, texts: Sequence[str]) -> Any:
        rows = []
        for text in texts:
            topic = np.random.default_rng(int(text.split()[0])).normal(size=32)
            rows.append(topic + 0.3 * np.random.default_rng(sum(text.encode())).normal(size=32))
        vectors = np.array(rows, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    async def aembed(self, texts: Sequence[str]) -> Any:
        return self.embed(texts)


def stream(topics: int = 30, each: int = 40) -> tuple[list[str], list[str]]:
    texts = [f"{topic} wording {'x' * number}" for topic in range(topics) for number in range(each)]
    return texts, [text.split()[0] for text in texts]


def test_serves_within_the_budget_and_tells_what_it_served() -> None:
    texts, classes = stream()
    found = evaluate_stream(texts, classes, embedder=Given(), max_error=0.05, orders=3)

    assert found.within_budget == 3
    assert found.hit_rate > 0.2
    for order in found.orders:
        assert order.requests == len(order.trace) == len(texts)
        served = [(row, source) for row, source in order.trace if source is not None]
        assert order.hits == len(served)
        assert order.wrong_hits == sum(classes[row] != classes[source] for row, source in served)


def test_the_same_seed_gives_the_same_outcome_and_hidden_answers_another() -> None:
    texts, classes = stream()
    settings = {"embedder": Given(), "max_error": 0.05, "orders": 1}

    assert evaluate_stream(texts, classes, **settings) == evaluate_stream(texts, classes, **settings)
    hidden = evaluate_stream(texts, classes, **settings, hide_answers=True)
    assert hidden.orders != evaluate_stream(texts, classes, **settings).orders


def test_rows_of_their_own_class_are_never_right() -> None:
    texts, classes = stream(10, 20)
    found = evaluate_stream(texts, [None] * len(classes), embedder=Given(), max_error=0.05, orders=1)
    order = found.orders[0]

    assert order.hits == order.wrong_hits
    assert order.hindsight_hits <= 0.05 * order.requests


@pytest.mark.parametrize(
    "wrong", [{"orders": 0}, {"requests": 0}, {"max_error": 0.9}, {"max_error": float("nan")}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    texts, classes = stream(2, 2)
    with pytest.raises(ConfigError):
        evaluate_stream(texts, classes, **{"embedder": Given(), "max_error": 0.02, "orders": 1} | wrong)


def test_pairs_count_what_was_served_and_why_not() -> None:
    cached = ["1 send money", "1 send 20 euros", "1 turn it on", "1 hello"]
    queries = ["1 send money", "1 send 30 euros", "1 turn it off", "1 hi"]
    found = evaluate_pairs(cached, queries, [True, False, False, None], embedder=Given(), max_error=0.02)

    assert (found.recall, found.false_reuse, found.unlabelled) == (1.0, 0.0, 1)
    assert found.refused == {"numbers": 1, "opposite": 1}
