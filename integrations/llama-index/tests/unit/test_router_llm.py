"""RouterLLM: what it learns, stores, refuses and survives."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel
from scripted_llm import ScriptedLLM, router

from lecmux import AsyncCache, Cache, Hooks, Price
from lecmux.errors import ConfigError, PriceError
from lecmux.events import CacheHit, Route, Shadow
from lecmux.testing import FakeClock
from llama_index.llms.lecmux import RouterLLM

HELLO = [ChatMessage("hello there")]


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


def told(response: Any) -> dict[str, Any]:
    return response.additional_kwargs["lecmux"]


# learning


def test_it_learns_that_an_answer_was_wrong_and_asks_another_model() -> None:
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"), price_of_wrong_seconds=30.0)
    first = told(llm.chat(HELLO))

    assert llm.observe(first["id"], quality=0.0)
    second = told(llm.chat(HELLO))

    assert second["kind"] == "call"
    assert second["model"] != first["model"]


def test_a_quality_hook_judges_at_once() -> None:
    heard = []

    def quality(query: Any, reply: Any) -> float:
        heard.append((query.attributes["messages"], reply.value.text))
        return 0.0

    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"), quality=quality, price_of_wrong_seconds=9.0)

    assert [told(llm.chat(HELLO))["kind"] for _ in range(2)] == ["call", "call"]
    assert heard[0] == (HELLO, "you said: hello there")


def test_prices_make_costs_dollars() -> None:
    price = Price(input_usd_per_million=1e6, output_usd_per_million=2e6)
    llm = router(ScriptedLLM(), prices={"small": price})

    answer, again = told(llm.chat(HELLO)), told(llm.chat(HELLO))

    assert (answer["unit"], answer["cost"]) == ("usd", 2 * 1 + 4 * 2)
    assert (again["cost"], again["saved"]) == (0.0, 10.0)
    assert llm.cache.stats().saved_by_hits_usd == 10.0


def test_streams_are_priced_as_whole_answers_are() -> None:
    price = Price(input_usd_per_million=1e6, output_usd_per_million=2e6)
    llm = router(ScriptedLLM(), prices={"small": price})

    assert told(list(llm.stream_chat(HELLO))[-1])["cost"] == 10.0


def test_a_forced_route_is_obeyed_and_a_wrong_name_is_refused() -> None:
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"))

    assert [told(llm.chat([ChatMessage(str(n))], lecmux_route="large"))["model"] for n in range(3)] == [
        "large",
        "large",
        "large",
    ]
    with pytest.raises(ConfigError, match="'small', 'large'"):
        llm.chat(HELLO, lecmux_route="huge")
    with pytest.raises(ConfigError, match="'use', 'refresh', 'skip'"):
        llm.stream_chat(HELLO, lecmux_cache="never")


def test_in_shadow_the_baseline_answers_and_the_saving_is_noted() -> None:
    events: list[Any] = []
    cache = Cache(1_000_000, hooks=Hooks(listeners=[events.append]))
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"), cache=cache, shadow=True, baseline="large")

    answers = [told(llm.chat(HELLO)) for _ in range(3)]

    assert [each["model"] for each in answers] == ["large"] * 3
    noted = [event for event in events if isinstance(event, Shadow)]
    assert [(event.decision.kind, event.same) for event in noted][1:] == [("hit", True), ("hit", True)]
    assert not [event for event in events if isinstance(event, CacheHit)]


def test_what_was_learnt_and_stored_starts_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.lecmux"
    with router(ScriptedLLM(), path=path) as llm:
        llm.chat(HELLO)
    model = ScriptedLLM()
    with router(model, path=path) as again:
        answer = again.chat(HELLO)

    assert told(answer)["kind"] == "hit"
    assert answer.message.content == "you said: hello there"
    assert model.calls == []


async def test_it_explains_what_it_would_do_and_changes_nothing() -> None:
    model = ScriptedLLM()
    llm = router(model)
    before = llm.explain(HELLO)
    llm.chat(HELLO)
    stats = llm.cache.stats()

    assert (before.outcome, before.why, before.model) == ("call", "absent", "small")
    assert (llm.explain(HELLO).outcome, llm.explain(HELLO).why) == ("hit", "exact")
    assert llm.explain(HELLO, lecmux_cache="skip").why == "skip"
    assert llm.explain("hello there").why == "absent"
    assert (await llm.aexplain(HELLO)).outcome == "hit"
    assert llm.explain(HELLO, tools=[ADD]).why == "absent"
    assert llm.cache.stats() == stats
    assert len(model.calls) == 1


async def test_an_explained_call_with_tools_is_the_call_itself() -> None:
    llm = router(ScriptedLLM())
    llm.chat_with_tools([ADD], chat_history=[ChatMessage("2 and 3")])

    assert llm.explain([ChatMessage("2 and 3")], tools=[ADD]).why == "exact"


# what is stored


@pytest.mark.parametrize("reason", ["length", "content_filter", "MAX_TOKENS"])
@pytest.mark.parametrize("way", ["chat", "stream_chat"])
def test_a_truncated_answer_is_not_stored(way: str, reason: str) -> None:
    model = ScriptedLLM(finish_reason=reason)
    llm = router(model)
    for _ in range(2):
        answer = getattr(llm, way)(HELLO)
        assert list(answer)

    assert len(model.calls) == 2
    assert len(llm.cache) == 0


def test_a_stream_that_its_reader_leaves_stores_nothing_and_is_closed() -> None:
    closed = []

    class Long(ScriptedLLM):
        def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
            def gen() -> Any:
                try:
                    yield from self._pieces("one two three", messages)
                finally:
                    closed.append(True)

            return gen()

    llm = router(Long())
    stream = llm.stream_chat(HELLO)
    next(stream)
    stream.close()

    assert closed == [True]
    assert len(llm.cache) == 0


async def test_an_async_stream_that_its_reader_leaves_stores_nothing() -> None:
    llm = router(ScriptedLLM())
    stream = await llm.astream_chat(HELLO)
    await anext(stream)
    await stream.aclose()

    assert len(llm.cache) == 0


def test_a_stream_that_breaks_off_stores_nothing() -> None:
    class Breaks(ScriptedLLM):
        def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
            def gen() -> Any:
                yield self._pieces("one two three", messages)[0]
                raise ConnectionResetError("dropped")

            return gen()

    llm = router(Breaks())
    with pytest.raises(ConnectionResetError):
        list(llm.stream_chat(HELLO))

    assert len(llm.cache) == 0


def test_a_stream_without_a_chunk_is_handed_on_and_not_stored() -> None:
    class Silent(ScriptedLLM):
        def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
            return iter(())

    llm = router(Silent())

    assert list(llm.stream_chat(HELLO)) == []
    assert len(llm.cache) == 0


def test_an_answer_outside_the_schema_is_served_and_not_stored() -> None:
    class Odd(ScriptedLLM):
        def chat(self, messages: Any, **kwargs: Any) -> Any:
            answer = super().chat(messages, **kwargs)
            answer.additional_kwargs["handle"] = object()
            return answer

    llm = router(Odd())

    assert llm.chat(HELLO).message.content == "you said: hello there"
    assert len(llm.cache) == 0
    assert llm.cache.stats().incidents == 1


def test_a_question_without_a_stable_form_is_answered_without_the_cache(
    caplog: pytest.LogCaptureFixture,
) -> None:
    llm = router(ScriptedLLM())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            llm.chat([ChatMessage("hi", additional_kwargs={"handle": object()})])

    assert len(llm.cache) == 0
    assert sum("not cached" in record.message for record in caplog.records) == 1


def test_callers_cannot_change_what_others_are_served() -> None:
    llm = router(ScriptedLLM())
    first = llm.chat(HELLO)
    first.message.blocks[0].text = "changed after the call"
    second = llm.chat(HELLO)
    second.message.blocks[0].text = "changed after the hit"
    second.additional_kwargs.clear()

    assert llm.chat(HELLO).message.content == "you said: hello there"


def test_a_users_response_object_is_not_changed() -> None:
    kept = []

    class Keeps(ScriptedLLM):
        def chat(self, messages: Any, **kwargs: Any) -> Any:
            kept.append(super().chat(messages, **kwargs))
            return kept[-1]

    router(Keeps()).chat(HELLO)

    assert "lecmux" not in kept[0].additional_kwargs


def test_options_of_the_call_are_part_of_the_question() -> None:
    model = ScriptedLLM()
    llm = router(model)
    for temperature in (0.0, 0.5, 0.5):
        llm.chat(HELLO, temperature=temperature)

    assert len(model.calls) == 2


def test_a_persona_is_part_of_the_question() -> None:
    model = ScriptedLLM()
    llm = router(model)
    history = [ChatMessage("hi"), ChatMessage("hello", role="assistant")]
    for persona in ("a judge", "a pirate", "a judge"):
        asked = [ChatMessage(f"you are {persona}", role="system"), *history, ChatMessage("who are you?")]
        told(llm.chat(asked))

    assert len(model.calls) == 2
    assert told(llm.chat([asked[0], asked[-1]]))["kind"] == "call", "another history, another question"


def test_tools_are_part_of_the_question() -> None:
    def subtract(a: int, b: int) -> int:
        """Subtracts two numbers."""
        return a - b

    model = ScriptedLLM()
    llm = router(model)
    for tools in ([ADD], [FunctionTool.from_defaults(subtract)], []):
        llm.chat_with_tools(tools, user_msg="hello")

    assert len(model.calls) == 3


def test_two_pictures_are_two_questions() -> None:
    model = ScriptedLLM()
    llm = router(model)
    for byte in (b"\x00", b"\x01"):
        llm.chat([ChatMessage([ImageBlock(image=b"\x89PNG\r\n\x1a\n" + byte * 16)])])

    assert len(model.calls) == 2


def test_namespaces_and_tenants_are_apart() -> None:
    tenant = ["a"]
    cache = Cache(1_000_000, hooks=Hooks(scope=lambda query: tenant[0]))
    kinds = []
    for name, namespace in (("a", ""), ("b", ""), ("b", "other"), ("b", "")):
        tenant[0] = name
        kinds.append(told(router(ScriptedLLM(), cache=cache, namespace=namespace).chat(HELLO))["kind"])

    assert kinds == ["call", "call", "call", "hit"]


def test_an_old_answer_says_its_age() -> None:
    clock = FakeClock()
    llm = router(ScriptedLLM(), cache=Cache(1_000_000, clock=clock))
    llm.chat(HELLO)
    clock.advance(60)

    assert told(llm.chat(HELLO))["age_seconds"] == 60


def test_a_wrong_answer_can_be_forgotten() -> None:
    llm = router(ScriptedLLM())
    llm.chat(HELLO)

    assert llm.cache.forget(told(llm.chat(HELLO))["hit_id"])
    assert told(llm.chat(HELLO))["kind"] == "call"


# single flight


def test_equal_questions_at_once_make_one_call() -> None:
    started = threading.Barrier(8)

    def slow(messages: Any, tools: Any) -> str:
        pause.wait(0.2)
        return "done"

    pause = threading.Event()
    model = ScriptedLLM(script=slow)
    llm = router(model)

    def ask(_: int) -> str:
        started.wait()
        return str(llm.chat(HELLO).message.content)

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))

    assert answers == {"done"}
    assert len(model.calls) == 1


async def test_equal_questions_at_once_make_one_call_async() -> None:
    model = ScriptedLLM()
    llm = router(model, cache=AsyncCache(1_000_000))

    answers = await asyncio.gather(*(llm.achat(HELLO) for _ in range(64)))

    assert {answer.message.content for answer in answers} == {"you said: hello there"}
    assert len(model.calls) == 1


async def test_a_cancelled_call_stores_nothing_and_the_next_asks() -> None:
    gate = asyncio.Event()

    class Waits(ScriptedLLM):
        async def achat(self, messages: Any, **kwargs: Any) -> Any:
            self._calls.append(("achat", None))
            await gate.wait()
            return await super().achat(messages, **kwargs)

    model = Waits()
    llm = router(model)
    first = asyncio.create_task(llm.achat(HELLO))
    second = asyncio.create_task(llm.achat(HELLO))
    await asyncio.sleep(0.01)
    first.cancel()
    gate.set()

    assert (await second).message.content == "you said: hello there"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(llm.cache) == 1


# tools


def test_tools_go_to_models_that_take_them() -> None:
    small, large = ScriptedLLM(function_calling=False), ScriptedLLM(provider="other")
    llm = router(small, large)

    answers = [llm.chat_with_tools([ADD], user_msg=f"{n} and 1") for n in range(4)]

    assert [told(answer)["model"] for answer in answers] == ["large"] * 4


def test_tools_that_no_model_takes_are_refused() -> None:
    llm = router(ScriptedLLM(function_calling=False))

    with pytest.raises(ConfigError, match="is_function_calling_model"):
        llm.chat_with_tools([ADD], user_msg="2 and 3")
    with pytest.raises(ConfigError, match="calls tools"):
        llm.get_tool_calls_from_response(llm.chat(HELLO))


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


PROMPT = PromptTemplate("take {x} and {y}")


def test_structured_prediction_is_the_same_in_every_way() -> None:
    model = ScriptedLLM()
    llm = router(model)

    one = llm.structured_predict(Sum, PROMPT, x=2, y=3)
    other = asyncio.run(llm.astructured_predict(Sum, PROMPT, x=2, y=3))
    streamed = [list(llm.stream_structured_predict(Sum, PROMPT, x=2, y=3))[-1] for _ in range(2)]

    assert one == other == Sum(a=2, b=3)
    assert [each.model_dump() for each in streamed] == [{"a": 2, "b": 3}] * 2
    assert len(model.calls) == 2  # a stream does not require the tool, which makes it another question


def test_structured_prediction_is_served_from_the_cache() -> None:
    model = ScriptedLLM()
    llm = router(model)

    assert llm.structured_predict(Sum, PROMPT, x=2, y=3) == llm.structured_predict(Sum, PROMPT, x=2, y=3)
    assert llm.as_structured_llm(Sum).complete("take 4 and 5").raw == Sum(a=4, b=5)
    assert len(model.calls) == 2


def test_structured_prediction_takes_the_routers_own_words() -> None:
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"))

    for _ in range(2):
        llm.structured_predict(
            Sum, PROMPT, llm_kwargs={"lecmux_route": "large", "lecmux_cache": "skip"}, x=2, y=3
        )

    assert [len(model.calls) for model in llm.models.values()] == [0, 2]


# settings


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"models": {}}, ConfigError, "models must name at least one"),
        ({"models": [ScriptedLLM()]}, ConfigError, "models must name at least one"),
        ({"models": {"a": "gpt"}}, ConfigError, "'a' must be an LLM"),
        ({"models": {"a": ScriptedLLM()}, "cache": {}}, ConfigError, "cache must be a lecmux Cache"),
        ({"models": {"a": ScriptedLLM()}, "price": {}}, ConfigError, "did you mean 'prices'"),
        ({"models": {"a": ScriptedLLM()}, "baseline": "b"}, ConfigError, "no model 'b'"),
        ({"models": {"a": ScriptedLLM()}, "prices": {"b": Price.free()}}, PriceError, "prices for 'b'"),
        ({"models": {"a": ScriptedLLM()}, "price_of_wrong_usd": 1.0}, PriceError, "no price for 'a'"),
        ({"models": {"a": ScriptedLLM()}, "path": "/"}, ConfigError, "folder"),
    ],
    ids=range(9),
)
def test_settings_that_cannot_work_are_refused(settings: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        RouterLLM(**settings)


def test_a_cache_that_counts_in_another_unit_is_refused() -> None:
    cache = Cache(1_000_000)
    cache.put("key", "value", cost_usd=1.0)

    with pytest.raises(PriceError, match="counts costs in usd"):
        router(ScriptedLLM(), cache=cache)


def test_without_a_cache_every_question_is_a_call() -> None:
    model = ScriptedLLM()
    llm = router(model, cache=False)
    for _ in range(2):
        llm.chat(HELLO)

    assert len(model.calls) == 2


def test_two_routers_over_the_same_models_share_a_cache() -> None:
    cache, model = Cache(1_000_000), ScriptedLLM()
    router(model, cache=cache).chat(HELLO)

    assert told(router(model, cache=cache).chat(HELLO))["kind"] == "hit"


def test_listeners_of_the_cache_hear_of_routes_and_hits() -> None:
    events: list[Any] = []
    llm = router(ScriptedLLM(), cache=Cache(1_000_000, hooks=Hooks(listeners=[events.append])))
    llm.chat(HELLO)
    llm.chat(HELLO)

    assert [type(event) for event in events if isinstance(event, (Route, CacheHit))] == [Route, CacheHit]


def test_a_handler_with_a_budget_of_tokens_fails_no_hit() -> None:
    from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

    counter = TokenCountingHandler(tokenizer=str.split, token_budget=5)
    llm = router(ScriptedLLM(), callback_manager=CallbackManager([counter]))
    with pytest.raises(ValueError, match="budget"):
        llm.chat(HELLO)
    counter.token_budget = 100
    llm.chat(HELLO)
    counter.token_budget = 5

    assert told(llm.chat(HELLO))["kind"] == "hit"


@pytest.mark.parametrize("wrong", ["hi", None, 3, [{"role": "user", "content": "hi"}], ["hi"]])
async def test_messages_that_are_none_are_refused(wrong: Any) -> None:
    llm = RouterLLM(models={"a": ScriptedLLM()})

    for ask in (llm.chat, llm.stream_chat):
        with pytest.raises(ConfigError, match=r"messages must be a sequence of ChatMessage"):
            ask(wrong)
    with pytest.raises(ConfigError, match=r"messages must be a sequence of ChatMessage"):
        await llm.achat(wrong)


@pytest.mark.parametrize("wrong", [None, 3, ["hi"]])
def test_a_prompt_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="a prompt must be a str"):
        RouterLLM(models={"a": ScriptedLLM()}).complete(wrong)


def test_a_namespace_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="namespace must hold no lone surrogates"):
        RouterLLM(models={"a": ScriptedLLM()}, namespace="\ud800")
