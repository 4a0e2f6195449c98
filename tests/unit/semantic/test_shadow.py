"""Hits by meaning in shadow: decided, booked apart, labelled, and never served."""

import pytest

from lecmux import AsyncCache, Cache, Hooks, Query, Reply, Semantic, Usage
from lecmux._core import semantic_ids
from lecmux.events import CacheHit, Event, Shadow
from lecmux.testing import TopicEmbedder

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = [f"{topic} {a}{b} please" for b in "abc" for a in LETTERS for topic in WORDS]


class Baseline:
    """One answer a topic; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.turned = False

    def __call__(self, query: Query) -> Reply:
        self.calls += 1
        topic = query.text.split(maxsplit=1)[0]
        return Reply(f"nothing on {topic}" if self.turned else f"about {topic}", Usage(seconds=10_000.0))


def heard() -> tuple[Cache, list[Event]]:
    events: list[Event] = []
    hooks = Hooks(listeners=[events.append])
    return Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1), hooks=hooks), events


def shadows(events: list[Event]) -> list[Shadow]:
    return [event for event in events if isinstance(event, Shadow) and event.decision.reason == "semantic"]


def test_what_would_be_served_by_meaning_is_told_and_the_baseline_answers() -> None:
    cache, events = heard()
    model = Baseline()

    answers = [cache.answer(text, models={"m": model}, shadow=True) for text in TEXTS]

    assert model.calls == len(TEXTS)
    assert {answer.decision.reason for answer in answers} == {"shadow"}
    told = shadows(events)
    assert len(told) > 100
    for event in told:
        assert event.decision.kind == "hit" and event.decision.similarity is not None
        assert event.would_save == pytest.approx(10_000.0)
        assert event.same is True
    assert not [event for event in events if isinstance(event, CacheHit)]
    stats = cache.stats()
    assert stats.would_save_seconds == pytest.approx(10_000.0 * len(told))
    assert stats.saved_by_hits_seconds == 0.0
    assert stats.semantic is not None and stats.semantic.hits == len(told)
    cache.check()


def test_every_decision_in_shadow_teaches() -> None:
    cache, events = heard()
    model = Baseline()
    for text in TEXTS:
        cache.answer(text, models={"m": model}, shadow=True)

    stats = cache.stats().semantic
    assert stats is not None
    assert stats.labels >= len(TEXTS) - len(WORDS), "one a request, but for the first where nothing is held"
    assert stats.entries == len(TEXTS) - len(shadows(events)), (
        "what would have been served is not stored anew"
    )
    assert len(semantic_ids(cache)) == len(cache)


def test_a_hit_that_would_have_been_wrong_is_told_as_such() -> None:
    cache, events = heard()
    model = Baseline()
    for text in TEXTS:
        cache.answer(text, models={"m": model}, shadow=True)
    events.clear()
    model.turned = True

    for text in TEXTS[:50]:
        answer = cache.answer(f"{text} now", models={"m": model}, shadow=True)
        assert str(answer.value).startswith("nothing")

    assert {event.same for event in shadows(events)} == {False}


def test_what_shadow_learnt_serves_when_it_ends() -> None:
    cache, _ = heard()
    model = Baseline()
    for text in TEXTS:
        cache.answer(text, models={"m": model}, shadow=True)
    calls = model.calls

    live = [cache.answer(f"{text} now", models={"m": model}) for text in TEXTS[:50]]

    hits = [answer for answer in live if answer.decision.reason == "semantic"]
    assert len(hits) > 25
    assert model.calls == calls + len(live) - len(hits)


def test_a_shadow_hit_is_no_hit_that_could_be_reported() -> None:
    cache, events = heard()
    for text in TEXTS:
        cache.answer(text, models={"m": Baseline()}, shadow=True)

    assert not cache.report_wrong(shadows(events)[-1].decision.id)


async def test_the_async_twin_decides_likewise() -> None:
    events: list[Event] = []
    plain, heard_plain = heard()
    for text in TEXTS:
        plain.answer(text, models={"m": Baseline()}, shadow=True)
    settings = Semantic(TopicEmbedder(), max_error=0.1)
    async with AsyncCache(4_000_000, semantic=settings, hooks=Hooks(listeners=[events.append])) as cache:
        for text in TEXTS:
            await cache.answer(text, models={"m": Baseline()}, shadow=True)

    told = [(event.key, event.decision.similarity, event.same) for event in shadows(events)]
    assert told == [(event.key, event.decision.similarity, event.same) for event in shadows(heard_plain)]
