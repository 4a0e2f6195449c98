"""Another model answers where one fails, and a cascade asks a second where the first is not good enough."""

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from scripted_llm import ScriptedLLM

from lecmux import Cascade, Query, Reply
from lecmux.errors import ConfigError
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
