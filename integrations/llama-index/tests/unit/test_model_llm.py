"""ModelLLM: any model of lecmux as an LLM, awaited where it can be, on a thread where not."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from lecmux import Reply, Usage
from lecmux.errors import ConfigError
from llama_index.llms.lecmux import ModelLLM, RouterLLM
from llama_index.llms.lecmux.openai_form import openai_messages

HELLO = [ChatMessage("hello there")]


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


class Pieces:
    """A stream of words."""

    def __init__(self, reply: Reply) -> None:
        text = reply.value if isinstance(reply.value, str) else ""
        self._pieces = iter(piece + " " for piece in text.split())
        self._whole = reply
        self.reply: Reply | None = None
        self.closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        for piece in self._pieces:
            return piece
        self.reply = self._whole
        raise StopIteration

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        for piece in self:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Parrot:
    """Repeats the last message; calls a tool when it is offered one and asked for numbers."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked: list[tuple[Any, dict[str, Any]]] = []
        self.threads: set[int] = set()
        self.streams: list[Pieces] = []

    def chat(self, messages: Any, **options: Any) -> Reply:
        self.asked.append((messages, options))
        self.threads.add(threading.get_ident())
        said, usage = messages[-1]["content"], Usage(3, 2, 0.5)
        numbers = [int(word) for word in said.split() if word.isdigit()]
        if options.get("tools") and messages[-1]["role"] == "user" and numbers:
            function = {"name": "add", "arguments": json.dumps(dict(zip("ab", numbers, strict=False)))}
            if options["tools"][0]["function"]["name"] != "add":
                function["name"] = options["tools"][0]["function"]["name"]
            call = {"id": "call_1", "type": "function", "function": function}
            return Reply({"content": "", "tool_calls": [call]}, usage, "tool_calls", self.name)
        return Reply(f"{said} ", usage, "stop", self.name)

    def stream(self, messages: Any, **options: Any) -> Pieces:
        self.streams.append(Pieces(self.chat(messages, **options)))
        return self.streams[-1]

    def close(self) -> None:
        """There is nothing to free."""


class AwaitedParrot(Parrot):
    """The same, natively async."""

    async def achat(self, messages: Any, **options: Any) -> Reply:
        return self.chat(messages, **options)

    def astream(self, messages: Any, **options: Any) -> Pieces:
        return self.stream(messages, **options)

    async def aclose(self) -> None:
        """There is nothing to free."""


@pytest.fixture(params=[Parrot, AwaitedParrot])
def parrot(request: pytest.FixtureRequest) -> Iterator[Parrot]:
    yield request.param()


def test_every_way_gives_the_same_answer(parrot: Parrot) -> None:
    llm = ModelLLM(model=parrot)

    async def awaited() -> list[Any]:
        return [
            await llm.achat(HELLO),
            [piece async for piece in await llm.astream_chat(HELLO)][-1],
            await llm.acomplete("hello there"),
            [piece async for piece in await llm.astream_complete("hello there")][-1],
        ]

    answers = [
        llm.chat(HELLO),
        list(llm.stream_chat(HELLO))[-1],
        llm.complete("hello there"),
        list(llm.stream_complete("hello there"))[-1],
        *asyncio.run(awaited()),
    ]

    assert {getattr(each, "text", None) or each.message.content for each in answers} == {"hello there "}
    assert all(each.raw["usage"]["total_tokens"] == 5 for each in answers)
    assert all(stream.closed for stream in parrot.streams)


def test_streams_come_in_pieces() -> None:
    pieces = list(ModelLLM(model=Parrot()).stream_chat(HELLO))

    assert [piece.delta for piece in pieces] == ["hello ", "there ", ""]
    assert [piece.message.content for piece in pieces] == ["hello ", "hello there ", "hello there "]


async def test_only_a_model_that_cannot_be_awaited_runs_on_a_thread() -> None:
    plain, awaited = Parrot(), AwaitedParrot()
    for model in (plain, awaited):
        await ModelLLM(model=model).achat(HELLO)

    assert plain.threads.isdisjoint({threading.get_ident()})
    assert awaited.threads == {threading.get_ident()}


async def test_a_stream_that_its_reader_leaves_is_closed(parrot: Parrot) -> None:
    stream = await ModelLLM(model=parrot).astream_chat(HELLO)
    await anext(stream)
    await stream.aclose()
    for _ in range(10):  # the framework's wrapper leaves closing what is inside to the event loop
        await asyncio.sleep(0)
    whole = ModelLLM(model=parrot).stream_chat(HELLO)
    next(whole)
    whole.close()

    assert [each.closed for each in parrot.streams] == [True, True]


def test_settings_reach_the_model_and_a_call_overrides_them() -> None:
    parrot = Parrot()
    llm = ModelLLM(model=parrot, max_tokens=5, temperature=0.5, seed=1, stop=("x",))
    llm.chat(HELLO, max_tokens=9)

    assert parrot.asked[0][1] == {"max_tokens": 9, "temperature": 0.5, "seed": 1, "stop": ("x",)}
    assert llm.metadata.model_name == "parrot"
    assert llm.metadata.num_output == 5


def test_it_calls_tools(parrot: Parrot) -> None:
    llm = ModelLLM(model=parrot)

    answer = llm.chat_with_tools([ADD], user_msg="add 2 and 3")

    call = llm.get_tool_calls_from_response(answer)[0]
    assert (call.tool_name, call.tool_kwargs, call.tool_id) == ("add", {"a": 2, "b": 3}, "call_1")
    assert str(llm.predict_and_call([ADD], user_msg="add 2 and 3")) == "5"
    with pytest.raises(ValueError, match="called no tool"):
        llm.get_tool_calls_from_response(llm.chat(HELLO))


async def test_an_agent_on_it(parrot: Parrot) -> None:
    agent = FunctionAgent(tools=[ADD], llm=RouterLLM(models={"parrot": parrot}))

    assert str(await agent.run("add 20 and 22")) == str(await agent.run("add 20 and 22")) == "42 "
    assert len(parrot.asked) == 2


class Sum(BaseModel):
    """Two numbers."""

    a: int
    b: int


def test_structured_prediction() -> None:
    llm = ModelLLM(model=Parrot())
    prompt = PromptTemplate("take {x} and {y}")

    assert llm.structured_predict(Sum, prompt, x=2, y=3) == Sum(a=2, b=3)
    assert list(llm.stream_structured_predict(Sum, prompt, x=2, y=3))[-1].model_dump() == {"a": 2, "b": 3}


def test_arguments_that_are_no_object_are_no_call() -> None:
    class Confused(Parrot):
        def chat(self, messages: Any, **options: Any) -> Reply:
            calls = [{"id": "", "function": {"name": "add", "arguments": text}} for text in ("[1]", "{", "")]
            return Reply({"content": "hm", "tool_calls": calls})

    answer = ModelLLM(model=Confused()).chat(HELLO)

    assert [type(block).__name__ for block in answer.message.blocks] == ["TextBlock", "ToolCallBlock"]


def test_tokens_are_counted_once() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    ModelLLM(model=Parrot(), callback_manager=CallbackManager([counter])).complete("hello there")

    assert [each.total_token_count for each in counter.llm_token_counts] == [5]


def test_something_else_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be a lecmux\.models\.Model"):
        ModelLLM(model="gpt")


def test_messages_in_the_openai_form() -> None:
    pixel = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
    call = ToolCallBlock(tool_call_id="c", tool_name="add", tool_kwargs={"a": 1})
    said = openai_messages(
        [
            ChatMessage("be kind", role="system"),
            ChatMessage([TextBlock(text="see"), ImageBlock(url="https://example.org/a.png", detail="low")]),
            ChatMessage([ImageBlock(image=pixel), AudioBlock(audio=b"sound", format="mp3")]),
            ChatMessage(
                [DocumentBlock(data=b"%PDF-1.4", title="t.pdf", document_mimetype="application/pdf")]
            ),
            ChatMessage(role="assistant", blocks=[ThinkingBlock(content="hm"), TextBlock(text="x"), call]),
            ChatMessage("3", role="tool", additional_kwargs={"tool_call_id": "c"}),
            ChatMessage("ok", role="chatbot"),
        ]
    )

    assert said[0] == {"role": "system", "content": "be kind"}
    assert said[1]["content"][1]["image_url"] == {"url": "https://example.org/a.png", "detail": "low"}
    assert said[2]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert said[2]["content"][1]["input_audio"]["format"] == "mp3"
    assert said[3]["content"][0]["file"]["filename"] == "t.pdf"
    assert said[4]["content"] == "x"
    assert said[4]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1}'}
    assert said[5] == {"role": "tool", "content": "3", "tool_call_id": "c"}
    assert said[6]["role"] == "assistant"


def test_a_block_without_an_openai_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="VideoBlock"):
        openai_messages([ChatMessage([VideoBlock(video=b"film")])])
