"""What callbacks, tracers, event streams and agents see of a ChatRouter: one model run a call, hit or not."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.globals import set_debug
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.tracers.context import collect_runs
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from offline_model import OfflineBlockChat, OfflineToolChat
from pydantic import BaseModel

from langchain_lecmux import ChatRouter, LECCache
from langchain_lecmux import chat_model as module


class Heard(BaseCallbackHandler):
    """Writes down what it is told."""

    run_inline = True

    def __init__(self) -> None:
        self.events: list[str] = []
        self.parents: dict[UUID, UUID | None] = {}
        self.options: list[Any] = []
        self.tokens: list[str] = []
        self.metadata: list[dict[str, Any]] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.events.append(f"chain {kwargs.get('name')}")
        self.parents[run_id] = kwargs.get("parent_run_id")

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.events.append("chain end")

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(f"chain {type(error).__name__}")

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.events.append("model")
        self.parents[run_id] = kwargs.get("parent_run_id")
        self.options.append(kwargs.get("options"))
        self.metadata.append(kwargs.get("metadata") or {})

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.events.append("model end")

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(f"model {type(error).__name__}")


WHOLE = ["chain ChatRouter", "model", "model end", "chain end"]


def router(**settings: Any) -> ChatRouter:
    models = {
        "small": OfflineToolChat(model="small-1", answer=lambda _: "one two"),
        **settings.pop("models", {}),
    }
    return ChatRouter(**{"models": models, "cache": LECCache(), **settings})


def calls(model: ChatRouter) -> int:
    return sum(inner.calls for inner in model.models.values())  # type: ignore[attr-defined]


def test_with_nobody_listening_there_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    open_run = module.open_run
    monkeypatch.setattr(module, "open_run", lambda *a: opened.append(open_run(*a)) or opened[-1])
    router().invoke("hi")
    assert [run.manager for run in opened] == [None]


@pytest.mark.parametrize("way", ["invoke", "stream", "batch"])
def test_a_call_and_a_hit_are_each_one_model_run_within_one_chain_run(way: str) -> None:
    model = router()
    for kind in ("call", "hit"):
        heard = Heard()
        config: Any = {"callbacks": [heard], "metadata": {"who": "me"}, "tags": ["t"]}
        if way == "invoke":
            model.invoke("hi", config)
        elif way == "batch":
            model.batch(["hi"], config)
        else:
            list(model.stream("hi", config))
        assert heard.events == WHOLE
        first, second = heard.parents
        assert heard.parents[second] == first
        assert heard.metadata[0]["who"] == "me"
        assert heard.metadata[0]["lecmux_kind"] == kind
        assert heard.metadata[0]["lecmux_model"] == "small"
    assert calls(model) == 1


@pytest.mark.parametrize("way", ["invoke", "stream"])
async def test_the_same_awaited(way: str) -> None:
    model = router()
    for _ in range(2):
        heard = Heard()
        if way == "invoke":
            await model.ainvoke("hi", {"callbacks": [heard]})
        else:
            async for _ in model.astream("hi", {"callbacks": [heard]}):
                pass
        assert heard.events == WHOLE
    assert calls(model) == 1


async def test_async_handlers_hear_hits() -> None:
    ended = []

    class Listens(AsyncCallbackHandler):
        async def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            ended.append(response.generations[0][0].text)

    model = router()
    for _ in range(2):
        await model.ainvoke("hi", {"callbacks": [Listens()]})
    assert ended == ["one two", "one two"]


def test_streamed_hits_give_their_tokens() -> None:
    model = router()
    for _ in range(2):
        heard = Heard()
        list(model.stream("hi", {"callbacks": [heard]}))
        assert [token for token in heard.tokens if token] == ["one ", "two"]


def test_usage_counts_once_and_never_for_a_hit() -> None:
    model = router(models={"large": OfflineBlockChat(model="large-1")})
    with get_usage_metadata_callback() as counted:
        answer = model.invoke("hi there")
        model.invoke("hi there")
        list(model.stream("hi there"))
    spent = sum(usage["total_tokens"] for usage in counted.usage_metadata.values())
    assert answer.usage_metadata is not None
    assert spent == answer.usage_metadata["total_tokens"]
    assert list(counted.usage_metadata) == [answer.response_metadata["model_name"]]


def test_a_failure_ends_both_runs() -> None:
    def fail(_: Any) -> str:
        raise ConnectionError

    model = router(models={"small": OfflineToolChat(answer=fail)})
    for ask in (model.invoke, lambda *a: list(model.stream(*a))):
        heard = Heard()
        with pytest.raises(ConnectionError):
            ask("hi", {"callbacks": [heard]})
        assert heard.events == ["chain ChatRouter", "model", "model ConnectionError", "chain ConnectionError"]


def test_a_stream_left_early_ends_its_runs() -> None:
    heard = Heard()
    stream: Any = router().stream("hi", {"callbacks": [heard]})
    next(stream)
    stream.close()
    assert heard.events == ["chain ChatRouter", "model", "model GeneratorExit", "chain GeneratorExit"]


def test_a_models_own_callbacks_and_rate_limiter_hold_for_calls_and_not_for_hits() -> None:
    waited = []

    class Limiter(BaseRateLimiter):
        def acquire(self, *, blocking: bool = True) -> bool:
            waited.append("sync")
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            waited.append("async")
            return True

    own = Heard()
    inner = OfflineToolChat(model="small-1", rate_limiter=Limiter(), callbacks=[own])
    model = router(models={"small": inner})
    for _ in range(2):
        model.invoke("hi")
    for _ in range(2):
        list(model.stream("hello"))
    assert waited == ["sync", "sync"]
    assert own.events == ["model", "model end"] * 2


def test_tracers_are_told_of_structured_output_on_hits_too() -> None:
    class Sum(BaseModel):
        """A sum."""

        a: int

    chain = router().with_structured_output(Sum)
    for _ in range(2):
        heard = Heard()
        chain.invoke("3", {"callbacks": [heard]})
        assert len(heard.options) == 1
        assert heard.options[0]["ls_structured_output_format"]["schema"]["title"] == "Sum"


def test_a_tracer_sees_the_model_that_answered() -> None:
    model = router()
    for _ in range(2):
        tracer = RunCollectorCallbackHandler()
        model.invoke("hi", {"callbacks": [tracer]})
        (root,) = tracer.traced_runs
        assert root.run_type == "chain"
        (child,) = root.child_runs
        assert child.run_type in {"llm", "chat_model"}
        assert child.outputs is not None
        assert child.outputs["generations"][0][0]["text"] == "one two"
    assert child.metadata["ls_provider"] == "lecmux"
    assert child.metadata["ls_model_name"] == "small-1"


# typed event streams

typed = pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="this LangChain has none")


@typed
def test_v3_streams_are_stored_and_served() -> None:
    model = router()
    texts = []
    for _ in range(2):
        stream: Any = model.stream_events("hi", version="v3")
        texts.append("".join(stream.text))
        message = stream.output
        assert message.text == "one two"
        assert message.response_metadata["model_name"] == "small-1"
    assert texts == ["one two", "one two"]
    assert calls(model) == 1
    facts = message.response_metadata["lecmux"]
    assert facts["kind"] == "hit"
    assert message.usage_metadata["total_tokens"] == 0


@typed
async def test_async_v3_streams_are_stored_and_served() -> None:
    model = router()
    for kind in ("call", "hit"):
        stream: Any = await model.astream_events("hi", version="v3")
        message = await stream
        assert message.response_metadata["lecmux"]["kind"] == kind
        assert message.text == "one two"
    assert calls(model) == 1


@typed
def test_v3_runs_are_one_model_run() -> None:
    model = router()
    for kind in ("call", "hit"):
        heard = Heard()
        stream: Any = model.stream_events("hi", {"callbacks": [heard]}, version="v3")
        assert stream.output.text == "one two"
        assert heard.metadata[0]["lecmux_kind"] == kind
        assert heard.events == ["model", "model end"]


class BreaksOff(OfflineToolChat):
    """A stream that ends in the middle with an error."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("half"))
        raise ConnectionError("cut")


@typed
def test_a_v3_stream_that_broke_off_or_was_never_read_is_not_stored() -> None:
    model = router(models={"small": BreaksOff(answer=lambda _: "whole")})
    broken: Any = model.stream_events("hi", version="v3")
    with pytest.raises(ConnectionError):
        list(broken)
    unread: Any = model.stream_events("hi", version="v3")
    del unread
    assert len(model.cache.store) == 0
    assert model.invoke("hi").text == "whole"


async def test_v2_events_of_a_hit_are_those_of_a_call() -> None:
    model = router()
    seen = []
    for _ in range(2):
        events = [event async for event in model.astream_events("hi", version="v2")]
        chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
        seen.append([chunk.content for chunk in chunks if chunk.content])
        assert [event["event"] for event in events if event["event"].endswith("_start")] == [
            "on_chain_start",
            "on_chat_model_start",
        ]
    assert seen == [["one ", "two"], ["one ", "two"]]
    assert calls(model) == 1


# agents


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest.mark.parametrize("kind", [OfflineToolChat, OfflineBlockChat])
def test_an_agent_over_a_router(kind: type[OfflineToolChat]) -> None:
    model = router(models={"small": kind(model="small-1")})
    agent = create_agent(model, [add], checkpointer=InMemorySaver())
    for thread in ("a", "b"):
        config: Any = {"configurable": {"thread_id": thread}}
        messages = agent.invoke({"messages": [HumanMessage("add 3 and 4")]}, config)["messages"]
        assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
        assert messages[2].content == "7"
        assert messages[2].tool_call_id == messages[1].tool_calls[0]["id"]
    assert calls(model) == 2


def test_an_agent_streams_messages_from_a_warm_cache() -> None:
    model = router()
    agent = create_agent(model, [])
    for _ in range(2):
        streamed = [
            chunk
            for chunk, _ in agent.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages")
            if isinstance(chunk, (AIMessage, AIMessageChunk))
        ]
        assert "".join(str(chunk.text) for chunk in streamed) == "one two"
    assert calls(model) == 1


def test_a_collector_around_the_call_sees_the_run_of_the_router() -> None:
    router = ChatRouter(models={"small": OfflineToolChat()}, cache=LECCache())
    with collect_runs() as collected:
        router.invoke("hello")
        router.invoke("hello")
    assert [run.name for run in collected.traced_runs if run.parent_run_id is None] == ["ChatRouter"] * 2


def test_debugging_prints_the_run_of_the_router(capsys: pytest.CaptureFixture[str]) -> None:
    router = ChatRouter(models={"small": OfflineToolChat()}, cache=False)
    set_debug(True)
    try:
        router.invoke("hello")
    finally:
        set_debug(False)
    assert "chain:ChatRouter" in capsys.readouterr().out


def test_a_handler_of_the_model_hears_of_a_call_that_nobody_else_hears() -> None:
    heard = Heard()
    router = ChatRouter(models={"small": OfflineToolChat(callbacks=[heard])}, cache=False)
    router.invoke("hello")
    assert heard.metadata[0]["lecmux_model"] == "small"


def test_callbacks_are_not_told_the_text_of_a_stored_answer_as_a_description_of_the_model() -> None:
    class Serialized(BaseCallbackHandler):
        run_inline = True

        def __init__(self) -> None:
            self.said: list[Any] = []

        def on_chat_model_start(self, serialized: Any, messages: Any, **_: Any) -> None:
            self.said.append(serialized)

    router = ChatRouter(models={"small": OfflineToolChat()}, cache=LECCache())
    heard = Serialized()
    for _ in range(2):
        router.invoke("hello", config={"callbacks": [heard]})
    assert heard.said[1]["name"] == "StoredAnswer"
    assert heard.said[1]["repr"] is None
