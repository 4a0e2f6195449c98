"""Another model answers where one fails, and a cascade asks a second where the first is not good enough."""

import asyncio
import threading
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseAsyncGen, ChatResponseGen
from pydantic import PrivateAttr
from scripted_llm import ScriptedLLM

from lecmux import Cascade, Query, Reply
from lecmux.errors import ConfigError, ModelTimeoutError
from llama_index.llms.lecmux import RouterLLM

ARM = "small then large"
HELLO = [ChatMessage(role="user", content="hello")]
WAYS = ["chat", "achat", "stream_chat", "astream_chat"]


def _says(said: Any) -> ScriptedLLM:
    return ScriptedLLM(script=lambda messages, tools: said)


def _router(small: Any, *, good: bool | None = None, **settings: Any) -> RouterLLM:
    def check(request: Query, reply: Reply) -> bool:
        assert reply.value.response.message.content == "of the small model"
        return bool(good)

    if good is not None:
        settings["arms"] = [Cascade("small", "large", check=check)]
    return RouterLLM(models={"small": _says(small), "large": _says("of the large model")}, **settings)


async def _ask(router: RouterLLM, way: str, **options: Any) -> ChatResponse:
    if way == "chat":
        return router.chat(HELLO, **options)
    if way == "achat":
        return await router.achat(HELLO, **options)
    if way == "stream_chat":
        return list(router.stream_chat(HELLO, **options))[-1]
    return [chunk async for chunk in await router.astream_chat(HELLO, **options)][-1]


@pytest.mark.parametrize("way", WAYS)
async def test_another_model_answers_where_one_fails(way: str) -> None:
    router = _router(OSError("down"))

    response = await _ask(router, way)

    told = response.additional_kwargs["lecmux"]
    assert response.message.content == "of the large model"
    assert (told["model"], told["reason"], told["failed"]) == ("large", "fallback", ["small"])
    assert router.chat(HELLO).additional_kwargs["lecmux"]["kind"] == "hit"


@pytest.mark.parametrize("way", WAYS)
async def test_without_fallback_the_failure_is_raised(way: str) -> None:
    with pytest.raises(OSError, match="down"):
        await _ask(_router(OSError("down"), fallback=False), way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("good", [True, False])
async def test_a_cascade_gives_the_answer_that_passed(way: str, *, good: bool) -> None:
    router = _router("of the small model", good=good)

    response = await _ask(router, way, lecmux_route=ARM)

    chosen = "small" if good else "large"
    told = response.additional_kwargs["lecmux"]
    assert response.message.content == f"of the {chosen} model"
    assert (told["model"], told["arm"]) == (chosen, ARM)
    assert told["cost"] > 0.0


def test_a_route_that_is_no_arm_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match=f"'small', 'large', '{ARM}'"):
        _router("of the small model", good=True).chat(HELLO, lecmux_route="huge")


# time limits


class Hangs(ScriptedLLM):
    """Answers only when it is let go; a stream after its first chunk, where `late` is set."""

    late: bool = False
    _let_go: threading.Event = PrivateAttr(default_factory=threading.Event)

    def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        assert self._let_go.wait(30)
        return super().chat(messages, **kwargs)

    async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
        await asyncio.sleep(30)
        raise AssertionError("it was not cancelled")

    def stream_chat(self, messages: Any, **kwargs: Any) -> ChatResponseGen:
        chunks = self._pieces("one two", messages)
        if self.late:
            yield chunks[0]
        assert self._let_go.wait(30)
        yield from chunks

    async def astream_chat(self, messages: Any, **kwargs: Any) -> ChatResponseAsyncGen:
        async def chunks() -> ChatResponseAsyncGen:
            if self.late:
                yield self._pieces("one two", messages)[0]
            await asyncio.sleep(30)
            raise AssertionError("it was not cancelled")

        return chunks()


def _hanging(slow: Hangs, **settings: Any) -> RouterLLM:
    return RouterLLM(models={"small": slow, "large": _says("of the large model")}, **settings)


@pytest.mark.parametrize("way", WAYS)
async def test_another_model_answers_where_one_takes_too_long(way: str) -> None:
    slow = Hangs()
    response = await _ask(_hanging(slow, timeout_seconds=0.5), way)
    slow._let_go.set()

    told = response.additional_kwargs["lecmux"]
    assert response.message.content == "of the large model"
    assert (told["model"], told["failed"]) == ("large", ["small"])


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_takes_too_long_is_a_typed_error_and_stores_nothing(way: str) -> None:
    slow = Hangs(late=True)
    router = _hanging(slow, timeout_seconds=0.5, fallback=False)
    with pytest.raises(ModelTimeoutError, match="timeout_seconds"):
        await _ask(router, way)
    slow._let_go.set()

    assert router.explain(HELLO).outcome == "call"


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan")])
def test_a_limit_of_nothing_is_refused(wrong: float) -> None:
    with pytest.raises(ConfigError, match="timeout_seconds"):
        _router("x", timeout_seconds=wrong)


# events


@pytest.mark.parametrize("way", WAYS)
async def test_route_events_name_the_model_that_answered(way: str, heard: list[Any]) -> None:
    await _ask(_router(OSError("down")), way)

    routes = [event for event in heard if event.class_name() == "LECRouteEvent"]
    assert [(event.model, event.failed) for event in routes] == [("small", []), ("large", ["small"])]
    assert routes[1].reason == "fallback"
    assert len({event.decision_id for event in routes}) == 1


async def test_route_events_name_both_models_of_a_cascade(heard: list[Any]) -> None:
    await _ask(_router("of the small model", good=False), "chat", lecmux_route=ARM)

    assert [event.model for event in heard if event.class_name() == "LECRouteEvent"] == ["small", "large"]
