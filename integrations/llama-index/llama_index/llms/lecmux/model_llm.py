"""`ModelLLM`: any `lecmux.models.Model`, local or behind an endpoint, as an LLM of LlamaIndex."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from llama_index.core.base.llms.generic_utils import (
    achat_to_completion_decorator,
    astream_chat_to_completion_decorator,
    chat_to_completion_decorator,
    stream_chat_to_completion_decorator,
)
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    ContentBlock,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import Field

from lecmux import Reply
from lecmux.errors import ConfigError
from lecmux.models import AsyncModel, Model, Stream
from llama_index.llms.lecmux.openai_form import openai_messages, openai_tools

__all__ = ["ModelLLM"]

DEFAULT_CONTEXT_TOKENS = 4096


class ModelLLM(FunctionCallingLLM):
    """Answers with a `lecmux.models.Model`, which several of these may share.

    >>> llm = ModelLLM(model=Gguf("small"), max_tokens=64)  # doctest: +SKIP
    >>> llm.complete("What is the capital of France?").text  # doctest: +SKIP

    A model that can be awaited is; any other answers on a worker thread, so that no event loop is held up.
    """

    model: Any = Field(exclude=True)
    """The `Model`; closing it stays with whoever loaded it."""
    context_window: int = DEFAULT_CONTEXT_TOKENS
    """The longest prompt and reply together, in tokens, as the model was loaded."""
    max_tokens: int | None = None
    """Of a reply; None leaves the end to the model and the context."""
    temperature: float = 0.0
    """0.0 is greedy."""
    seed: int | None = None
    """For sampling; None takes the model's."""
    stop: tuple[str, ...] | None = None
    """Ends a reply where a call gives no stop words of its own."""
    function_calling: bool = True
    """Whether tools are offered to it."""

    def __init__(self, **settings: Any) -> None:
        """Takes the fields by name.

        Raises:
            ConfigError: `model` is no `lecmux.models.Model`.
        """
        if not isinstance(settings.get("model"), Model):
            raise ConfigError(f"model must be a lecmux.models.Model, not {settings.get('model')!r}")
        super().__init__(**settings)

    @classmethod
    def class_name(cls) -> str:
        """Name in traces and exports."""
        return "lecmux_model_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """What is known of the model."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=self.function_calling,
            model_name=self.model.name,
        )

    # chat

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """One answer to a conversation."""
        return self._chat(messages, **kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As `chat`, awaited."""
        return await self._achat(messages, **kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """An answer as it is generated; the last chunk has its tool calls and usage."""
        return self._stream_chat(messages, **kwargs)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """As `stream_chat`, awaited, and then iterated with `async for`."""
        return self._astream_chat(messages, **kwargs)

    # completion: the prompt is one message of the user

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """One completion of a prompt."""
        return chat_to_completion_decorator(self._chat)(prompt, **kwargs)

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As `complete`, awaited."""
        return await achat_to_completion_decorator(self._achat)(prompt, **kwargs)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """A completion as it is generated."""
        return stream_chat_to_completion_decorator(self._stream_chat)(prompt, **kwargs)

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """As `stream_complete`, awaited, and then iterated with `async for`."""

        async def stream(messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
            return self._astream_chat(messages, **options)

        return await astream_chat_to_completion_decorator(stream)(prompt, **kwargs)

    # the model

    def _chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return _response(self.model.chat(openai_messages(messages), **self._options(kwargs)))

    async def _achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        asked, options = openai_messages(messages), self._options(kwargs)
        if isinstance(self.model, AsyncModel):
            return _response(await self.model.achat(asked, **options))
        return _response(await asyncio.to_thread(self.model.chat, asked, **options))

    def _stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        text = ""
        with self.model.stream(openai_messages(messages), **self._options(kwargs)) as stream:
            for piece in stream:
                text += piece
                yield _partial(text, piece)
        if stream.reply is not None:
            yield _response(stream.reply, delta="")

    async def _astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        text = ""
        async with aclosing(self._pieces(openai_messages(messages), self._options(kwargs))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    yield _response(piece, delta="")
                else:
                    text += piece
                    yield _partial(text, piece)

    async def _pieces(
        self, messages: list[dict[str, Any]], options: dict[str, Any]
    ) -> AsyncGenerator[str | Reply, None]:
        """The text as it comes, and last the whole reply."""
        if isinstance(self.model, AsyncModel):
            async with self.model.astream(messages, **options) as awaited:
                async for piece in awaited:
                    yield piece
            if awaited.reply is not None:
                yield awaited.reply
            return
        stream = await asyncio.to_thread(self.model.stream, messages, **options)
        try:
            while (text := await asyncio.to_thread(_next, stream)) is not None:
                yield text
        finally:
            stream.close()
        if stream.reply is not None:
            yield stream.reply

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        own = {"max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        return {**own, "stop": self.stop, **given}

    # tools

    def _prepare_chat_with_tools(  # noqa: PLR0917  LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Offers tools; the model decides whether to call one, since not every model can be held to it."""
        messages = list(chat_history or [])
        if user_msg is not None:
            said = (
                ChatMessage(role=MessageRole.USER, content=user_msg)
                if isinstance(user_msg, str)
                else user_msg
            )
            messages.append(said)
        kwargs.pop("tool_choice", None)
        offered = {"tools": openai_tools(tools)} if tools else {}
        return {"messages": messages, **offered, **kwargs}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls in an answer.

        Raises:
            ValueError: there is none, and `error_on_no_tool_call`.
        """
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError(f"{self.model.name} called no tool where one was asked for")
        return [
            ToolSelection(
                tool_id=call.tool_call_id or "",
                tool_name=call.tool_name,
                tool_kwargs=call.tool_kwargs if isinstance(call.tool_kwargs, dict) else {},
            )
            for call in calls
        ]


def _next(stream: Stream) -> str | None:
    return next(stream, None)


def _partial(text: str, delta: str) -> ChatResponse:
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text=text)])
    return ChatResponse(message=message, delta=delta)


def _response(reply: Reply, delta: str | None = None) -> ChatResponse:
    whole = reply.value if isinstance(reply.value, dict) else {"content": reply.value, "tool_calls": []}
    calls = whole.get("tool_calls") or []
    blocks: list[ContentBlock] = [call for each in calls if (call := _call(each))]
    if whole["content"] or not blocks:
        blocks.insert(0, TextBlock(text=whole["content"] or ""))
    if reply.reasoning:
        blocks.insert(0, ThinkingBlock(content=reply.reasoning))
    usage = reply.usage
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    details = {
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
    return ChatResponse(
        # Streamed structured prediction looks for the calls beside the blocks.
        message=ChatMessage(
            role=MessageRole.ASSISTANT,
            blocks=blocks,
            additional_kwargs={"tool_calls": calls} if calls else {},
        ),
        delta=delta,
        raw={"model": reply.model, "finish_reason": reply.finish_reason, "usage": {**counts, **details}},
        additional_kwargs=dict(counts),
    )


def _call(call: Mapping[str, Any]) -> ToolCallBlock | None:
    """A call the model wrote; None where its arguments are no JSON object."""
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except ValueError:
        return None
    if not isinstance(arguments, dict):
        return None
    return ToolCallBlock(
        tool_call_id=call.get("id") or None, tool_name=function["name"], tool_kwargs=arguments
    )
