"""Hits by meaning in LangChain: of a `LECCache`, in lookups and updates, and of a `ChatRouter`."""

import asyncio
import contextvars
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from offline_model import OfflineToolChat
from topics import topic, wordings

from langchain_lecmux import ChatRouter, LECCache
from lecmux import Cache, Price, Semantic
from lecmux.errors import ConfigError
from lecmux.events import CacheHit
from lecmux.salient import Salient
from lecmux.testing import TopicEmbedder

MAX_ERROR = 0.1
NEW = "alpha with other words"  # nobody asked it before; its topic was asked often
PRICE = Price(1.0, 1.0)  # a call is worth more than an embedding, which is free
PRICES = {"offline-tools": PRICE}
OFF: RunnableConfig = {"configurable": {"lecmux_semantic": False}}
ON: RunnableConfig = {"configurable": {"lecmux_semantic": True}}


def by_topic(messages: list[BaseMessage]) -> str:
    return topic(str(messages[-1].content))


def look(name: str) -> str:
    """Looks something up."""
    return name


def semantic(embedder: TopicEmbedder | None = None, **settings: Any) -> Semantic:
    return Semantic(embedder or TopicEmbedder(), max_error=MAX_ERROR, **settings)


def chat(cache: Any, **fields: Any) -> OfflineToolChat:
    return OfflineToolChat(answer=by_topic, cache=cache, **fields)


def told(message: BaseMessage) -> dict[str, Any]:
    facts: dict[str, Any] = message.response_metadata.get("lecmux", {})
    return facts


def asked(model: Any, each: int = 40, before: Sequence[BaseMessage] = ()) -> list[AIMessage]:
    """Asks until the record allows hits by meaning."""
    return [model.invoke([*before, HumanMessage(text)]) for text in wordings(each)]


@pytest.fixture
def cache() -> LECCache:
    return LECCache(semantic=semantic(), prices=PRICES)


@pytest.fixture
def warmed(cache: LECCache) -> OfflineToolChat:
    model = chat(cache)
    asked(model)
    return model


def test_it_is_off_unless_asked_for() -> None:
    model = chat(LECCache())

    answers = asked(model, 20)

    assert model.cache.store.semantic is None
    assert not any(map(told, answers))


def test_a_cache_learns_from_paid_answers_and_then_serves_by_meaning(cache: LECCache) -> None:
    model = chat(cache)

    answers = asked(model)

    hits = [answer for answer in answers if told(answer)]
    wrong = [
        text for text, answer in zip(wordings(40), answers, strict=True) if answer.content != topic(text)
    ]
    assert len(hits) > 100
    assert model.calls == len(answers) - len(hits)
    assert len(wrong) <= MAX_ERROR * len(answers)
    for hit in hits:
        facts = told(hit)
        assert facts["kind"] == "hit"
        assert facts["reason"] == "semantic"
        assert 0.5 < facts["similarity"] <= 1.0
        assert 0.0 < facts["risk"] < 0.5
        assert hit.usage_metadata is not None
        assert hit.usage_metadata["total_tokens"] == 0
    assert cache.stats().hits == len(hits)
    assert cache.stats().misses == model.calls
    cache.store.check()


def test_what_was_declined_or_audited_is_learnt_at_the_update(cache: LECCache) -> None:
    """A lookup that finds an audited entry says that there is none, so the model is called."""
    model = chat(cache)

    asked(model)

    stats = cache.store.stats().semantic
    assert stats is not None
    assert stats.audits > 0
    assert stats.labels > stats.audits
    assert stats.hits + model.calls == 400


def test_the_async_twin_decides_likewise(cache: LECCache) -> None:
    twin = chat(LECCache(semantic=semantic(), prices=PRICES))

    async def ask() -> list[AIMessage]:
        return [await twin.ainvoke(text) for text in wordings(40)]

    ours, theirs = asked(chat(cache)), asyncio.run(ask())

    assert [told(one).get("similarity") for one in ours] == [
        told(other).get("similarity") for other in theirs
    ]


def test_the_exact_question_needs_no_embedding() -> None:
    embedder = TopicEmbedder()
    model = chat(LECCache(semantic=semantic(embedder)))
    model.invoke(NEW)
    before = len(embedder.texts)

    again = model.invoke(NEW)

    assert told(again)["reason"] == "exact"
    assert len(embedder.texts) == before


def test_an_answer_is_not_served_after_another_history(warmed: OfflineToolChat) -> None:
    history = [HumanMessage("Tell me of cats."), AIMessage("Well.")]

    alone, later = warmed.invoke(NEW), warmed.invoke([*history, HumanMessage(NEW)])

    assert told(alone)["reason"] == "semantic"
    assert told(later) == {}


@pytest.mark.parametrize("other", [{"temperature": 0.7}, {"model": "another"}])
def test_an_answer_is_not_served_to_another_model_or_setting(warmed: OfflineToolChat, other: Any) -> None:
    assert told(chat(warmed.cache, **other).invoke(NEW)) == {}


def test_an_answer_is_not_served_under_other_stop_words(warmed: OfflineToolChat) -> None:
    assert told(warmed.invoke(NEW, stop=["."])) == {}


def test_an_answer_is_not_served_under_another_system_text(warmed: OfflineToolChat) -> None:
    assert told(warmed.invoke([SystemMessage("You are a pirate."), HumanMessage(NEW)])) == {}


def test_no_tenant_is_served_what_another_stored() -> None:
    tenant = contextvars.ContextVar("tenant", default="a")
    model = chat(LECCache(semantic=semantic(), prices=PRICES, scope=lambda _: tenant.get()))
    asked(model)

    tenant.set("b")
    theirs = model.invoke(NEW)
    tenant.set("a")
    ours = model.invoke(NEW.replace("other", "more"))

    assert told(theirs) == {}
    assert told(ours)["reason"] == "semantic"


def test_tools_bound_no_answer_to_another_question_is_served(cache: LECCache) -> None:
    model = chat(cache).bind_tools([look])

    answers = asked(model)

    assert not any(map(told, answers))
    assert cache.store.stats().semantic.requests == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("by", ["a setting", "the call"])
def test_tools_bound_it_can_be_asked_for(by: str) -> None:
    model = chat(LECCache(semantic=semantic(tools=by == "a setting"), prices=PRICES)).bind_tools([look])
    config = ON if by == "the call" else {}

    # one tool call after a chain: the config reaches the cache through the runnable around the model
    chain = model | (lambda message: message)
    answers = [chain.invoke(text, config) for text in wordings(40)]

    assert any(told(answer).get("reason") == "semantic" for answer in answers)


def test_a_call_can_do_without(warmed: OfflineToolChat) -> None:
    chain = warmed | (lambda message: message)

    assert told(chain.invoke(NEW, OFF)) == {}
    assert told(chain.invoke(NEW, OFF))["reason"] == "exact"


def test_a_refreshed_answer_is_stored_for_others_too(cache: LECCache) -> None:
    model = chat(cache)
    chain = model | (lambda message: message)
    asked(model, 38)

    fresh = chain.invoke(NEW, {"configurable": {"lecmux_cache": "refresh"}})

    assert told(fresh) == {}
    entries = cache.store.stats().semantic
    chain.invoke(NEW + " now", {"configurable": {"lecmux_cache": "skip"}})
    assert cache.store.stats().semantic == entries


def test_a_wrong_hit_is_reported_and_its_twins_are_refused(warmed: OfflineToolChat) -> None:
    cache: Any = warmed.cache
    first = told(warmed.invoke(NEW))
    assert first["reason"] == "semantic"

    assert cache.report_wrong(first["hit_id"])

    again = told(warmed.invoke(NEW, OFF | {}))
    assert again.get("hit_id") != first["hit_id"]
    assert not cache.report_wrong("ffffffffffffffff")


def test_listeners_hear_of_the_hit(warmed: OfflineToolChat) -> None:
    heard: list[Any] = []
    cache = LECCache(semantic=semantic(), prices=PRICES, listeners=[heard.append])
    asked(chat(cache))

    hits = [event.decision for event in heard if isinstance(event, CacheHit)]

    assert hits
    assert {decision.reason for decision in hits} == {"semantic"}
    assert all(decision.similarity and decision.risk for decision in hits)


def test_a_broken_embedder_costs_no_call(caplog: pytest.LogCaptureFixture) -> None:
    embedder = TopicEmbedder()
    cache = LECCache(semantic=semantic(embedder))
    model = chat(cache)
    embedder.broken = OSError("no such model")

    answers = [model.invoke(text) for text in (NEW, NEW, "beta", "beta")]

    assert [answer.content for answer in answers] == [
        "about alpha",
        "about alpha",
        "about beta",
        "about beta",
    ]
    assert model.calls == 2
    assert cache.stats().incidents > 0
    assert len([record for record in caplog.records if "semantic" in record.getMessage()]) == 1


def test_a_hook_puts_a_question_into_words_of_its_own() -> None:
    """A text alone is compared after the same history; a `Salient` says what must be equal as well."""

    def alone(query: Any) -> Salient | None:
        return Salient(str(query.salient), "") if query.salient else None

    model = chat(LECCache(semantic=semantic(text=alone), prices=PRICES))
    asked(model)

    later = model.invoke([HumanMessage("Hello."), AIMessage("Well."), HumanMessage(NEW)])

    assert told(later)["reason"] == "semantic"


def test_a_comparison_of_ones_own_sees_the_answers() -> None:
    seen: list[Any] = []

    def same(stored: Any, paid: Any) -> bool:
        seen.append((stored.text, paid.text))
        return bool(stored == paid)

    asked(chat(LECCache(semantic=semantic(same_answer=same), prices=PRICES)), 5)

    assert ("about alpha", "about alpha") in seen


def test_dollars_are_counted_as_without_it() -> None:
    cache = LECCache(semantic=semantic(), prices=PRICES)
    model = chat(cache)

    answers = asked(model)

    saved = [told(answer)["saved"] for answer in answers if told(answer)]
    assert saved
    assert cache.store.stats().saved_by_hits_usd == pytest.approx(sum(saved))


def test_it_belongs_to_the_store() -> None:
    with pytest.raises(ConfigError, match="semantic"):
        LECCache(cache=Cache(1_000_000), semantic=semantic())

    shared = LECCache(cache=Cache(1_000_000, semantic=semantic()), prices=PRICES)

    asked(chat(shared), 3)
    assert shared.store.stats().semantic.requests == 30  # type: ignore[union-attr]


def test_vectors_and_evidence_outlive_the_process(warmed: OfflineToolChat, tmp_path: Path) -> None:
    cache: Any = warmed.cache
    cache.save(tmp_path / "answers")

    again = LECCache.load(tmp_path / "answers", semantic=semantic(), prices=PRICES)

    assert told(chat(again).invoke(NEW))["reason"] == "semantic"


# ChatRouter


def routed(**settings: Any) -> ChatRouter:
    return ChatRouter(models={"only": chat(False)}, prices={"only": PRICE}, **settings)


def test_a_router_serves_by_meaning() -> None:
    router = routed(semantic=semantic())

    answers = asked(router)

    hits = [answer for answer in answers if told(answer)["reason"] == "semantic"]
    assert len(hits) > 100
    assert all(answer.content == topic(text) for text, answer in zip(wordings(40), answers, strict=True))
    assert told(router.invoke(NEW))["similarity"] > 0.5


def test_a_router_streams_a_hit() -> None:
    router = routed(cache=LECCache(semantic=semantic()))
    asked(router)

    chunks = list(router.stream(NEW))

    whole = sum(chunks[1:], chunks[0])
    assert whole.content == "about alpha"
    assert told(whole)["reason"] == "semantic"


def test_a_router_streams_typed_events_of_a_hit() -> None:
    router = routed(semantic=semantic())
    blocks = [router.stream_events(text, version="v3").output for text in wordings(40)]
    assert len(blocks) == 400

    stream = router.stream_events(NEW, version="v3")

    assert stream.output.text == "about alpha"
    assert told(stream.output)["reason"] == "semantic"


def test_a_routers_call_can_do_without() -> None:
    router = routed(semantic=semantic())
    asked(router)

    assert told(router.invoke(NEW, lecmux_semantic=False))["kind"] == "call"
    assert told(router.invoke(NEW + " again", OFF))["kind"] == "call"


def test_a_router_with_tools_serves_the_exact_question_alone() -> None:
    router = routed(semantic=semantic())

    answers = asked(router.bind_tools([look]))
    allowed = asked(router.bind_tools([look], lecmux_semantic=True))

    assert {told(answer)["kind"] for answer in answers} == {"call"}
    assert {told(answer)["reason"] for answer in allowed} == {"exact"}


def test_a_router_is_not_answered_from_another_history() -> None:
    router = routed(semantic=semantic())
    asked(router)

    later = router.invoke([HumanMessage("Tell me of cats."), AIMessage("Well."), HumanMessage(NEW)])

    assert told(later)["kind"] == "call"


def test_a_routers_setting_belongs_to_its_own_cache() -> None:
    with pytest.raises(ConfigError, match="semantic"):
        routed(semantic=semantic(), cache=LECCache())


def test_other_caches_of_langchain_are_left_alone() -> None:
    """`semantic=` makes a cache of the router's own; the models' caches stay."""
    router = ChatRouter(models={"only": chat(InMemoryCache())}, semantic=semantic())

    assert told(router.invoke(NEW))["kind"] == "call"
