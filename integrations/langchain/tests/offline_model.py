"""Two chat models without a network: tools, structured output, streaming, usage, and a count of their calls.

They differ as two providers do. `OfflineToolChat` writes its content as a string, `OfflineBlockChat` as a
list of blocks with the tool calls among them, and each takes its tools in a shape of its own, so that tools
bound for one of them are of no use to the other.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr

Tool = dict[str, Any] | type | Callable[..., Any] | BaseTool


class OfflineToolChat(BaseChatModel):
    """Answers by rule: a tool's arguments are read off the question, any other question is echoed.

    `answer` replaces the echo, `finish_reason` what is reported of the end, `delay_seconds` the time a call
    takes.
    """

    model: str = "offline-tools"
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    stop: list[str] | None = None
    max_retries: int | None = None
    api_key: str | None = None
    streaming: bool = False
    n: int = 1
    answer: Callable[[list[BaseMessage]], str] | None = None
    finish_reason: str | None = "stop"
    delay_seconds: float = 0.0
    model_config = ConfigDict(arbitrary_types_allowed=True)
    _calls: list[str] = PrivateAttr(default_factory=list)

    @property
    def calls(self) -> int:
        """How often the model ran."""
        return len(self._calls)

    @property
    def _llm_type(self) -> str:
        return "offline-tools"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "temperature": self.temperature, "n": self.n}

    def bind_tools(
        self, tools: Sequence[Tool], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Binds tools in this provider's shape."""
        wanted = [self._tool(convert_to_openai_tool(tool)) for tool in tools]
        return self.bind(tools=wanted, **({"tool_choice": tool_choice} if tool_choice else {}), **kwargs)

    def _tool(self, tool: dict[str, Any]) -> dict[str, Any]:
        return tool

    def _schema(self, tool: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return tool["function"]["name"], tool["function"].get("parameters", {})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        made = [self._message(messages, stop, **kwargs) for _ in range(kwargs.get("n") or self.n)]
        return ChatResult(generations=[ChatGeneration(message=message) for message in made])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await asyncio.sleep(self.delay_seconds)
        made = [self._message(messages, stop, **kwargs) for _ in range(kwargs.get("n") or self.n)]
        return ChatResult(generations=[ChatGeneration(message=message) for message in made])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in self._chunks(self._message(messages, stop, **kwargs)):
            if self.delay_seconds:
                time.sleep(self.delay_seconds)
            made = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.text), chunk=made)
            yield made

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks(self._message(messages, stop, **kwargs)):
            await asyncio.sleep(self.delay_seconds)
            made = ChatGenerationChunk(message=chunk)
            if run_manager:
                await run_manager.on_llm_new_token(str(chunk.text), chunk=made)
            yield made

    def _message(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any) -> AIMessage:
        name = kwargs.get("model") or self.model
        self._calls.append(name)
        call = self._call(messages, kwargs.get("tools") or [], kwargs.get("tool_choice"))
        text = "" if call else self._text(messages, stop or self.stop or [])
        asked = sum(len(str(message.content).split()) for message in messages)
        said = len((text or json.dumps(call and call["args"])).split())
        end = "tool_calls" if call else self.finish_reason
        return AIMessage(
            self._content(text, call),
            tool_calls=[call] if call else [],
            usage_metadata={"input_tokens": asked, "output_tokens": said, "total_tokens": asked + said},
            response_metadata={"model_name": name, **({"finish_reason": end} if end else {})},
        )

    def _content(self, text: str, call: ToolCall | None) -> Any:
        return text

    def _text(self, messages: list[BaseMessage], stop: list[str]) -> str:
        text = self.answer(messages) if self.answer else f"{self.model} heard: {messages[-1].text}"
        for word in stop:
            text = text.split(word, maxsplit=1)[0]
        return text or "nothing"

    def _call(self, messages: list[BaseMessage], tools: list[Any], choice: str | None) -> ToolCall | None:
        if not tools or not (choice or isinstance(messages[-1], HumanMessage)):
            return None
        schemas = [self._schema(tool) for tool in tools]
        name, parameters = next((each for each in schemas if each[0] == choice), schemas[0])
        question = next(str(m.text) for m in reversed(messages) if isinstance(m, HumanMessage))
        numbers = iter(re.findall(r"-?\d+", question))
        args = {
            field: _argument(rule, question, numbers)
            for field, rule in parameters.get("properties", {}).items()
            if field in parameters.get("required", [])
        }
        return ToolCall(name=name, args=args, id=f"call_{uuid4().hex[:24]}", type="tool_call")

    def _chunks(self, message: AIMessage) -> Iterator[AIMessageChunk]:
        if message.tool_calls:
            call = message.tool_calls[0]
            start = {"name": call["name"], "args": "", "id": call["id"], "index": 0}
            rest = {"name": None, "args": json.dumps(call["args"]), "id": None, "index": 0}
            yield self._chunk("", tool_call_chunks=[start])
            yield self._chunk("", tool_call_chunks=[rest])
        for word in re.findall(r"\S+\s*|\s+", str(message.text)):
            yield self._chunk(word)
        yield self._chunk(
            "",
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
            chunk_position="last",
        )

    def _chunk(self, text: str, **fields: Any) -> AIMessageChunk:
        return AIMessageChunk(text, **fields)


class OfflineBlockChat(OfflineToolChat):
    """The other family: blocks for content, flat tool descriptions."""

    model: str = "offline-blocks"

    @property
    def _llm_type(self) -> str:
        return "offline-blocks"

    def _tool(self, tool: dict[str, Any]) -> dict[str, Any]:
        return {"name": tool["function"]["name"], "input_schema": tool["function"].get("parameters", {})}

    def _schema(self, tool: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return tool["name"], tool["input_schema"]

    def _content(self, text: str, call: ToolCall | None) -> Any:
        if call is None:
            return [{"type": "text", "text": text}]
        return [{"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}]

    def _chunk(self, text: str, **fields: Any) -> AIMessageChunk:
        return AIMessageChunk([{"type": "text", "text": text, "index": 0}] if text else [], **fields)


def _argument(rule: dict[str, Any], question: str, numbers: Iterator[str]) -> Any:
    kind = rule.get("type")
    if kind in {"integer", "number"}:
        return int(next(numbers, "1"))
    return {"boolean": True, "array": [], "object": {}}.get(kind or "", question)
