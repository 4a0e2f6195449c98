"""Streamed = plain: text, tools, reasoning and usage, cold and warm, in chunks, typed events and agents.

`Told` streams a script of chunks the way four kinds of provider do, and its `_generate` gives what they add
up to. So every cold answer has one right form, and every warm one must be that again, in the same pieces.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    message_chunk_to_message,
)
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from pydantic import PrivateAttr

from langchain_lecmux import ChatRouter, LECCache
from langchain_lecmux.plan import Plan
from langchain_lecmux.recording import packed_plan

pytestmark = pytest.mark.filterwarnings("ignore:.*beta")

typed_events = pytest.mark.skipif(
    not hasattr(BaseChatModel, "stream_events"), reason="this LangChain has no typed event streams"
)

USAGE = {
    "input_tokens": 7,
    "output_tokens": 9,
    "total_tokens": 16,
    "output_token_details": {"reasoning": 4},
}


def call(index: int, args: str, name: str | None = None) -> dict[str, Any]:
    call_id = f"call_{'ab'[index] * 24}" if name else None
    return {"name": name, "args": args, "id": call_id, "index": index, "type": "tool_call_chunk"}


def block(kind: str, text: str, index: int, **extra: Any) -> dict[str, Any]:
    return {"type": kind, kind: text, "index": index, **extra}


WORDS = ["Four", ", ", "of course", ". " * 60, "The end"]
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "text": [{"content": ""}, *({"content": word} for word in WORDS)],
    "text in blocks": [{"content": [block("text", word, 0)]} for word in WORDS],
    "a tool call": [
        {"content": "", "tool_call_chunks": [call(0, "", "add")]},
        *({"content": "", "tool_call_chunks": [call(0, part)]} for part in ('{"a"', ": 1,", ' "b": 2', "}")),
    ],
    "text and two tool calls at once": [
        {"content": "Let me "},
        {"content": "see."},
        {"content": "", "tool_call_chunks": [call(0, "", "add")]},
        {"content": "", "tool_call_chunks": [call(1, "", "add")]},
        {"content": "", "tool_call_chunks": [call(0, '{"a":')]},
        {"content": "", "tool_call_chunks": [call(1, '{"a":')]},
        {"content": "", "tool_call_chunks": [call(1, '3,"b":4}')]},
        {"content": "", "tool_call_chunks": [call(0, '1,"b":2}')]},
    ],
    "reasoning beside the text": [
        *({"content": "", "additional_kwargs": {"reasoning_content": word}} for word in ("2 and ", "2 is")),
        *({"content": word} for word in WORDS),
    ],
    "reasoning in blocks": [
        {"content": [block("reasoning", "2 and ", 0)]},
        {"content": [block("reasoning", "2 is", 0)]},
        {"content": [{"type": "reasoning", "extras": {"signature": "c2ln"}, "index": 0}]},
        *({"content": [block("text", word, 1)]} for word in WORDS),
    ],
    "thinking, text and a tool call of one provider": [
        {"content": [block("thinking", "hm", 0)]},
        {"content": [block("thinking", ", 4", 0)]},
        {"content": [{"type": "thinking", "signature": "c2ln", "index": 0}]},
        {"content": [block("text", "It is", 1)]},
        {"content": [block("text", " four", 1)]},
        {
            "content": [
                {"type": "tool_use", "id": "call_" + "a" * 24, "name": "add", "input": {}, "index": 2}
            ],
            "tool_call_chunks": [call(0, "", "add") | {"index": 2}],
        },
        *(
            {
                "content": [{"type": "input_json_delta", "partial_json": part, "index": 2}],
                "tool_call_chunks": [call(0, part) | {"index": 2}],
            }
            for part in ('{"a": 1', ', "b": 2}')
        ),
    ],
    "blocks without an index": [
        {"content": [{"type": "text", "text": "one"}]},
        {"content": [{"type": "text", "text": "two"}]},
    ],
    "a broken tool call": [
        {"content": "", "tool_call_chunks": [call(0, "", "add")]},
        {"content": "", "tool_call_chunks": [call(0, '{"a": ')]},
        {"content": "", "tool_call_chunks": [call(0, "oops")]},
    ],
}
ADDS_UP = [name for name in SCRIPTS if name != "a broken tool call"]


class Told(BaseChatModel):
    """Streams its script."""

    script: list[dict[str, Any]]
    _calls: list[int] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "told"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"script": self.script}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(**kwargs)

    def _chunks(self) -> list[AIMessageChunk]:
        self._calls.append(1)
        return [
            *(AIMessageChunk(**part) for part in self.script),
            AIMessageChunk(
                content=[] if isinstance(self.script[0]["content"], list) else "",
                usage_metadata=USAGE,
                response_metadata={"finish_reason": "stop", "model_name": "told-1", "model_provider": "us"},
                chunk_position="last",
            ),
        ]

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        merged = message_chunk_to_message(add_ai_message_chunks(*self._chunks()))
        return ChatResult(generations=[ChatGeneration(message=merged)])

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for chunk in self._chunks():
            yield ChatGenerationChunk(message=chunk)

    async def _astream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks():
            yield ChatGenerationChunk(message=chunk)


def told(name: str) -> Told:
    return Told(script=SCRIPTS[name])


def routed(name: str, **settings: Any) -> tuple[Told, ChatRouter]:
    model = told(name)
    return model, ChatRouter(models={"only": model}, cache=LECCache(**settings))


def said(message: Any, *, ids: bool = False) -> dict[str, Any]:
    """What a message says; tool-call ids are new on every hit."""
    calls = [*message.tool_calls, *message.invalid_tool_calls]
    content, extra = str(message.content), str(message.additional_kwargs)
    if not ids:
        for call_id in {each["id"] for each in calls}:
            content, extra = content.replace(call_id, "ID"), extra.replace(call_id, "ID")
        calls = [{**each, "id": None} for each in calls]
    return {"content": content, "extra": extra, "calls": calls}


def merged(chunks: list[AIMessageChunk]) -> Any:
    return message_chunk_to_message(add_ai_message_chunks(*chunks))


def borders(chunks: list[AIMessageChunk]) -> list[Any]:
    """What each chunk says, the silent ones left out."""
    found: list[Any] = []
    for chunk in chunks:
        parts = [{**part, "id": part["id"] and "ID"} for part in chunk.tool_call_chunks]
        content: Any = chunk.content
        if isinstance(content, list):
            content = [{**each, "id": "ID"} if "id" in each else each for each in content]
        if content or parts or chunk.additional_kwargs:
            found.append((content, parts, chunk.additional_kwargs))
    return found


async def streamed(model: Any, awaited: bool, question: str = "hi") -> list[AIMessageChunk]:
    if awaited:
        return [chunk async for chunk in model.astream(question)]
    return list(model.stream(question))


# chunks


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_stream_says_what_a_plain_call_says_cold_and_warm(name: str, awaited: bool) -> None:
    plain = told(name).invoke("hi")
    model, router = routed(name)
    cold = await streamed(router, awaited)
    warm = await streamed(router, awaited)
    served = router.invoke("hi")
    assert said(merged(cold), ids=True) == said(plain, ids=True)
    assert said(merged(warm)) == said(served) == said(plain)
    assert merged(cold).usage_metadata == plain.usage_metadata
    assert merged(warm).usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    assert merged(warm).response_metadata["lecmux"]["usage"] == USAGE
    assert len(model._calls) == 1


@pytest.mark.parametrize("name", ADDS_UP)
async def test_a_served_stream_has_the_borders_it_came_with(name: str) -> None:
    _, router = routed(name)
    cold, warm = await streamed(router, False), await streamed(router, False)
    again = await streamed(router, True)
    assert borders(cold) == borders(warm) == borders(again)
    assert len(borders(cold)) > 1
    assert warm[-1].chunk_position == "last"
    assert sum(chunk.usage_metadata is not None for chunk in warm) == 1
    assert len({chunk.id for chunk in warm}) == 1
    assert warm[0].id != cold[0].id


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("listening", [False, True])
@pytest.mark.parametrize("name", ["text", "text in blocks", "a tool call"])
async def test_the_first_chunk_tells_the_decision_and_the_last_what_it_came_to(
    name: str, listening: bool, awaited: bool
) -> None:
    _, router = routed(name)
    model: Any = router.with_config(callbacks=[RunCollectorCallbackHandler()]) if listening else router
    for kind in ("call", "hit"):
        seen = await streamed(model, awaited)
        told = [chunk.response_metadata.get("lecmux", {}) for chunk in seen]
        assert (told[0]["kind"], told[0]["model"]) == (kind, "only")
        assert not any(told[1:-1])
        assert {"cost", "saved"} <= told[-1].keys()
        assert not told[0].keys() & told[-1].keys()
    whole = merged(seen).response_metadata["lecmux"]
    assert whole == told[0] | told[-1]
    assert whole.keys() == router.invoke("hi").response_metadata["lecmux"].keys()


def test_served_tool_calls_have_ids_of_their_own_in_every_chunk() -> None:
    name = "thinking, text and a tool call of one provider"
    _, router = routed(name)
    cold, warm = list(router.stream("hi")), list(router.stream("hi"))
    old, new = merged(cold).tool_calls[0]["id"], merged(warm).tool_calls[0]["id"]
    assert old != new
    assert old not in str(warm)
    _, router = routed(name, renew_tool_call_ids=False)
    assert {merged(list(router.stream("hi"))).tool_calls[0]["id"] for _ in range(2)} == {old}


@pytest.mark.parametrize("name", SCRIPTS)
def test_with_listeners_a_served_stream_is_the_same(name: str) -> None:
    _, router = routed(name)
    config: Any = {"callbacks": [RunCollectorCallbackHandler()]}
    cold, warm = list(router.stream("hi", config)), list(router.stream("hi", config))
    assert said(merged(warm)) == said(merged(cold))
    if name in ADDS_UP:
        assert borders(warm) == borders(cold)


def test_a_plan_that_would_weigh_more_than_its_answer_is_left_out() -> None:
    deltas = [{"content": [{"type": "image", "url": "u" * 40, "index": place}]} for place in range(400)]
    message = AIMessage("short")
    assert Plan("chunks", deltas).packed(message) is None
    assert packed_plan(Plan("chunks", [{"content": "sho"}]), message) is None
    assert packed_plan(Plan("chunks", [{"additional_kwargs": {"raw": b"x"}}]), message) is None


def test_a_plan_costs_about_a_byte_a_chunk() -> None:
    words = [f"word{place} " for place in range(500)]
    message = AIMessage([block("text", "".join(words), 0)])
    plan = Plan("chunks", [{"content": [block("text", word, 0)]} for word in words])
    packed = packed_plan(plan, message)
    assert len(str(packed)) < 700
    assert Plan.stored(packed).of(message) == plan.deltas  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "runs",
    [None, 7, [[]], [[{}, [["a", "b"]], ["is", "x"], "#"]], [["x"]], [[{}, [[]], ["at", ["none"]], None]]],
)
def test_a_stored_plan_that_does_not_fit_is_left_aside(runs: Any) -> None:
    from langchain_lecmux.generated import Generated
    from langchain_lecmux.replay import StoredAnswer, chunks

    for kind in ("chunks", "events"):
        answer = Generated(
            (ChatGeneration(message=AIMessage("four", id="x")),),
            plan=Plan.stored({"kind": kind, "runs": runs}),
        )
        assert merged(list(chunks(answer))).text == "four"
        assert type(StoredAnswer.of(answer)) is StoredAnswer
    assert Plan.stored({"kind": "else"}) is None


# typed events


def typed(events: list[Any]) -> list[Any]:
    """The blocks of a typed stream, without what is new in every run."""
    kept = [event for event in events if event["event"].startswith("content-block")]
    return [_without_ids(event) for event in kept]


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "ID" if key == "id" else _without_ids(item) for key, item in value.items()}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


async def events_of(model: Any, awaited: bool) -> tuple[list[Any], Any]:
    if awaited:
        stream = await model.astream_events("hi", version="v3")
        return [event async for event in stream], await stream
    stream = model.stream_events("hi", version="v3")
    return list(stream), stream.output


@typed_events
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", ADDS_UP)
async def test_typed_events_are_replayed_as_they_came(name: str, awaited: bool) -> None:
    model, router = routed(name)
    direct, _ = await events_of(told(name), awaited)
    cold, first = await events_of(router, awaited)
    warm, second = await events_of(router, awaited)
    assert typed(direct) == typed(cold) == typed(warm)
    assert said(first) == said(second)
    assert [event["event"] for event in warm] == [event["event"] for event in cold]
    assert second.response_metadata["lecmux"]["kind"] == "hit"
    assert second.usage_metadata["total_tokens"] == 0
    assert second.id != first.id
    assert len(model._calls) == 1


# agents: models that stream because their graph does


@typed_events  # without them, a stored answer reaches an agent's stream in one piece
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", ["text", "text in blocks", "reasoning beside the text"])
async def test_an_agents_tokens_come_in_the_same_pieces_warm(name: str, awaited: bool) -> None:
    model, router = routed(name)
    agent = create_agent(router, [])
    runs = []
    for _ in range(2):
        asked: Any = {"messages": [HumanMessage("hi")]}
        if awaited:
            seen = [chunk async for chunk, _ in agent.astream(asked, stream_mode="messages")]
        else:
            seen = [chunk for chunk, _ in agent.stream(asked, stream_mode="messages")]
        runs.append(borders([chunk for chunk in seen if isinstance(chunk, AIMessageChunk)]))
    assert runs[0] == runs[1]
    assert len(runs[0]) > 2
    assert len(model._calls) == 1


@typed_events
def test_a_plain_call_after_an_agents_typed_stream_has_plain_content() -> None:
    model, router = routed("text")
    agent = create_agent(router, [])
    for _ in range(2):
        stream = agent.stream_events({"messages": [HumanMessage("hi")]}, version="v3")
        texts = ["".join(message.text) for message in stream.messages]
        assert texts == ["".join(WORDS)]
    assert len(model._calls) == 1
    assert router.invoke("hi").content == "".join(WORDS)
