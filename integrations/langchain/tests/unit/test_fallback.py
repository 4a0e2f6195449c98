"""Another model answers where one fails, and a cascade asks a second where the first is not good enough."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from offline_model import OfflineToolChat
from pydantic import PrivateAttr

from langchain_lecmux import ChatRouter, LECCache, RunnableRouter
from lecmux import Cascade, Query, Reply
from lecmux.errors import ConfigError, ModelTimeoutError


class Broken(OfflineToolChat):
    """Fails after handing on `pieces` chunks."""

    pieces: int = 0

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise OSError("down")

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for _place in range(self.pieces):
            yield ChatGenerationChunk(message=AIMessageChunk("lost "))
        raise OSError("down")

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        return self._generate()

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream():
            yield chunk


def _router(small: Any, **settings: Any) -> ChatRouter:
    return ChatRouter(models={"small": small, "large": _model("large")}, cache=LECCache(), **settings)


def _model(name: str) -> OfflineToolChat:
    return OfflineToolChat(model=f"{name}-1", answer=lambda messages: f"of the {name} model")


def _told(message: BaseMessage) -> dict[str, Any]:
    told: dict[str, Any] = message.response_metadata["lecmux"]
    return told


def _whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


async def _ask(router: ChatRouter, way: str) -> AIMessage:
    if way == "invoke":
        return router.invoke("hello")
    if way == "ainvoke":
        return await router.ainvoke("hello")
    if way == "stream":
        return _whole(list(router.stream("hello")))  # type: ignore[arg-type]
    chunks: AsyncIterator[Any] = router.astream("hello")
    return _whole([chunk async for chunk in chunks])


WAYS = ["invoke", "ainvoke", "stream", "astream"]


@pytest.mark.parametrize("way", WAYS)
async def test_another_model_answers_where_one_fails(way: str) -> None:
    router = _router(Broken(model="small-1"))

    message = await _ask(router, way)

    assert message.content == "of the large model"
    told = _told(message)
    assert (told["model"], told["reason"], told["failed"]) == ("large", "fallback", ["small"])
    assert _told(router.invoke("hello"))["kind"] == "hit"


def test_a_stream_that_breaks_off_half_way_fails_and_stores_nothing() -> None:
    router = _router(Broken(model="small-1", pieces=2))

    chunks = router.stream("hello")
    assert next(chunks).content == "lost "
    with pytest.raises(OSError, match="down"):
        list(chunks)

    assert _told(router.invoke("hello"))["kind"] == "call"


@pytest.mark.parametrize("way", WAYS)
async def test_without_fallback_the_failure_is_raised(way: str) -> None:
    with pytest.raises(OSError, match="down"):
        await _ask(_router(Broken(model="small-1"), fallback=False), way)


TYPED = pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="this LangChain has none")
EVENTS = ["stream_events", "astream_events"]


async def _typed(router: Any, way: str) -> tuple[list[Any], AIMessage]:
    """Every event, and the message they amount to."""
    if way == "stream_events":
        stream = router.stream_events("hello", version="v3")
        return list(stream), stream.output
    stream = await router.astream_events("hello", version="v3")
    return [event async for event in stream], await stream


@TYPED
@pytest.mark.parametrize("way", EVENTS)
async def test_a_typed_event_stream_falls_back_before_its_first_event(way: str) -> None:
    router = _router(Broken(model="small-1"))

    events, message = await _typed(router, way)

    told = _told(message)
    assert message.text == "of the large model"
    assert (told["model"], told["reason"], told["failed"]) == ("large", "fallback", ["small"])
    assert [event["event"] for event in events].count("message-start") == 1
    assert _told((await _typed(router, way))[1])["kind"] == "hit"


@TYPED
@pytest.mark.parametrize("way", EVENTS)
async def test_a_typed_event_stream_that_breaks_off_later_fails_and_stores_nothing(way: str) -> None:
    router = _router(Broken(model="small-1", pieces=2))

    with pytest.raises(OSError, match="down"):
        await _typed(router, way)

    assert router.explain("hello").outcome == "call"


@TYPED
@pytest.mark.parametrize("way", EVENTS)
async def test_where_all_fail_a_typed_event_stream_raises_the_first_error(way: str) -> None:
    models = {"small": Broken(model="small-1"), "large": Broken(model="large-1")}

    with pytest.raises(OSError, match="down") as caught:
        await _typed(ChatRouter(models=models, cache=False), way)

    assert ["'large' failed too" in note for note in caught.value.__notes__] == [True]


@TYPED
@pytest.mark.parametrize("way", EVENTS)
async def test_a_forced_typed_event_stream_asks_one_model_and_fails_with_it(way: str) -> None:
    router = _router(Broken(model="small-1")).with_config(configurable={"lecmux_route": "small"})

    with pytest.raises(OSError, match="down"):
        await _typed(router, way)


@TYPED
@pytest.mark.parametrize("way", EVENTS)
@pytest.mark.parametrize("good", [True, False])
async def test_a_cascade_gives_the_events_of_the_answer_that_passed(way: str, *, good: bool) -> None:
    router = _cascading(good=good).with_config(configurable={"lecmux_route": "small then large"})

    events, message = await _typed(router, way)

    chosen = "small" if good else "large"
    assert message.text == f"of the {chosen} model"
    assert (_told(message)["model"], _told(message)["arm"]) == (chosen, "small then large")
    assert [event["event"] for event in events].count("message-start") == 1


@TYPED
@pytest.mark.parametrize("way", EVENTS)
async def test_a_refused_answer_is_given_back_as_events_where_the_second_fails(way: str) -> None:
    arms = [Cascade("small", "large", check=lambda request, reply: False)]
    models = {"small": _model("small"), "large": Broken(model="large-1")}
    router = ChatRouter(models=models, cache=LECCache(), arms=arms)

    _, message = await _typed(router.with_config(configurable={"lecmux_route": "small then large"}), way)

    assert message.text == "of the small model"
    assert (_told(message)["model"], _told(message)["failed"]) == ("small", ["large"])
    assert router.explain("hello").outcome == "call", "a refused answer is not stored"


def _cascading(*, good: bool) -> ChatRouter:
    def check(request: Query, reply: Reply) -> bool:
        assert request.attributes["messages"][0].content == "hello"
        return good and reply.value.text == "of the small model"

    return _router(_model("small"), arms=[Cascade("small", "large", check=check)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("good", [True, False])
async def test_a_cascade_gives_the_answer_that_passed(way: str, *, good: bool) -> None:
    router = _cascading(good=good).with_config(configurable={"lecmux_route": "small then large"})

    message = await _ask(router, way)  # type: ignore[arg-type]

    chosen = "small" if good else "large"
    assert message.content == f"of the {chosen} model"
    told = _told(message)
    assert told["model"] == chosen
    assert told["arm"] == "small then large"
    assert told["cost"] > 0.0


def test_a_route_that_is_no_arm_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there are small, large, small then large"):
        _cascading(good=True).invoke("hello", config={"configurable": {"lecmux_route": "huge"}})


# timeouts


class Hangs(OfflineToolChat):
    """Answers only when it is let go; a stream after `pieces` chunks."""

    pieces: int = 0
    _let_go: threading.Event = PrivateAttr(default_factory=threading.Event)

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        assert self._let_go.wait(30)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(30)
        raise AssertionError("it was not cancelled")

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        for _place in range(self.pieces):
            yield ChatGenerationChunk(message=AIMessageChunk("lost "))
        assert self._let_go.wait(30)
        yield from super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        for _place in range(self.pieces):
            yield ChatGenerationChunk(message=AIMessageChunk("lost "))
        await asyncio.sleep(30)
        raise AssertionError("it was not cancelled")


@pytest.mark.parametrize("way", WAYS)
async def test_another_model_answers_where_one_takes_too_long(way: str) -> None:
    slow = Hangs(model="small-1")
    router = _router(slow, timeout_seconds=0.5)
    told = _told(await _ask(router, way))
    assert (told["model"], told["failed"]) == ("large", ["small"])
    slow._let_go.set()
    assert _told(router.invoke("hello"))["model"] == "large"


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_takes_too_long_is_a_typed_error_and_stores_nothing(way: str) -> None:
    slow = Hangs(model="small-1")
    router = ChatRouter(models={"small": slow}, cache=LECCache(), timeout_seconds=0.5)
    with pytest.raises(ModelTimeoutError, match="timeout_seconds"):
        await _ask(router, way)
    slow._let_go.set()
    router.timeout_seconds = None
    assert _told(router.invoke("hello"))["kind"] == "call"


@pytest.mark.parametrize("way", WAYS)
async def test_a_runnable_that_takes_too_long_is_followed_by_another(way: str) -> None:
    slow = Hangs(model="small-1")
    router = RunnableRouter(
        runnables={"slow": slow, "fast": _model("large")}, cache=False, timeout_seconds=0.5
    )
    assert (await _ask(router, way)).content == "of the large model"  # type: ignore[arg-type]
    slow._let_go.set()


def test_a_timeout_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="timeout_seconds"):
        _router(_model("small"), timeout_seconds=0)


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_stands_still_half_way_fails_and_stores_nothing(way: str) -> None:
    slow = Hangs(model="small-1", pieces=2)
    router = _router(slow, timeout_seconds=0.5)
    with pytest.raises(ModelTimeoutError, match="stood still for timeout_seconds"):
        await _ask(router, way)
    slow._let_go.set()

    assert _told(router.invoke("hello"))["kind"] == "call"
