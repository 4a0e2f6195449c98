"""A model behind an endpoint as an LLM of LlamaIndex, over HTTP, with a server that follows a script."""

import asyncio
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import TextBlock, ThinkingBlock, ToolCallBlock
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

pytest.importorskip("openai", reason="needs lecmux[openai]")

from lecmux import Reply, Usage
from lecmux.errors import ConfigError, ModelUnavailableError
from lecmux.models import OpenAICompatible, Timeouts
from lecmux.testing import Drop, Hang, ScriptedEndpoint, ScriptedModel
from lecmux.testing.endpoint import Line
from llama_index.llms.lecmux import OpenAICompatibleLLM, RouterLLM

QUESTION = [ChatMessage("What is the capital of France?")]
WAYS = ["chat", "achat", "stream_chat", "astream_chat"]
TOOLS = ["chat_with_tools", "achat_with_tools", "stream_chat_with_tools", "astream_chat_with_tools"]


class City(BaseModel):
    """A city."""

    name: str


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


def call(tool: str, **arguments: Any) -> Reply:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    calls = [{"id": "call_1", "type": "function", "function": function}]
    return Reply({"role": "assistant", "content": "", "tool_calls": calls}, Usage(5, 3))


class Served:
    """LLMs over endpoints that follow scripts."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def llm(self, *lines: Line, **settings: Any) -> tuple[OpenAICompatibleLLM, ScriptedEndpoint]:
        return self._over(ScriptedEndpoint(lines), **settings)

    def by_rule(self, rule: Any) -> tuple[OpenAICompatibleLLM, ScriptedEndpoint]:
        return self._over(ScriptedEndpoint(rule))

    def _over(
        self, endpoint: ScriptedEndpoint, **settings: Any
    ) -> tuple[OpenAICompatibleLLM, ScriptedEndpoint]:
        model = OpenAICompatible("m", base_url=endpoint.base_url, timeouts=Timeouts(connect_seconds=20))
        self._open += [model, endpoint]
        return OpenAICompatibleLLM(model=model, **settings), endpoint

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def last(llm: OpenAICompatibleLLM, way: str, *arguments: Any, **options: Any) -> Any:
    """The last piece of the answer, in one of the ways; deltas add up to its text."""

    async def awaited() -> list[Any]:
        result = await getattr(llm, way)(*arguments, **options)
        return [piece async for piece in result] if hasattr(result, "__aiter__") else [result]

    if way.startswith("a"):
        pieces = asyncio.run(awaited())
    else:
        result = getattr(llm, way)(*arguments, **options)
        pieces = list(result) if inspect.isgenerator(result) else [result]
    if len(pieces) > 1:
        assert "".join(piece.delta or "" for piece in pieces) == (pieces[-1].message.content or "")
    return pieces[-1]


@pytest.mark.parametrize("way", WAYS)
def test_text_thoughts_and_usage_in_every_way(served: Served, way: str) -> None:
    usage = Usage(12, 7, cached_input_tokens=8, reasoning_tokens=3)
    llm, _ = served.llm(Reply("It is Paris.", usage, "stop", "m-2026", "France, so Paris."))

    answer = last(llm, way, QUESTION)

    assert answer.message.blocks == [
        ThinkingBlock(content="France, so Paris."),
        TextBlock(text="It is Paris."),
    ]
    assert answer.raw["model"] == "m-2026"
    assert answer.raw["usage"]["prompt_tokens_details"] == {"cached_tokens": 8}
    assert answer.raw["usage"]["completion_tokens_details"] == {"reasoning_tokens": 3}
    assert (answer.additional_kwargs["prompt_tokens"], answer.additional_kwargs["completion_tokens"]) == (
        12,
        7,
    )


@pytest.mark.parametrize("way", TOOLS)
def test_tools_in_every_way(served: Served, way: str) -> None:
    llm, endpoint = served.llm(call("add", a=1, b=2))

    answer = last(llm, way, [ADD], user_msg="1 + 2", tool_required=True)

    assert [block.tool_kwargs for block in answer.message.blocks if isinstance(block, ToolCallBlock)] == [
        {"a": 1, "b": 2}
    ]
    body = endpoint.requests[0]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert body["tools"][0]["function"]["name"] == "add"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, None),
        ({"tool_required": True}, "required"),
        ({"tool_choice": "auto"}, "auto"),
        ({"tool_choice": "add"}, {"type": "function", "function": {"name": "add"}}),
    ],
    ids=str,
)
def test_the_choice_of_a_tool_is_sent(served: Served, given: dict[str, Any], sent: Any) -> None:
    llm, endpoint = served.llm(call("add", a=1, b=2))

    llm.chat_with_tools([ADD], user_msg="1 + 2", **given)

    assert endpoint.requests[0].get("tool_choice") == sent


def test_settings_of_a_call_are_sent(served: Served) -> None:
    llm, endpoint = served.llm("yes", max_tokens=9, temperature=0.5)

    llm.complete("hello", top_p=0.1, stop=["x"], max_tokens=3)

    body = endpoint.requests[0]
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["stop"]) == (3, 0.5, 0.1, ["x"])


def test_structured_prediction(served: Served) -> None:
    llm, endpoint = served.llm(call("City", name="Paris"))

    assert llm.as_structured_llm(City).complete("The capital of France?").raw == City(name="Paris")
    assert endpoint.requests[0]["tool_choice"] == "required"


async def test_an_agent_and_its_warm_second_run(served: Served) -> None:
    def rule(body: Mapping[str, Any]) -> Line:
        return "It is 3." if body["messages"][-1]["role"] == "tool" else call("add", a=1, b=2)

    llm, endpoint = served.by_rule(rule)
    agent = FunctionAgent(tools=[ADD], llm=RouterLLM(models={"m": llm}))

    said = [str(await agent.run("What is 1 + 2?")) for _ in range(2)]

    assert said == ["It is 3."] * 2
    assert len(endpoint.requests) == 2
    assert endpoint.requests[1]["messages"][-1]["content"] == "3"


async def test_a_stream_that_is_left_hangs_up(served: Served) -> None:
    llm, endpoint = served.llm(Hang(2))
    pieces = await llm.astream_chat(QUESTION)

    assert (await anext(pieces)).delta == "one "
    await pieces.aclose()  # type: ignore[attr-defined]

    assert await asyncio.to_thread(endpoint.wait_for_hang_up)


def test_a_stream_that_broke_off_is_a_typed_error(served: Served) -> None:
    llm, _ = served.llm(Drop(3))

    with pytest.raises(ModelUnavailableError):
        list(llm.stream_chat(QUESTION))


def test_another_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="OpenAICompatible"):
        OpenAICompatibleLLM(model=ScriptedModel(default="yes"))
