"""ChatRouter: what it asks, serves, learns and tells."""

import asyncio
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, trim_messages
from langchain_core.outputs import ChatGenerationChunk
from offline_model import OfflineBlockChat, OfflineToolChat
from pydantic import BaseModel

from langchain_lecmux import ChatRouter, LECCache
from lecmux import AsyncCache, Cache, Price, Query, Reply
from lecmux.errors import ConfigError, PriceError

PRICES = {"small": Price(output_usd_per_million=1e6), "large": Price(output_usd_per_million=1e7)}


def small(**settings: Any) -> OfflineToolChat:
    return OfflineToolChat(**{"model": "small-1", "answer": lambda _: "small says", **settings})


def large(**settings: Any) -> OfflineBlockChat:
    return OfflineBlockChat(**{"model": "large-1", "answer": lambda _: "large says", **settings})


def router(**settings: Any) -> ChatRouter:
    return ChatRouter(**{"models": {"small": small(), "large": large()}, "cache": LECCache(), **settings})


def calls(model: ChatRouter) -> int:
    return sum(inner.calls for inner in model.models.values())  # type: ignore[attr-defined]


def told(message: Any) -> dict[str, Any]:
    return message.response_metadata["lecmux"]


@pytest.fixture(autouse=True)
def no_global_cache() -> Iterator[None]:
    set_llm_cache(None)
    yield
    set_llm_cache(None)


# one decision a call


def test_a_call_tells_its_decision() -> None:
    model = router(prices=PRICES)
    facts = told(model.invoke("hi"))
    assert facts["kind"] == "call"
    assert facts["model"] in {"small", "large"}
    assert facts["unit"] == "usd"
    assert facts["cost"] == {"small": 2.0, "large": 20.0}[facts["model"]]
    assert set(facts["lower"]) == {"small", "large"}
    assert facts["propensity"] == 1.0
    assert facts["reason"]


def test_a_stored_answer_serves_whichever_model_gave_it() -> None:
    """One lookup before the route, under a key without the model."""
    model = router()
    first = model.invoke("hi", config={"configurable": {"lecmux_route": "large"}})
    hit = model.invoke("hi")
    assert calls(model) == 1
    assert told(hit)["kind"] == "hit"
    assert told(hit)["model"] == "large"
    assert hit.text == first.text
    assert hit.id != first.id
    assert hit.usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    assert told(hit)["usage"] == first.usage_metadata
    assert told(hit)["saved"] == round(told(first)["cost"], 9) > 0


def test_a_hit_can_be_forgotten() -> None:
    cache = LECCache()
    model = router(cache=cache)
    model.invoke("hi")
    assert cache.forget(told(model.invoke("hi"))["hit_id"])
    model.invoke("hi")
    assert calls(model) == 2


def test_multi_turn_conversations_hit_again() -> None:
    model = router()
    for expected in (2, 2, 2):
        history: list[Any] = [HumanMessage("one")]
        history += [model.invoke(history), HumanMessage("two")]
        model.invoke(history)
        assert calls(model) == expected


def test_n_answers_are_kept_as_n() -> None:
    model = router(models={"only": small(n=2)})
    first = model.generate([[HumanMessage("hi")]]).generations[0]
    again = model.generate([[HumanMessage("hi")]]).generations[0]
    assert calls(model) == 2  # one call of two
    assert [each.text for each in again] == [each.text for each in first] == ["small says"] * 2


@pytest.mark.parametrize("store", [LECCache, lambda: Cache(1_000_000), lambda: AsyncCache(1_000_000)])
def test_any_cache_of_ours_will_do(store: Any) -> None:
    model = router(cache=store())
    model.invoke("hi")
    model.invoke("hi")
    assert calls(model) == 1


def test_without_a_cache_every_call_is_made() -> None:
    model = router(cache=False)
    model.invoke("hi")
    model.invoke("hi")
    assert calls(model) == 2


def test_the_global_cache_is_used_and_the_models_look_past_it() -> None:
    """An answer is stored once, under the router's key."""
    cache = LECCache()
    set_llm_cache(cache)
    model = router(cache=None)
    model.invoke("hi")
    assert len(cache.store) == 1
    assert cache.stats().misses == 1
    assert told(model.invoke("hi"))["kind"] == "hit"
    assert calls(model) == 1
    small().invoke("hi")  # outside the router the same cache serves as ever
    assert len(cache.store) == 2


async def test_the_models_look_past_the_cache_in_async_calls_too() -> None:
    cache = LECCache()
    set_llm_cache(cache)
    model = router(cache=None)
    await model.ainvoke("hi")
    assert len(cache.store) == 1
    assert told(await model.ainvoke("hi"))["kind"] == "hit"


def test_a_models_own_cache_that_is_another_one_still_serves() -> None:
    own = LECCache()
    model = router(models={"only": small(cache=own)})
    model.invoke("hi")
    assert len(own.store) == 1


@pytest.mark.parametrize("cache", [InMemoryCache(), "redis", 1.5])
def test_a_foreign_cache_is_refused(cache: Any) -> None:
    with pytest.raises((ConfigError, ValueError), match="cache must be"):
        router(cache=cache)


def test_asking_for_a_global_cache_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="set_llm_cache"):
        router(cache=True)


def test_tenants_are_apart() -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="")
    model = router(cache=LECCache(scope=lambda _: tenant.get()))
    for name in ("ann", "bob", "ann"):
        tenant.set(name)
        model.invoke("hi")
    assert calls(model) == 2


def test_a_model_changed_after_its_first_use_is_another_key() -> None:
    inner = small(temperature=0.0)
    model = router(models={"only": inner})
    model.invoke("hi")
    inner.temperature = 1.0
    model.invoke("hi")
    assert inner.calls == 2


def test_a_persona_is_part_of_the_key() -> None:
    model = router(models={"only": small()})
    history = [HumanMessage("hi"), AIMessage("hello")]
    for persona in ("a judge", "a pirate", "a judge"):
        asked = [SystemMessage(f"you are {persona}"), *history, HumanMessage("who are you?")]
        model.invoke(asked)
    assert calls(model) == 2
    assert told(model.invoke([asked[0], asked[-1]]))["kind"] == "call"  # another history, another question


def test_options_of_the_call_are_part_of_the_key() -> None:
    model = router()
    for options in ({}, {"temperature": 1.0}, {"stop": ["x"]}, {"seed": 3}, {"model": "other"}):
        model.invoke("hi", **options)  # type: ignore[arg-type]
        model.invoke("hi", **options)  # type: ignore[arg-type]
    assert calls(model) == 5


def test_options_without_a_stable_form_are_not_cached(caplog: pytest.LogCaptureFixture) -> None:
    model = router()
    model.invoke("hi", callback=object())
    model.invoke("hi", callback=object())
    assert calls(model) == 2
    assert len([record for record in caplog.records if "stable form" in record.message]) == 1


def test_the_serve_hook_of_a_cache_holds_here_too() -> None:
    model = router(cache=LECCache(serve=lambda query: not query.attributes["temperature"]))
    model.invoke("hi", temperature=0.9)
    model.invoke("hi", temperature=0.9)
    assert calls(model) == 2
    model.invoke("hi", temperature=0.0)
    model.invoke("hi", temperature=0.0)
    assert calls(model) == 3


# learning


def right(query: Query, reply: Reply) -> float:
    """The small model knows only what is easy."""
    return 1.0 if reply.model == "large" or "easy" in query.text else 0.0


def test_it_learns_which_question_needs_which_model() -> None:
    model = router(prices=PRICES, cache=False, quality=right, price_of_wrong_usd=100.0)
    chosen: dict[str, list[str]] = {"easy": [], "hard": []}
    for _ in range(30):
        for kind, models in chosen.items():
            models.append(told(model.invoke(kind))["model"])
    assert set(chosen["easy"][-10:]) == {"small"}
    assert set(chosen["hard"][-10:]) == {"large"}


def test_a_stored_answer_known_to_be_wrong_is_not_served_at_face_value() -> None:
    model = router(prices=PRICES, price_of_wrong_usd=1000.0)
    forced: Any = {"configurable": {"lecmux_route": "small"}}
    first = model.invoke("hi", config=forced)
    assert told(model.invoke("hi"))["kind"] == "hit"
    assert model.observe(told(first)["id"], quality=0.0)
    again = model.invoke("hi")
    assert told(again)["kind"] == "call"
    assert told(again)["model"] == "large"
    assert told(model.invoke("hi"))["kind"] == "hit"
    assert not model.observe("no such decision", quality=1.0)


def test_a_hit_can_be_judged_as_well() -> None:
    model = router(prices=PRICES, price_of_wrong_usd=1000.0)
    model.invoke("hi", config={"configurable": {"lecmux_route": "small"}})
    hit = model.invoke("hi")
    assert model.observe(told(hit)["id"], quality=0.0)
    assert told(model.invoke("hi"))["kind"] == "call"


def test_without_prices_costs_are_seconds_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    model = router(models={"small": small(delay_seconds=0.02), "large": large()})
    facts = told(model.invoke("hi", config={"configurable": {"lecmux_route": "small"}}))
    assert facts["unit"] == "seconds"
    assert facts["cost"] >= 0.02
    assert any("seconds, not dollars" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    "settings",
    [
        {"price_of_wrong_usd": 1.0},
        {"prices": {"small": Price.free()}, "price_of_wrong_usd": 1.0},
        {"prices": {"medium": Price.free()}},
        {"prices": PRICES, "price_of_wrong_seconds": 1.0},
        {"prices": PRICES, "cache": Cache(1000), "unit": "seconds"},
    ],
)
def test_money_that_cannot_be_counted_is_a_typed_error(settings: dict[str, Any]) -> None:
    if unit := settings.pop("unit", None):
        settings["cache"].settle_unit(unit)
    with pytest.raises(PriceError):
        router(**settings)


def test_a_global_cache_in_another_unit_does_not_fail_the_call() -> None:
    model = router(prices=PRICES, cache=None)
    cache = LECCache()
    cache.store.settle_unit("seconds")
    set_llm_cache(cache)
    model.invoke("hi")
    model.invoke("hi")
    assert calls(model) == 2


def test_a_quality_hook_may_be_an_object() -> None:
    class Judge:
        def quality(self, query: Query, reply: Reply) -> float:
            return right(query, reply)

    model = router(prices=PRICES, cache=False, quality=Judge(), price_of_wrong_usd=100.0)
    chosen = [told(model.invoke("hard"))["model"] for _ in range(20)]
    assert set(chosen[-5:]) == {"large"}


def test_a_quality_hook_that_fails_costs_no_answer() -> None:
    model = router(quality=lambda *_: 1 / 0)
    assert model.invoke("hi").text
    assert told(model.invoke("hi"))["kind"] == "hit"


# routes by name


def test_a_call_can_name_its_model() -> None:
    model = router()
    for name in ("small", "large"):
        config: Any = {"configurable": {"lecmux_route": name}}
        assert told(model.invoke("hi", config))["model"] == name
        assert told(next(iter(model.stream("hello", config))))["model"] == name
        assert told(model.bind(lecmux_route=name).invoke("hey"))["model"] == name
    assert calls(model) == 6


def test_a_named_model_is_not_answered_for_by_another() -> None:
    model = router()
    model.invoke("hi", config={"configurable": {"lecmux_route": "small"}})
    answer = model.invoke("hi", config={"configurable": {"lecmux_route": "large"}})
    assert told(answer)["kind"] == "call"
    assert told(model.invoke("hi", config={"configurable": {"lecmux_route": "large"}}))["kind"] == "hit"


def test_naming_a_model_that_is_not_there_is_a_typed_error() -> None:
    with pytest.raises(ConfigError, match="medium"):
        router().invoke("hi", config={"configurable": {"lecmux_route": "medium"}})


# single flight and failures


def test_equal_calls_at_once_are_one_call() -> None:
    model = router(models={"only": small(delay_seconds=0.05)})
    answers = model.batch(["hi"] * 8)
    assert calls(model) == 1
    assert len({answer.id for answer in answers}) == 8


async def test_equal_async_calls_at_once_are_one_call() -> None:
    model = router(models={"only": small(delay_seconds=0.05)})
    answers = await model.abatch(["hi"] * 8)
    assert calls(model) == 1
    assert {answer.text for answer in answers} == {"small says"}
    result = await model.agenerate([[HumanMessage("ho")]] * 8)
    assert calls(model) == 2
    assert len(result.generations) == 8


def fails_once() -> Any:
    left = [RuntimeError("overloaded")]

    def answer(_: Any) -> str:
        if left:
            raise left.pop()
        return "back again"

    return answer


def test_a_models_failure_passes_through_and_blocks_nobody() -> None:
    model = router(models={"only": small(answer=fails_once())})
    with pytest.raises(RuntimeError, match="overloaded"):
        model.invoke("hi")
    assert model.invoke("hi").text == "back again"
    assert told(model.invoke("hi"))["kind"] == "hit"


async def test_a_cancelled_call_blocks_nobody() -> None:
    model = router(models={"only": small(delay_seconds=0.1)})
    task = asyncio.create_task(model.ainvoke("hi"))
    await asyncio.sleep(0.02)
    follower = asyncio.create_task(model.ainvoke("hi"))
    await asyncio.sleep(0.02)
    task.cancel()
    assert (await asyncio.wait_for(follower, 2)).text == "small says"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_answers_that_did_not_end_normally_are_not_stored(reason: str) -> None:
    model = router(models={"only": small(finish_reason=reason)})
    model.invoke("hi")
    list(model.stream("hi"))
    assert calls(model) == 2
    assert told(model.invoke("hi"))["kind"] == "call"


# streams


def merged(chunks: Any) -> AIMessageChunk:
    whole = None
    for chunk in chunks:
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


@pytest.mark.parametrize("route", ["small", "large"])
def test_a_stream_is_stored_and_served_like_a_call(route: str) -> None:
    model = router()
    config: Any = {"configurable": {"lecmux_route": route}}
    streamed = merged(model.stream("tell me", config))
    assert told(streamed)["kind"] == "call"
    assert told(streamed)["cost"] > 0
    assert streamed.response_metadata["model_name"] == f"{route}-1"
    invoked = model.invoke("tell me", config)
    assert told(invoked)["kind"] == "hit"
    assert invoked.content == streamed.content
    assert calls(model) == 1
    plain = model.models[route].invoke("tell me")
    assert plain.text == invoked.text


def test_a_served_stream_has_the_chunks_it_first_came_in() -> None:
    model = router(models={"only": small(answer=lambda _: "one two three")})
    first = [chunk.content for chunk in model.stream("hi")]
    again = list(model.stream("hi"))
    assert [chunk.content for chunk in again] == first == ["one ", "two ", "three", ""]
    assert again[-1].chunk_position == "last"
    assert told(merged(again))["kind"] == "hit"
    assert merged(again).usage_metadata is not None
    assert merged(again).usage_metadata["total_tokens"] == 0  # type: ignore[index]
    assert len({chunk.id for chunk in again}) == 1
    assert calls(model) == 1


def test_long_chunks_are_kept_apart_too() -> None:
    words = ["x" * 500, "y", "z" * 80]
    model = router(models={"only": small(answer=lambda _: " ".join(words))})
    first = [chunk.content for chunk in model.stream("hi")]
    assert [chunk.content for chunk in model.stream("hi")] == first == [words[0] + " ", "y ", words[2], ""]
    assert calls(model) == 1


def test_a_called_answer_is_streamed_from_the_cache() -> None:
    model = router()
    called = model.invoke("hi")
    served = merged(model.stream("hi"))
    assert served.text == called.text
    assert calls(model) == 1


async def test_async_streams_are_stored_and_served() -> None:
    model = router(models={"only": small(answer=lambda _: "one two three")})
    first = [chunk.content async for chunk in model.astream("hi")]
    again = [chunk async for chunk in model.astream("hi")]
    assert [chunk.content for chunk in again] == first
    assert told(merged(again))["kind"] == "hit"
    assert calls(model) == 1


def test_a_stream_that_was_left_early_is_not_stored() -> None:
    model = router(models={"only": small(answer=lambda _: "one two three")})
    stream = model.stream("hi")
    assert next(stream).content == "one "
    stream.close()  # type: ignore[attr-defined]
    assert told(model.invoke("hi"))["kind"] == "call"


async def test_an_async_stream_that_was_left_early_is_not_stored() -> None:
    model = router(models={"only": small(answer=lambda _: "one two three")})
    stream: Any = model.astream("hi")
    assert (await anext(stream)).content == "one "
    await stream.aclose()
    assert told(await model.ainvoke("hi"))["kind"] == "call"


class BreaksOff(OfflineToolChat):
    """A stream that ends in the middle with an error."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("half"))
        raise ConnectionError("cut")


def test_a_stream_that_broke_off_is_not_stored() -> None:
    model = router(models={"only": BreaksOff()})
    seen = []
    with pytest.raises(ConnectionError):
        for chunk in model.stream("hi"):
            seen.append(chunk.content)
    assert seen == ["half"]
    assert told(model.invoke("hi"))["kind"] == "call"


class Unmarked(OfflineToolChat):
    """A stream that does not say which chunk is the last."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for word in ("a ", "b"):
            yield ChatGenerationChunk(message=AIMessageChunk(word))


class Whole(OfflineToolChat):
    """A model that cannot stream."""

    disable_streaming: Any = True


@pytest.mark.parametrize("kind", [Unmarked, Whole])
def test_streams_of_any_kind_of_model(kind: type[OfflineToolChat]) -> None:
    model = router(models={"only": kind(answer=lambda _: "a b")})
    *_, last = model.stream("hi")
    assert "cost" in told(last)
    assert told(model.invoke("hi"))["kind"] == "hit"
    assert model.invoke("hi").text == "a b"


def test_nobody_waits_for_the_reader_of_a_stream() -> None:
    """A stream holds no claim: its reader may take its time, or forget it."""
    model = router()
    stream = model.stream("hi")
    next(stream)
    assert model.batch(["hi"])[0].text
    list(stream)


# tools and structured output


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest.mark.parametrize("route", ["small", "large"])
def test_tools_reach_each_model_in_its_own_shape(route: str) -> None:
    model = router()
    bound = model.bind_tools([add], tool_choice="any")
    config: Any = {"configurable": {"lecmux_route": route}}
    first, again = (bound.invoke("add 3 and 4", config) for _ in range(2))
    assert first.tool_calls[0]["args"] == again.tool_calls[0]["args"] == {"a": 3, "b": 4}
    assert first.tool_calls[0]["id"] != again.tool_calls[0]["id"]
    assert told(again)["kind"] == "hit"
    streamed = merged(bound.stream("add 3 and 4", config))
    assert streamed.tool_calls[0]["args"] == {"a": 3, "b": 4}
    assert calls(model) == 1


def test_a_changed_tool_is_another_key() -> None:
    model = router(models={"only": small()})
    model.bind_tools([add]).invoke("add 3 and 4")

    def add_more(a: int, b: int, c: int) -> int:
        """Adds two numbers."""
        return a + b + c

    add_more.__name__ = "add"
    model.bind_tools([add_more]).invoke("add 3 and 4")
    model.bind_tools([add], tool_choice="any").invoke("add 3 and 4")
    assert calls(model) == 3


class Own(OfflineToolChat):
    """A model with a method of its own for structured output."""

    def with_structured_output(self, schema: Any, *, include_raw: bool = False, **kwargs: Any) -> Any:
        assert kwargs == {"method": "json_schema"}

        def parse(message: AIMessage) -> Any:
            return schema(value=len(message.text))

        assert not include_raw
        return self.bind(ls_structured_output_format={"kwargs": {}, "schema": schema}) | parse


@pytest.mark.parametrize("route", ["small", "large"])
@pytest.mark.parametrize("include_raw", [False, True])
def test_structured_output_by_each_model(route: str, include_raw: bool) -> None:
    class Sum(BaseModel):
        """A sum."""

        a: int
        b: int

    def parsed_in(answer: Any) -> Any:
        return answer.get("parsed") if include_raw else answer

    model = router()
    chain: Any = model.with_structured_output(Sum, include_raw=include_raw)
    config: Any = {"configurable": {"lecmux_route": route}}
    for _ in range(2):
        assert parsed_in(chain.invoke("3 and 4", config)) == Sum(a=3, b=4)
        streamed = [parsed_in(chunk) for chunk in chain.stream("3 and 4", config)]
        assert [each for each in streamed if each is not None][-1] == Sum(a=3, b=4)
    assert calls(model) == 1


async def test_structured_output_awaited() -> None:
    class Sum(BaseModel):
        """A sum."""

        a: int

    model = router()
    chain: Any = model.with_structured_output(Sum)
    assert await chain.ainvoke("3") == Sum(a=3)
    assert [each async for each in chain.astream("3")][-1] == Sum(a=3)
    assert calls(model) == 1


def test_a_changed_schema_is_another_key() -> None:
    """LangChain's own key holds the name of the class alone."""
    model = router(models={"only": small()})

    def schema(fields: list[str]) -> Any:
        return type("Sum", (BaseModel,), {"__annotations__": dict.fromkeys(fields, int), "__doc__": "A sum."})

    for fields in (["a"], ["a", "b"]):
        model.with_structured_output(schema(fields)).invoke("3 and 4")
    assert calls(model) == 2


def test_a_models_own_method_for_structured_output_is_used() -> None:
    class Length(BaseModel):
        """A length."""

        value: int

    model = router(models={"own": Own(answer=lambda _: "four")})
    chain = model.with_structured_output(Length, method="json_schema")
    assert chain.invoke("hi") == Length(value=4)
    assert chain.invoke("hi") == Length(value=4)
    assert calls(model) == 1


def test_the_profile_is_what_all_models_can_do() -> None:
    one = small(profile={"tool_calling": True, "structured_output": True, "max_input_tokens": 100})
    other = large(profile={"tool_calling": True, "structured_output": False, "max_input_tokens": 50})
    model = router(models={"one": one, "other": other})
    assert model.profile == {"tool_calling": True, "structured_output": False, "max_input_tokens": 50}
    assert router().profile is None


class ByCharacter(OfflineToolChat):
    """Knows its own tokens."""

    characters: int = 1

    def get_token_ids(self, text: str) -> list[int]:
        return list(range(0, len(text), self.characters))


def test_tokens_are_counted_by_the_model_that_needs_most() -> None:
    model = router(models={"fine": ByCharacter(), "coarse": ByCharacter(characters=4)})
    messages = [HumanMessage("one two three"), HumanMessage("four")]
    assert model.get_num_tokens("one two") == len(model.get_token_ids("one two")) == len("one two")
    assert model.get_num_tokens_from_messages(messages) == ByCharacter().get_num_tokens_from_messages(
        messages
    )
    limit = model.get_num_tokens_from_messages(messages[1:])
    assert trim_messages(messages, max_tokens=limit, token_counter=model) == messages[1:]


@pytest.mark.parametrize("models", [{}, {"": small()}])
def test_models_that_cannot_be_chosen_among_are_refused(models: Any) -> None:
    with pytest.raises(ValueError, match="models"):
        router(models=models)


def test_a_mistyped_setting_is_refused_and_a_foreign_one_passes() -> None:
    with pytest.raises(ConfigError, match="did you mean 'price_of_wrong_seconds'"):
        router(price_of_wrong_second=30.0)
    assert router(timeout=3, api_key="none", max_retries=1).invoke("hi").text
