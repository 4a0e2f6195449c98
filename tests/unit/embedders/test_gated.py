"""`Gated`: the slow embedder runs where the fast one sees something near, and nowhere else."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from lecmux import Answer, AsyncCache, Cache, Query, Reply, Semantic, Usage
from lecmux.embedders import Gated, Static
from lecmux.errors import ConfigError

TOPICS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
KINDS = ["north", "south", "east", "west", "up", "down", "near", "far"]


class Topics:
    """Texts "TOPIC KIND WORDING" as directions: those of one topic are alike, those of one kind near."""

    def __init__(self, name: str, near: float) -> None:
        self.name = name
        self.dim = 16
        self.texts: list[str] = []
        self.fails = False
        self._near = near

    def embed(self, texts: Sequence[str]) -> Any:
        if self.fails:
            raise ConnectionError("down")
        self.texts += texts
        return [self._vector(text) for text in texts]

    async def aembed(self, texts: Sequence[str]) -> Any:
        await asyncio.sleep(0)
        return self.embed(texts)

    def _vector(self, text: str) -> list[float]:
        topic, kind = TOPICS.index(text.split(maxsplit=1)[0]), KINDS.index(text.split()[1])
        vector = [0.0] * self.dim
        vector[8 + kind] = self._near
        vector[topic] += 1.0
        return vector


@pytest.fixture
def fast() -> Topics:
    return Topics("fast", 2.0)  # those of one kind: .8 alike


@pytest.fixture
def slow() -> Topics:
    return Topics("slow", 0.1)


@pytest.fixture
def cache(fast: Topics, slow: Topics) -> Cache:
    return Cache(
        1_000_000,
        semantic=Semantic(Gated(fast, slow, threshold=0.6), same_answer=lambda a, b: a == b),
        clock=lambda: 0.0,  # what an embedding takes decides nothing
    )


def topic_model(query: Query) -> Reply:
    """Answers by topic; takes long enough for a stored answer to pay."""
    return Reply(query.text.split()[0], Usage(seconds=10_000.0))


def ask(cache: Cache, text: str, **where: str) -> Answer:
    return cache.answer(Query(text, salient=text, **where), models={"m": topic_model})


def test_nothing_near_leaves_the_slow_embedder_alone(cache: Cache, fast: Topics, slow: Topics) -> None:
    for kind in KINDS:
        ask(cache, f"alpha {kind} words")
    found = cache.stats().semantic

    assert slow.texts == []
    assert len(fast.texts) == 8
    assert found is not None
    assert (found.turned_away, found.waiting, found.entries, found.requests) == (8, 8, 0, 8)


def test_what_comes_near_embeds_both(cache: Cache, slow: Topics) -> None:
    ask(cache, "beta north first")
    ask(cache, "gamma north second")
    found = cache.stats().semantic

    assert slow.texts == ["gamma north second", "beta north first"]
    assert found is not None
    assert (found.waiting, found.entries) == (0, 2)
    ask(cache, "delta north third")
    assert slow.texts[2:] == ["delta north third"]


def test_a_hit_is_served_through_the_gate(cache: Cache) -> None:
    wordings = [f"{letter}{other}" for letter in "abcdefghijkl" for other in "abcdefghijkl"]
    answers = [
        ask(cache, f"{topic} {kind} {wording}")
        for wording in wordings
        for topic, kind in zip(TOPICS, KINDS, strict=True)
    ]
    hits = [answer for answer in answers if answer.decision.reason == "semantic"]

    assert len(hits) > 100
    assert cache.stats().semantic.turned_away == len(TOPICS)  # type: ignore[union-attr]  the first of each


def test_another_scope_fingerprint_or_context_does_not_open_it(cache: Cache, slow: Topics) -> None:
    ask(cache, "beta north first")
    for where in ({"scope": "other"}, {"fingerprint": "other"}):
        ask(cache, "beta north again", **where)

    assert slow.texts == []


def test_who_leaves_the_store_leaves_the_gate(cache: Cache, slow: Topics) -> None:
    ask(cache, "beta north first")
    cache.delete("beta north first")
    ask(cache, "gamma north second")

    assert slow.texts == []
    cache.check()


def test_bytes_are_charged_for_the_gate(fast: Topics, slow: Topics) -> None:
    cache = Cache(200_000, semantic=Semantic(Gated(fast, slow)))
    for number in range(2000):
        ask(cache, f"alpha {KINDS[number % 8]} wording {number}")
    found = cache.stats()

    assert found.bytes_used <= 200_000
    assert found.semantic is not None
    assert found.semantic.index_bytes <= found.bytes_used
    cache.check()


def test_a_slow_embedder_that_is_down_leaves_the_exact_stage(
    cache: Cache, slow: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    ask(cache, "beta north first")
    slow.fails = True

    assert ask(cache, "gamma north second").value == "gamma"
    assert ask(cache, "gamma north second").decision.reason == "exact"
    found = cache.stats().semantic
    assert found is not None
    assert found.failures == 1
    assert len([line for line in caplog.records if line.levelname == "WARNING"]) == 1


def test_a_fast_embedder_that_is_down_leaves_the_exact_stage(cache: Cache, fast: Topics) -> None:
    fast.fails = True

    assert ask(cache, "beta north first").value == "beta"
    assert ask(cache, "beta north first").decision.reason == "exact"


def test_a_loaded_entry_keeps_its_partition_open(fast: Topics, slow: Topics, tmp_path: Any) -> None:
    plain = Cache(1_000_000, semantic=Semantic(slow))
    ask(plain, "beta north first")
    plain.save(tmp_path / "state")
    cache = Cache(1_000_000, semantic=Semantic(Gated(fast, slow)))
    cache.load(tmp_path / "state")
    slow.texts.clear()

    ask(cache, "zeta down far")

    found = cache.stats().semantic
    assert found is not None
    assert bool(slow.texts) == bool(found.entries)


async def test_an_async_cache_has_the_same_gate(fast: Topics, slow: Topics) -> None:
    cache = AsyncCache(1_000_000, semantic=Semantic(Gated(fast, slow)))

    async def model(query: Query) -> Reply:
        return topic_model(query)

    for text in ("beta north first", "beta south far", "gamma north near"):
        await cache.answer(Query(text, salient=text), models={"m": model})

    assert slow.texts == ["gamma north near", "beta north first"]


def test_refreshing_asks_nobody_what_is_near(cache: Cache, slow: Topics) -> None:
    ask(cache, "beta north first")
    second = Query("gamma north second", salient="gamma north second")
    cache.answer(second, models={"m": topic_model}, cache="refresh")

    assert slow.texts == []


def test_the_vectors_are_the_slow_ones(fast: Topics, slow: Topics) -> None:
    both = Gated(fast, slow)

    assert (both.name, both.dim) == ("slow", 16)
    assert both.embed(["beta north x"]) == slow.embed(["beta north x"])
    assert asyncio.run(both.aembed(["beta north x"])) == slow.embed(["beta north x"])


def test_the_table_alone_serves_in_a_cache() -> None:
    cache = Cache(1_000_000, semantic=Semantic(Static()))
    for text in ("How do I reset my password?", "how can i reset my password"):
        ask(cache, text)
    found = cache.stats().semantic

    assert found is not None
    assert (found.failures, found.entries, found.embedded >= 2) == (0, 2, True)


@pytest.mark.parametrize("threshold", [1.0, -1.0, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="threshold"):
        Gated(Static(), Static(), threshold=threshold)


def test_what_is_no_embedder_is_refused() -> None:
    with pytest.raises(ConfigError, match="fast must be an embedder"):
        Gated("static", Static())  # type: ignore[arg-type]
