"""Every way to ask gives the same answer: sync or async, whole or streamed, cold or warm."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import LLM, ChatMessage
from llama_index.core.tools import FunctionTool
from scripted_llm import ScriptedLLM, router

from llama_index.llms.lecmux import ModelLLM, RouterLLM

QUESTION = [ChatMessage(role="system", content="be kind"), ChatMessage("tell me about a cache")]
WAYS = ["chat", "achat", "stream_chat", "astream_chat"]
COMPLETIONS = ["complete", "acomplete", "stream_complete", "astream_complete"]
TOOLS = ["chat_with_tools", "achat_with_tools", "stream_chat_with_tools", "astream_chat_with_tools"]


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


def asked(llm: LLM, way: str, *arguments: Any, **options: Any) -> list[Any]:
    """Every piece of the answer, in one of the ways."""

    async def awaited() -> list[Any]:
        result = await getattr(llm, way)(*arguments, **options)
        return [piece async for piece in result] if hasattr(result, "__aiter__") else [result]

    if way.startswith("a"):
        return asyncio.run(awaited())
    result = getattr(llm, way)(*arguments, **options)
    return list(result) if inspect.isgenerator(result) else [result]


def said(response: Any) -> Any:
    return getattr(response, "text", None) or response.message


def test_they_are_llms_of_the_framework() -> None:
    for kind in (RouterLLM, ModelLLM):
        assert BaseLLM.__name__ in [parent.__name__ for parent in kind.__mro__]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_goes_through_the_same_method_of_the_model(way: str) -> None:
    model = ScriptedLLM()

    asked(router(model), way, QUESTION)

    assert [method for method, _ in model.calls] == [way]


@pytest.mark.parametrize("way", COMPLETIONS)
def test_a_completion_goes_through_the_same_method_of_the_model(way: str) -> None:
    model = ScriptedLLM()

    asked(router(model), way, "once upon a time")

    assert [method for method, _ in model.calls] == [way]


@pytest.mark.parametrize("way", WAYS)
def test_cold_the_answer_is_the_models_own(way: str) -> None:
    plain = asked(ScriptedLLM(thinks="hm, well"), way, QUESTION)
    routed = asked(router(ScriptedLLM(thinks="hm, well")), way, QUESTION)

    assert [each.message for each in routed] == [each.message for each in plain]
    assert [each.delta for each in routed] == [each.delta for each in plain]
    assert [each.raw for each in routed] == [each.raw for each in plain]


@pytest.mark.parametrize("warm", WAYS)
@pytest.mark.parametrize("cold", WAYS)
def test_warm_every_way_gives_the_same_answer_without_a_call(cold: str, warm: str) -> None:
    model = ScriptedLLM(thinks="hm, well")
    llm = router(model)
    first = asked(llm, cold, QUESTION)[-1]

    again = asked(llm, warm, QUESTION)[-1]

    assert len(model.calls) == 1
    assert again.message == first.message
    assert again.additional_kwargs["lecmux"]["kind"] == "hit"
    assert again.additional_kwargs["lecmux"]["usage"] == first.additional_kwargs["lecmux"]["usage"]


@pytest.mark.parametrize("warm", COMPLETIONS)
@pytest.mark.parametrize("cold", COMPLETIONS)
def test_warm_completions_are_the_same_in_every_way(cold: str, warm: str) -> None:
    model = ScriptedLLM()
    llm = router(model)
    first = asked(llm, cold, "once upon a time")[-1]

    again = asked(llm, warm, "once upon a time")[-1]

    assert len(model.calls) == 1
    assert again.text == first.text == "you said: once upon a time"
    assert again.additional_kwargs["lecmux"]["usage"] == {"input_tokens": 4, "output_tokens": 6}


@pytest.mark.parametrize("cold", ["stream_chat", "astream_chat"])
@pytest.mark.parametrize("warm", ["stream_chat", "astream_chat"])
def test_a_stream_is_replayed_in_its_original_pieces(cold: str, warm: str) -> None:
    llm = router(ScriptedLLM(thinks="hm, well"))
    first = [piece for piece in asked(llm, cold, QUESTION) if piece.delta or _thinking(piece)]

    again = asked(llm, warm, QUESTION)

    assert [(each.delta, _thinking(each)) for each in again] == [(e.delta, _thinking(e)) for e in first]
    assert [each.message.content for each in again] == [each.message.content for each in first]


def _thinking(response: Any) -> str | None:
    return response.additional_kwargs.get("thinking_delta")


def test_a_streamed_completion_is_replayed_in_its_original_pieces() -> None:
    llm = router(ScriptedLLM())
    first = asked(llm, "stream_complete", "once upon a time")

    again = asked(llm, "astream_complete", "once upon a time")

    assert [each.delta for each in again] == [each.delta for each in first if each.delta]
    assert [each.text for each in again] == [each.text for each in first if each.delta]


@pytest.mark.parametrize("warm", TOOLS)
@pytest.mark.parametrize("cold", TOOLS)
def test_tool_calls_are_the_same_in_every_way(cold: str, warm: str) -> None:
    model = ScriptedLLM()
    llm = router(model)
    first = asked(llm, cold, [ADD], user_msg="what is 2 and 3?")[-1]

    again = asked(llm, warm, [ADD], user_msg="what is 2 and 3?")[-1]

    assert len(model.calls) == 1
    one, other = (llm.get_tool_calls_from_response(each)[0] for each in (first, again))
    assert (
        (one.tool_name, one.tool_kwargs) == (other.tool_name, other.tool_kwargs) == ("add", {"a": 2, "b": 3})
    )
    assert one.tool_id != other.tool_id


@pytest.mark.parametrize("way", [*WAYS, *COMPLETIONS])
def test_the_decision_is_told_on_every_piece_and_its_cost_on_the_last(way: str) -> None:
    question: Any = "once upon a time" if way in COMPLETIONS else QUESTION

    pieces = asked(router(ScriptedLLM()), way, question)

    told = [piece.additional_kwargs["lecmux"] for piece in pieces]
    assert {each["id"] for each in told} == {told[0]["id"]}
    assert told[-1]["cost"] > 0
    assert all("cost" not in each for each in told[:-1])


@pytest.mark.parametrize("way", [*WAYS, *COMPLETIONS])
def test_a_failure_of_the_model_passes_through_and_stores_nothing(way: str) -> None:
    def fail(*_: Any) -> Any:
        return ZeroDivisionError("model down")

    llm = router(ScriptedLLM(script=fail))
    question: Any = "once upon a time" if way in COMPLETIONS else QUESTION

    with pytest.raises(ZeroDivisionError, match="model down"):
        asked(llm, way, question)

    assert len(llm.cache) == 0


def kinds(llm: LLM, way: str) -> Callable[..., list[str]]:
    return lambda **options: [
        piece.additional_kwargs["lecmux"]["kind"] for piece in asked(llm, way, QUESTION, **options)
    ][-1:]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_can_refresh_or_skip_the_cache_and_force_its_route(way: str) -> None:
    small, large = ScriptedLLM(), ScriptedLLM(provider="other")
    ask = kinds(router(small, large), way)

    assert ask(lecmux_cache="skip") == ["call"]
    assert ask(lecmux_route="large") == ["call"]
    assert ask() == ["hit"]
    assert ask(lecmux_route="small") == ["call"]
    assert ask(lecmux_cache="refresh") == ["call"]
    assert ask() == ["hit"]


def question_of(way: str) -> tuple[list[Any], dict[str, Any]]:
    """Arguments for one of the ways."""
    if way in TOOLS:
        return [[ADD]], {"user_msg": "what is 2 and 3?"}
    return ["once upon a time" if way in COMPLETIONS else QUESTION], {}


@pytest.mark.parametrize("way", [*WAYS, *COMPLETIONS, *TOOLS])
def test_every_way_tells_its_events_once_and_counts_its_tokens_once(way: str, heard: list[Any]) -> None:
    def told(llm: LLM) -> list[str]:
        heard.clear()
        arguments, options = question_of(way)
        asked(llm, way, *arguments, **options)
        names = [type(event).__name__ for event in heard]
        return [name for name in names if not any(part in name for part in ("Span", "InProgress"))]

    alone, routed = (TokenCountingHandler(tokenizer=str.split) for _ in range(2))
    plain = told(ScriptedLLM(callback_manager=CallbackManager([alone])))
    llm = router(ScriptedLLM(), callback_manager=CallbackManager([routed]))

    assert sorted(told(llm)) == sorted(["LECRouteEvent", *plain])
    assert sorted(told(llm)) == sorted(["LECCacheHitEvent", *plain])
    spent = [each.total_token_count for each in alone.llm_token_counts]
    assert [each.total_token_count for each in routed.llm_token_counts] == [*spent, 0]


@pytest.mark.parametrize("way", ["stream_chat", "astream_chat", "stream_complete", "astream_complete"])
def test_a_replayed_stream_tells_an_event_for_each_of_its_pieces(way: str, heard: list[Any]) -> None:
    llm = router(ScriptedLLM())
    asked(llm, way, *question_of(way)[0])
    heard.clear()

    pieces = asked(llm, way, *question_of(way)[0])

    assert sum("InProgress" in type(event).__name__ for event in heard) == len(pieces) > 1
