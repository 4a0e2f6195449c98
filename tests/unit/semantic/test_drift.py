"""Drift: every class means something else midway."""

from collections.abc import Sequence
from typing import Any

import pytest

from lecmux.semantic import evaluate_stream

np = pytest.importorskip("numpy")

HALF, AFTER = 2000, 500


class Given:
    """Texts "CLASS NUMBER" embedded near their class."""

    name = "given"

    def embed(self, texts: Sequence[str]) -> Any:
        rows = []
        for text in texts:
            topic, number = map(int, text.split())
            centre = np.random.default_rng(topic).normal(size=32)
            rows.append(centre + 0.3 * np.random.default_rng(1000 + number).normal(size=32))
        vectors = np.array(rows, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    async def aembed(self, texts: Sequence[str]) -> Any:
        return self.embed(texts)


def stream(topics: int, each: int) -> tuple[list[str], list[str]]:
    texts = [f"{number % topics} {number}" for number in range(topics * each)]
    return texts, [text.split()[0] for text in texts]


def test_drift_is_found_and_no_more_than_the_budget_is_wrong_from_500_requests_on() -> None:
    texts, classes = stream(20, 200)
    found = evaluate_stream(texts, classes, embedder=Given(), max_error=0.05, orders=4, redraw=HALF)

    for order in found.orders:
        assert order.drifts >= 1
        at = {told.requests: told for told in order.told}
        before, again, end = at[HALF], at[HALF + AFTER], at[order.requests]
        after = order.after_drift
        assert after is not None
        assert after.settling_wrong_hits == again.wrong_hits - before.wrong_hits
        assert after.later_wrong_hits == end.wrong_hits - again.wrong_hits
        assert after.within(0.05)


def test_without_drift_none_is_found_and_the_interval_never_leaves_the_truth() -> None:
    texts, classes = stream(20, 200)
    found = evaluate_stream(texts, classes, embedder=Given(), max_error=0.05, orders=4)

    for order in found.orders:
        assert order.drifts == 0
        assert order.after_drift is None
        assert order.interval_held
        for told in order.told:
            assert told.rate.low <= told.wrong_hits / told.requests <= told.rate.high


def test_the_first_hit_is_the_first_request_that_was_served() -> None:
    texts, classes = stream(20, 200)
    (order,) = evaluate_stream(texts, classes, embedder=Given(), max_error=0.05, orders=1).orders
    first = order.first_hit
    assert first is not None
    assert all(served is None for _, served in order.trace[: first - 1])
    assert order.trace[first - 1][1] is not None
