"""One test for each known trap of LangChain's cache interface, named after it."""

import asyncio
import json
import re
from contextvars import ContextVar
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, Generation
from langgraph.checkpoint.memory import InMemorySaver
from offline_model import OfflineBlockChat, OfflineToolChat
from pydantic import BaseModel

from langchain_lecmux import LECCache
from langchain_lecmux.hooking import key_of
from lecmux import Price, Query

MODEL = "[('_type', 'x'), ('model', 'm'), ('stop', None)]"


@pytest.fixture
def cache() -> Any:
    cache = LECCache()
    set_llm_cache(cache)
    yield cache
    set_llm_cache(None)
    assert cache.stats().incidents == 0
    cache.store.check()


def chat(text: str = "four", **fields: Any) -> list[Generation]:
    return [ChatGeneration(message=AIMessage(text, **fields))]


def prompt(*texts: str) -> str:
    return dumps([HumanMessage(text) for text in texts])


def kept(cache: LECCache, answer: list[Generation]) -> bool:
    cache.update(prompt("q"), MODEL, answer)
    return cache.lookup(prompt("q"), MODEL) is not None


# keys


@pytest.mark.parametrize("family", [OfflineToolChat, OfflineBlockChat])
def test_multi_turn_keys_differ_after_a_hit(cache: LECCache, family: type[OfflineToolChat]) -> None:
    """Two turns, three times over: two calls, then none."""
    model = family()
    calls = []
    for _ in range(3):
        before = model.calls
        history: list[Any] = [SystemMessage("be brief"), HumanMessage("one")]
        history += [model.invoke(history), HumanMessage("two")]
        model.invoke(history)
        calls.append(model.calls - before)
    assert calls == [2, 0, 0]


def test_tool_turns_hit_though_every_run_has_new_call_ids(cache: LECCache) -> None:
    model = OfflineToolChat()

    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    agent = create_agent(model, [add])
    answers = [agent.invoke({"messages": [HumanMessage("add 3 and 4")]})["messages"] for _ in range(3)]
    assert model.calls == 2
    assert len({thread[1].tool_calls[0]["id"] for thread in answers}) == 3
    assert all(thread[2].tool_call_id == thread[1].tool_calls[0]["id"] for thread in answers)


def test_two_models_of_a_class_without_identifying_params_share_a_key(
    cache: LECCache, caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be seen from here, so it is said once; a namespace of its own keeps each apart."""

    class Anonymous(OfflineToolChat):
        @property
        def _identifying_params(self) -> dict[str, Any]:
            return {}

    Anonymous(answer=lambda _: "from a").invoke("hi")
    assert Anonymous(answer=lambda _: "from b").invoke("hi").text == "from a"
    assert len([record for record in caplog.records if "does not say which model" in record.message]) == 1

    caplog.clear()
    one = Anonymous(answer=lambda _: "from a", cache=LECCache(cache=cache.store, namespace="a"))
    other = Anonymous(answer=lambda _: "from b", cache=LECCache(cache=cache.store, namespace="b"))
    assert (one.invoke("hi").text, other.invoke("hi").text) == ("from a", "from b")
    assert not caplog.records


def test_a_serialisable_model_changed_after_its_first_use_keeps_its_old_key(cache: LECCache) -> None:
    """A limit of BaseCache: LangChain keeps the model string of such models, so the key misses the change."""

    class Serialisable(OfflineToolChat):
        @classmethod
        def is_lc_serializable(cls) -> bool:
            return True

    model = Serialisable(temperature=0.0)
    model.invoke("hi")
    model.temperature = 1.0
    model.invoke("hi")
    assert model.calls == 1
    Serialisable(temperature=1.0).invoke("hi")
    assert cache.stats().misses == 2


def test_a_text_models_call_temperature_is_not_in_its_key(cache: LECCache) -> None:
    """A limit of BaseCache: LangChain leaves the arguments of the call out of a text model's string."""
    model = FakeListLLM(responses=["first", "second"])
    assert model.invoke("hi", temperature=0) == "first"
    assert model.invoke("hi", temperature=1) == "first"


def test_structured_output_with_only_a_class_in_the_key_is_not_served(cache: LECCache) -> None:
    """The text `<class 'mod.Joke'>` stays the same when the fields of the class change."""
    bound = "[('_type', 'x'), ('response_format', <class 'mod.Joke'>), ('stop', None)]"
    cache.update(prompt("q"), bound, chat())
    assert cache.lookup(prompt("q"), bound) is None
    assert cache.stats().unstable == 2
    assert cache.stats().stored == 0

    willing = LECCache(serve_unstable=True)
    willing.update(prompt("q"), bound, chat())
    assert willing.lookup(prompt("q"), bound)


def test_addresses_in_the_key_are_not_served(cache: LECCache) -> None:
    model = FakeListChatModel(responses=["a", "b"])
    assert model.invoke("hi", hook=object()).text == "a"
    assert model.invoke("hi", hook=object()).text == "b"
    assert cache.stats().unstable == 4
    assert len(cache.store) == 0


def test_tenants_are_apart() -> None:
    """Neither key, base user nor tenant is in LangChain's key: the scope says whose answer it is."""
    tenant: ContextVar[str] = ContextVar("tenant", default="")
    cache = LECCache(scope=lambda _: tenant.get())
    tenant.set("ann")
    cache.update(prompt("q"), MODEL, chat("for ann"))
    assert cache.lookup(prompt("q"), MODEL)
    tenant.set("bob")
    assert cache.lookup(prompt("q"), MODEL) is None
    cache.update(prompt("q"), MODEL, chat("for bob"))
    cache.clear(scope="bob")
    assert cache.lookup(prompt("q"), MODEL) is None
    tenant.set("ann")
    found = cache.lookup(prompt("q"), MODEL)
    assert found is not None
    assert found[0].text == "for ann"


def test_a_scope_that_fails_serves_no_other_tenant() -> None:
    def scope(query: Query) -> str:
        raise LookupError

    cache = LECCache(scope=scope)
    cache.update(prompt("q"), MODEL, chat())
    assert cache.lookup(prompt("q"), MODEL) is None
    assert cache.stats().incidents > 0
    assert len(cache.store) == 0


def test_another_models_answer_neither_serves_nor_hides(cache: LECCache) -> None:
    """The model string is a partition: what another model said is not even looked at."""
    cache.update(prompt("q"), MODEL, chat("mine"))
    cache.update(prompt("q"), MODEL + " other", chat("theirs"))
    found = cache.lookup(prompt("q"), MODEL)
    assert found is not None
    assert found[0].text == "mine"
    assert cache.lookup(prompt("q"), MODEL + " third") is None


# values


def test_a_cached_message_with_its_old_id_replaces_itself_in_a_thread(cache: LECCache) -> None:
    """LangGraph replaces messages by id: with the old id the answer to the second question would vanish."""
    agent = create_agent(OfflineToolChat(answer=lambda _: "same"), [], checkpointer=InMemorySaver())
    agent.invoke({"messages": [HumanMessage("hi")]}, {"configurable": {"thread_id": "other"}})
    config: Any = {"configurable": {"thread_id": "mine"}}
    agent.invoke({"messages": [HumanMessage("hi")]}, config)
    thread = agent.invoke({"messages": [HumanMessage("hi again")]}, config)["messages"]
    assert [message.type for message in thread] == ["human", "ai", "human", "ai"]
    again = agent.invoke({"messages": [HumanMessage("hi")]}, {"configurable": {"thread_id": "third"}})[
        "messages"
    ]
    assert again[1].id not in {message.id for message in thread}
    assert re.match(r"lc_run--[0-9a-f]{8}-", again[1].id)


def test_usage_on_a_hit_survives_a_round_trip(cache: LECCache) -> None:
    model = FakeListChatModel(responses=["a"])
    model.invoke("hi")
    hit = model.invoke("hi")
    assert hit.usage_metadata is not None
    assert loads(dumps(hit), allowed_objects=[AIMessage]) == hit
    assert hit.usage_metadata["total_tokens"] == 0


def test_usage_of_a_hit_is_not_counted_as_spent(cache: LECCache) -> None:
    model = OfflineToolChat()
    with get_usage_metadata_callback() as counted:
        first = model.invoke("hi there")
        hit = model.invoke("hi there")
    assert counted.usage_metadata["offline-tools"]["total_tokens"] == first.usage_metadata["total_tokens"]  # type: ignore[index]
    assert hit.response_metadata["lecmux"]["usage"] == first.usage_metadata


def test_provider_counters_in_the_metadata_are_zeroed_too(cache: LECCache) -> None:
    spent = {"completion_tokens": 5, "details": {"reasoning": 2}, "cached": True}
    cache.update(prompt("q"), MODEL, chat(response_metadata={"token_usage": spent}))
    found = cache.lookup(prompt("q"), MODEL)
    assert found is not None
    zeroed = {"completion_tokens": 0, "details": {"reasoning": 0}, "cached": True}
    assert found[0].message.response_metadata["token_usage"] == zeroed  # type: ignore[attr-defined]


def test_values_do_not_alias(cache: LECCache) -> None:
    model = OfflineToolChat()
    first = model.invoke("hi")
    first.content = "changed"
    first.response_metadata["model_name"] = "changed"
    hit = model.invoke("hi")
    assert hit.text == "offline-tools heard: hi"
    hit.response_metadata["nested"] = ["changed"]
    hit.additional_kwargs["x"] = 1
    other = model.invoke("hi")
    assert other.additional_kwargs == {}
    assert "nested" not in other.response_metadata
    assert other.response_metadata["model_name"] == "offline-tools"


def test_tool_call_ids_do_not_repeat_in_a_thread(cache: LECCache) -> None:
    call = {"name": "f", "args": {"id": "call_abcdefghij"}, "id": "call_abcdefghij", "type": "tool_call"}
    raw = {"tool_calls": [{"id": "call_abcdefghij", "function": {"arguments": "{}"}}]}
    blocks = [{"type": "tool_use", "id": "call_abcdefghij", "name": "f", "input": {}}]
    cache.update(prompt("q"), MODEL, chat(blocks, tool_calls=[call], additional_kwargs=raw))  # type: ignore[arg-type]
    found = [cache.lookup(prompt("q"), MODEL)[0].message for _ in range(2)]  # type: ignore[index,attr-defined]
    for message in found:
        new = message.tool_calls[0]["id"]
        assert new != "call_abcdefghij"
        assert len(new) == len("call_abcdefghij")
        assert new.startswith("call_")
        assert message.content[0]["id"] == new
        assert message.additional_kwargs["tool_calls"][0]["id"] == new
        assert message.tool_calls[0]["args"] == {"id": "call_abcdefghij"}
    assert found[0].tool_calls[0]["id"] != found[1].tool_calls[0]["id"]

    faithful = LECCache(renew_tool_call_ids=False)
    faithful.update(prompt("q"), MODEL, chat("", tool_calls=[call]))
    assert faithful.lookup(prompt("q"), MODEL)[0].message.tool_calls == [call]  # type: ignore[index,attr-defined]


def test_parsed_objects_come_back() -> None:
    class Joke(BaseModel):
        setup: str

    cache = LECCache()
    cache.update(prompt("q"), MODEL, chat("{}", additional_kwargs={"parsed": Joke(setup="knock")}))
    found = cache.lookup(prompt("q"), MODEL)
    assert found is not None
    assert found[0].message.additional_kwargs["parsed"] == Joke(setup="knock")  # type: ignore[attr-defined]


# admission


@pytest.mark.parametrize(
    "answer",
    [
        chat(response_metadata={"finish_reason": "length"}),
        chat(response_metadata={"stop_reason": "max_tokens"}),
        chat(response_metadata={"done_reason": "length"}),
        chat(response_metadata={"finish_reason": "MAX_TOKENS"}),
        chat(response_metadata={"finish_reason": "content_filter"}),
        chat(response_metadata={"stop_reason": "refusal"}),
        chat(response_metadata={"status": "incomplete"}),
        chat(additional_kwargs={"refusal": "I cannot help with that."}),
        [ChatGeneration(message=AIMessage([{"type": "refusal", "refusal": "no"}]))],
        [Generation(text="half a", generation_info={"finish_reason": "length"})],
        [*chat(), *chat(response_metadata={"finish_reason": "length"})],
    ],
)
def test_truncated_refused_and_failed_answers_are_not_stored(
    cache: LECCache, answer: list[Generation]
) -> None:
    assert not kept(cache, answer)
    assert cache.stats().refused == 1


@pytest.mark.parametrize(
    "answer",
    [
        chat(),
        chat(response_metadata={"finish_reason": None}),
        chat(response_metadata={"finish_reason": "stop"}),
        chat(response_metadata={"stop_reason": "end_turn"}),
        chat(response_metadata={"finish_reason": "STOP"}),
        chat(response_metadata={"status": "completed"}),
        chat(
            "",
            response_metadata={"finish_reason": "tool_calls"},
            tool_calls=[{"name": "f", "args": {}, "id": "1"}],
        ),
        chat([{"type": "image", "base64": "AAAA", "mime_type": "image/png"}]),  # type: ignore[arg-type]
        [Generation(text="whole", generation_info={"finish_reason": "stop"})],
        [*chat("a"), *chat("b")],
    ],
)
def test_answers_that_ended_normally_are_stored(cache: LECCache, answer: list[Generation]) -> None:
    assert kept(cache, answer)


def test_temperature_and_n_are_served_unless_a_hook_says_no(cache: LECCache) -> None:
    model = OfflineToolChat(temperature=0.9, n=2)
    first = model.generate([[HumanMessage("hi")]]).generations[0]
    again = model.generate([[HumanMessage("hi")]]).generations[0]
    assert model.calls == 2
    assert [each.text for each in again] == [each.text for each in first]

    asked: list[Query] = []

    def serve(query: Query) -> bool:
        asked.append(query)
        return not query.attributes["temperature"]

    picky = OfflineToolChat(temperature=0.9, cache=LECCache(serve=serve))
    picky.invoke("hi")
    picky.invoke("hi")
    assert picky.calls == 2
    assert asked[0].attributes["n"] == 1
    sure = OfflineToolChat(temperature=0.0, cache=LECCache(serve=serve))
    sure.invoke("hi")
    sure.invoke("hi")
    assert sure.calls == 1


def test_an_admission_hook_has_the_last_word() -> None:
    cache = LECCache(admit=lambda _, reply: "sorry" not in reply.value.text)
    assert not kept(cache, chat("sorry, something went wrong"))
    assert kept(cache, chat("four"))
    lenient = LECCache(admit=lambda _, reply: True)
    assert kept(lenient, chat(response_metadata={"finish_reason": "length"}))


# trouble


class Broken(str):
    """Fails wherever it is used."""

    __slots__ = ()

    def startswith(self, *_: Any) -> bool:
        raise RuntimeError("broken")

    def __len__(self) -> int:
        raise RuntimeError("broken")


def test_an_exception_inside_fails_no_call() -> None:
    """LangChain lets whatever a cache raises through to the user, after the answer was paid for as well."""
    cache = LECCache()
    assert cache.lookup(Broken("x"), MODEL) is None
    cache.update(Broken("x"), MODEL, chat())
    cache.update(prompt("q"), MODEL, [object()])  # type: ignore[list-item]
    cache.update(prompt("q"), MODEL, None)  # type: ignore[arg-type]
    assert cache.stats().incidents == 4
    assert kept(cache, chat())


def test_a_damaged_entry_is_a_miss_and_goes() -> None:
    cache = LECCache()
    assert kept(cache, chat())
    query = cache._questions.query(prompt("q"), MODEL)
    assert query is not None
    key = key_of(query, cache.store.hooks)
    cache.store.put_value(key.text, b"[1,0,oops", scope=key.scope, fingerprint=key.fingerprint)
    assert cache.lookup(prompt("q"), MODEL) is None
    assert cache.stats().incidents == 1
    assert len(cache.store) == 0
    assert kept(cache, chat())


def test_answers_outside_the_schema_are_counted_and_not_stored(cache: LECCache) -> None:
    assert not kept(cache, chat(additional_kwargs={"client": object()}))
    assert cache.stats().unstorable == 1


def test_only_a_list_is_a_hit(cache: LECCache) -> None:
    """LangChain takes a tuple for a miss."""
    cache.update(prompt("q"), MODEL, tuple(chat()))  # type: ignore[arg-type]
    assert type(cache.lookup(prompt("q"), MODEL)) is list


async def test_async_calls_need_no_thread(cache: LECCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", lambda *_: pytest.fail("a thread hop"))
    await cache.aupdate(prompt("q"), MODEL, chat())
    assert await cache.alookup(prompt("q"), MODEL)
    await cache.aclear()
    assert await cache.alookup(prompt("q"), MODEL) is None


def test_plain_generations_are_equal_to_what_was_stored(cache: LECCache) -> None:
    """Nothing of ours may stand in `generation_info`: the standard suite compares by value."""
    stored = [Generation(text="a", generation_info={"reason": "test"})]
    cache.update("text prompt", MODEL, stored)
    assert cache.lookup("text prompt", MODEL) == stored


# what a hit tells


def test_a_hit_is_visible_and_can_be_forgotten(cache: LECCache) -> None:
    model = OfflineToolChat()
    model.invoke("hi")
    facts = model.invoke("hi").response_metadata["lecmux"]
    assert facts["kind"] == "hit"
    assert facts["model"] == "offline-tools"
    assert facts["unit"] == "seconds"
    assert facts["saved"] > 0
    assert facts["age_seconds"] >= 0
    json.dumps(facts)
    assert cache.forget(facts["hit_id"])
    assert not cache.forget(facts["hit_id"])
    model.invoke("hi")
    assert model.calls == 2


def test_listeners_hear_of_hits() -> None:
    heard: list[str] = []
    cache = LECCache(listeners=[lambda event: heard.append(type(event).__name__)])
    model = OfflineToolChat(cache=cache)
    model.invoke("hi")
    model.invoke("hi")
    assert heard == ["CacheMiss", "Store", "CacheHit"]


def test_an_answer_is_worth_its_price() -> None:
    cache = LECCache(prices={"offline-tools": Price(output_usd_per_million=1_000_000.0)})
    model = OfflineToolChat(answer=lambda _: "three words here", cache=cache)
    model.invoke("hi")
    facts = model.invoke("hi").response_metadata["lecmux"]
    assert (facts["unit"], facts["saved"]) == ("usd", 3.0)
    stranger = OfflineToolChat(model="unknown", cache=cache)
    stranger.invoke("hi")
    assert "saved" not in stranger.invoke("hi").response_metadata["lecmux"]
    assert cache.stats().unpriced == 1


def test_without_prices_an_answer_is_worth_the_time_it_took() -> None:
    cache = LECCache()
    model = OfflineToolChat(delay_seconds=0.05, cache=cache)
    model.invoke("hi")
    facts = model.invoke("hi").response_metadata["lecmux"]
    assert facts["unit"] == "seconds"
    assert 0.05 <= facts["saved"] < 1.0


async def test_times_of_concurrent_calls_are_not_mixed_up() -> None:
    cache = LECCache()

    async def ask(delay: float) -> None:
        await OfflineToolChat(delay_seconds=delay, model=str(delay), cache=cache).ainvoke("hi")

    await asyncio.gather(ask(0.2), ask(0.05), ask(0.1))
    for delay in (0.2, 0.05, 0.1):
        hit = await OfflineToolChat(delay_seconds=delay, model=str(delay), cache=cache).ainvoke("hi")
        assert delay <= hit.response_metadata["lecmux"]["saved"] < delay + 0.1
