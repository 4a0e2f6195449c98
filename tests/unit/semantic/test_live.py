"""The semantic stage of a cache: hits by meaning, what they teach, and what must never be one."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import lecmux
from lecmux import AsyncCache, Cache, Hooks, Query, Reply, Semantic, Usage
from lecmux._core import semantic_ids
from lecmux.errors import ConfigError
from lecmux.testing import TopicEmbedder


def topic(text: str) -> str:
    """Texts of one topic have one answer."""
    return f"about {text.split(maxsplit=1)[0]}"


def topic_model(query: Query) -> Reply:
    """Takes long enough for a stored answer to pay."""
    return Reply(topic(query.text), Usage(seconds=10_000.0))


MODELS = {"m": topic_model}
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def texts(each: int, topics: Sequence[str] = WORDS) -> list[str]:
    """Wordings that no facet tells apart."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"{topic} {letters[n % 26]}{letters[n // 26]} please" for n in range(each) for topic in topics]


def warmed(**settings: Any) -> tuple[Cache, list[lecmux.Answer]]:
    """A cache that has been asked so much that it serves by meaning."""
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1), **settings)
    answers = [cache.answer(text, models=MODELS) for text in texts(40)]
    return cache, answers


def test_learns_from_paid_answers_and_then_serves_by_meaning() -> None:
    cache, answers = warmed()

    hits = [answer for answer in answers if answer.decision.reason == "semantic"]
    assert len(hits) > 100
    for answer in hits:
        decision = answer.decision
        assert decision.kind == "hit"
        assert decision.similarity is not None and 0.5 < decision.similarity <= 1.0
        assert decision.risk is not None and 0.0 < decision.risk < 0.5
    wrong = sum(answer.value != topic(text) for answer, text in zip(answers, texts(40), strict=True))
    assert wrong <= 0.1 * len(answers)
    assert cache.stats().requests == len(answers)
    assert cache.stats().hits == len(hits)
    cache.check()


def requests_to_first_hit(repeats: int) -> int:
    """Requests by meaning before the first hit, each followed by so many that are answered word for word."""
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.02), clock=lambda: 0.0)
    for count, text in enumerate(texts(60, WORDS[:4])):
        if cache.answer(text, models=MODELS).decision.reason == "semantic":
            return count
        for _ in range(repeats):
            assert cache.answer(text, models=MODELS).decision.reason == "exact"
    raise AssertionError("nothing was served by meaning")


def test_answers_given_word_for_word_count_as_requests() -> None:
    assert requests_to_first_hit(9) < requests_to_first_hit(0) // 2


async def test_the_async_twin_decides_likewise() -> None:
    _, answers = warmed()
    async with AsyncCache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1)) as twin:
        again = [await twin.answer(text, models=MODELS) for text in texts(40)]

    kinds = [(answer.value, answer.decision.reason, answer.decision.similarity) for answer in answers]
    assert kinds == [(a.value, a.decision.reason, a.decision.similarity) for a in again]


def test_a_query_without_salient_text_takes_no_part() -> None:
    embedder = TopicEmbedder()
    cache = Cache(1_000_000, semantic=Semantic(embedder))

    cache.answer(Query("alpha one"), models=MODELS)

    assert embedder.texts == []


def test_scope_fingerprint_and_context_are_partitions() -> None:
    cache, _ = warmed()
    known = texts(40)[-1]
    for elsewhere in (
        Query(f"{known} x", scope="other", salient=known),
        Query(f"{known} x", fingerprint="json", salient=known),
        Query(f"{known} x", context="earlier turns", salient=known),
    ):
        assert cache.explain(elsewhere, models=["m"]).alike is None
        assert cache.answer(elsewhere, models=MODELS).decision.kind == "call"
    stats = cache.stats().semantic
    assert stats is not None and stats.partitions == 4


def test_a_reported_hit_is_gone_and_its_twins_are_refused() -> None:
    cache, answers = warmed()
    hit = next(answer for answer in reversed(answers) if answer.decision.reason == "semantic")
    asked = texts(40)[answers.index(hit)]

    assert cache.report_wrong(hit.decision.id)
    assert cache.get(asked) is None
    again = cache.answer(asked, models=MODELS)
    assert again.decision.kind == "call"
    assert not cache.report_wrong(hit.decision.id)

    cache.delete(asked)
    told = cache.explain(asked, models=["m"])
    assert told.alike is not None and told.alike.verdict == "decline"


def test_a_wrong_hit_is_gone_at_once_its_twins_are_refused_and_explain_names_the_facet() -> None:
    cache, _ = warmed()

    def ask(text: str) -> lecmux.Answer:
        return cache.answer(Query(text, fingerprint="limits", salient=text), models=MODELS)

    def explained(text: str) -> str:
        return str(cache.explain(Query(text, fingerprint="limits", salient=text), models=["m"]))

    stored, asked = "alpha open the door", "alpha close the door"
    ask(stored)
    assert "the two contradict each other: opposite" in explained(asked)
    hit = ask(asked)
    assert hit.decision.reason == "semantic"

    assert cache.report_wrong(hit.decision.id)
    assert cache.peek(stored, fingerprint="limits") is None
    assert "alike" not in explained(asked), "nothing is left to answer it"
    ask(stored)
    for twin in (asked, "alpha close the doors"):
        told = explained(twin)
        assert told.startswith("call") and "quarantined" in told
        assert "the two contradict each other: opposite" in told
        assert ask(twin).decision.kind == "call"
        cache.delete(twin, fingerprint="limits")
    counted = cache.stats().semantic
    assert counted is not None and counted.quarantined >= 1


def test_an_entry_that_leaves_the_store_leaves_the_index() -> None:
    cache, _ = warmed()
    ids = set(semantic_ids(cache))
    assert len(ids) == len(cache)

    text = next(text for text in texts(1) if cache.peek(text))
    gone = cache.peek(text).hit_id
    cache.delete(text)
    assert set(semantic_ids(cache)) == ids - {gone}
    cache.clear()
    assert semantic_ids(cache) == []
    stats = cache.stats().semantic
    assert stats is not None and stats.partitions == 0
    cache.check()


def test_a_full_cache_evicts_from_both_and_stays_within_its_budget() -> None:
    stopped = lambda: 0.0  # noqa: E731  what an embedding takes decides nothing
    cache = Cache(100_000, semantic=Semantic(TopicEmbedder(), max_error=0.02), clock=stopped)
    for number in range(400):
        cache.answer(Query(f"{number} some question", salient=f"{number} some question"), models=MODELS)
    stats = cache.stats()
    assert stats.evicted > 100
    assert stats.semantic is not None
    assert stats.semantic.entries == len(cache)
    assert stats.bytes_used <= stats.capacity_bytes
    assert stats.semantic.index_bytes + stats.semantic.evidence_bytes < stats.capacity_bytes
    cache.check()


def test_two_texts_that_contradict_are_named_by_explain() -> None:
    cache, _ = warmed()
    cache.answer("alpha set it to 20 please", models=MODELS)

    told = cache.explain("alpha set it to 30 please", models=["m"])

    assert told.alike is not None
    assert told.alike.neighbours[0][1] <= 1.0
    if told.alike.text == "alpha set it to 20 please":
        assert told.alike.facet == "numbers"
    assert "similarity" in str(told)
    assert told.as_json()["alike"]["risk"] == told.alike.risk


def test_explaining_changes_nothing() -> None:
    cache, _ = warmed()
    before = cache.stats().semantic

    for text in texts(40):
        cache.explain(text, models=["m"])

    assert cache.stats().semantic == before


class Broken(TopicEmbedder):
    """Fails in one way after another."""

    def __init__(self, fault: Any) -> None:
        super().__init__()
        self._fault = fault
        self.working = True

    def embed(self, texts: Sequence[str]) -> Any:
        vectors = super().embed(texts)
        return vectors if self.working else self._fault(vectors)


def raises(_: Any) -> Any:
    raise ConnectionError("the embedder is down")


FAULTS = {
    "raises": raises,
    "none": lambda _: None,
    "nan": lambda vectors: [[float("nan")] * len(vectors[0])],
    "zeros": lambda vectors: [[0.0] * len(vectors[0])],
    "dimension": lambda vectors: [vectors[0] + [0.1]],
    "too many": lambda vectors: vectors * 2,
    "no numbers": lambda vectors: [["a"]],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_working_embedder_the_exact_stage_serves_on(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = Broken(FAULTS[fault])
    cache = Cache(1_000_000, semantic=Semantic(embedder, rest_seconds=1e-9))
    cache.answer("alpha one", models=MODELS)
    embedder.working = False

    with caplog.at_level(logging.WARNING, "lecmux"):
        for _ in range(2):
            assert cache.answer("alpha one", models=MODELS).decision.reason == "exact"
            assert cache.answer("alpha two", models=MODELS, cache="refresh").value == "about alpha"
            assert cache.answer("alpha three", models=MODELS).value == "about alpha"

    stats = cache.stats()
    assert stats.semantic is not None and stats.semantic.failures == 3
    assert stats.incidents == 3
    assert len(caplog.records) == 1
    cache.check()


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigError, match="embedder"):
        Semantic(object())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_error"):
        Semantic(TopicEmbedder(), max_error=0.9)
    with pytest.raises(ConfigError, match="semantic"):
        Cache(1_000_000, semantic=TopicEmbedder())  # type: ignore[arg-type]


def test_a_budget_of_nothing_switches_the_stage_off() -> None:
    embedder = TopicEmbedder()
    cache = Cache(1_000_000, semantic=Semantic(embedder, max_error=0))

    cache.answer("alpha one", models=MODELS)

    assert embedder.texts == []
    assert cache.stats().semantic is None


def test_a_near_duplicate_waits_for_the_one_under_way() -> None:
    cache, _ = warmed()
    stats = cache.stats().semantic
    assert stats is not None
    for key in cache.keys():  # noqa: SIM118  a cache is no dict
        if key.startswith("alpha"):  # what was learnt stays
            cache.delete(key)
    started, calls = threading.Event(), []

    def slow(query: Query) -> Reply:
        calls.append(query.text)
        started.set()
        time.sleep(0.3)
        return topic_model(query)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.answer, "alpha zz please", models={"m": slow})
        assert started.wait(10)
        second = pool.submit(cache.answer, "alpha please", models={"m": slow})
        answers = [first.result(), second.result()]

    assert [answer.value for answer in answers] == ["about alpha"] * 2
    assert answers[1].decision.reason == "semantic"
    assert calls == ["alpha zz please"]
    cache.check()


def test_a_request_under_way_that_fails_lets_the_others_go_on() -> None:
    cache, _ = warmed()
    for key in cache.keys():  # noqa: SIM118  a cache is no dict
        cache.delete(key)
    started = threading.Event()

    def fails(query: Query) -> Reply:
        if query.text == "alpha zz please":
            started.set()
            time.sleep(0.2)
            raise RuntimeError("down")
        return topic_model(query)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.answer, "alpha zz please", models={"m": fails})
        assert started.wait(10)
        second = pool.submit(cache.answer, "alpha zy please", models={"m": fails})
        with pytest.raises(RuntimeError):
            first.result()
        assert second.result().value == "about alpha"
    cache.check()


async def test_a_comparison_that_is_awaited_gives_the_label() -> None:
    asked: list[tuple[str, str]] = []

    async def same(one: str, other: str) -> bool:
        asked.append((one, other))
        return one.split(maxsplit=1)[0] == other.split(maxsplit=1)[0]

    def model(query: Query) -> Reply:  # of one sense, and never twice in the same words
        return Reply(f"{topic(query.text).split()[1]} by {query.text}", Usage(seconds=10_000.0))

    cache = AsyncCache(
        4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1), hooks=Hooks(same_answer=same)
    )
    answers = [await cache.answer(text, models={"m": model}) for text in texts(40)]

    stats = cache.stats().semantic
    assert stats is not None
    assert len(asked) == stats.labels
    hits = [answer for answer in answers if answer.decision.reason == "semantic"]
    assert len(hits) > 50


def abstains(_one: str, _other: str) -> None:
    """Says nothing."""


@pytest.mark.parametrize("own", [None, abstains])
def test_a_comparison_that_abstains_leaves_the_word_to_the_next(own: Any) -> None:
    settings = Semantic(TopicEmbedder(), max_error=0.1, same_answer=own)
    cache = Cache(4_000_000, semantic=settings, hooks=Hooks(same_answer=abstains))
    for text in texts(40):  # the answers differ in writing alone, which the built-in overlooks
        cache.answer(
            text,
            models={
                "m": lambda query: Reply(
                    topic(query.text).upper() + "." * (len(query.text) % 2), Usage(seconds=10_000.0)
                )
            },
        )

    stats = cache.stats().semantic
    assert stats is not None and stats.hits > 100
