"""`ChatGguf`: a local GGUF model as a LangChain chat model."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCall,
    UsageMetadata,
    convert_to_openai_messages,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from lecmux import Reply
from lecmux.models import Gguf

__all__ = ["ChatGguf"]


class ChatGguf(BaseChatModel):
    """Answers with a `lecmux.models.Gguf`, which several of these may share.

    >>> small = ChatGguf(gguf=Gguf("small"), max_tokens=64)  # doctest: +SKIP
    >>> small.invoke("What is the capital of France?").content  # doctest: +SKIP

    Args:
        gguf: the loaded model; closing it stays with whoever loaded it.
        max_tokens: of a reply; None leaves the end to the model and the context.
        temperature: 0.0 is greedy.
        seed: for sampling; None takes the model's.
        stop: ends a reply where a call gives no stop words of its own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    gguf: Gguf = Field(exclude=True)
    max_tokens: int | None = None
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    @property
    def _llm_type(self) -> str:
        return "lecmux-gguf"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {
            "model_name": self.gguf.name,
            "file": self.gguf.path.name,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "stop": self.stop,
        }

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offers tools to the model, which decides whether to call one.

        Raises:
            ValueError: for a `tool_choice` other than None and "auto": small models cannot be held to a tool.
        """
        if tool_choice not in {None, "auto"}:
            raise ValueError(f"tool_choice must be None or 'auto' for a local model, not {tool_choice!r}")
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self.gguf.chat(convert_to_openai_messages(messages), **self._options(stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=_message(reply))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with self.gguf.stream(convert_to_openai_messages(messages), **self._options(stop, kwargs)) as stream:
            for text in stream:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                if run_manager:
                    run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        if stream.reply is not None:
            yield ChatGenerationChunk(message=_last_chunk(_message(stream.reply)))

    def _options(self, stop: list[str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
        own = {"max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        return {**own, "stop": stop or self.stop, **given}


def _message(reply: Reply) -> AIMessage:
    usage = reply.usage
    whole = reply.value if isinstance(reply.value, dict) else {"content": reply.value, "tool_calls": []}
    return AIMessage(
        content=whole["content"],
        tool_calls=[call for call in map(_tool_call, whole["tool_calls"]) if call],
        usage_metadata=UsageMetadata(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.input_tokens + usage.output_tokens,
        ),
        response_metadata={
            "model_name": reply.model,
            "finish_reason": reply.finish_reason,
            "seconds": usage.seconds,
        },
    )


def _tool_call(call: Mapping[str, Any]) -> ToolCall | None:
    """A call the model wrote; None where its arguments are no JSON object."""
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except ValueError:
        return None
    if not isinstance(arguments, dict):
        return None
    return ToolCall(name=function["name"], args=arguments, id=call["id"] or None)


def _last_chunk(message: AIMessage) -> AIMessageChunk:
    """What a stream's end adds to the text already sent: tool calls, usage and how it ended."""
    return AIMessageChunk(
        content="",
        tool_calls=message.tool_calls,
        usage_metadata=message.usage_metadata,
        response_metadata=message.response_metadata,
        chunk_position="last",
    )
