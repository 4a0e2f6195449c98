"""`ChatModel`: any `lecmux.models.Model` as a LangChain chat model."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from langchain_lecmux.asked import openai_messages
from langchain_lecmux.replied import last_chunk, message
from lecmux.models import AsyncModel, Model

__all__ = ["ChatModel"]

Tool = Mapping[str, Any] | type | Callable[..., Any] | BaseTool


class ChatModel(BaseChatModel):
    """Answers with a `lecmux.models.Model`, which several of these may share.

    >>> from lecmux.testing import ScriptedModel
    >>> ChatModel(model=ScriptedModel(default="Paris")).invoke("The capital of France?").content
    'Paris'

    A model that can be awaited is; any other answers async calls on a worker thread. What a call binds
    beyond the settings below goes to the model as it is.

    Args:
        model: a `lecmux.models.Model`; closing it stays with whoever made it.
        max_tokens: of a reply; None leaves the end to the model and the context.
        temperature: 0.0 is greedy.
        seed: for sampling; None takes the model's.
        stop: ends a reply where a call gives no stop words of its own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    model: Model = Field(exclude=True)
    max_tokens: int | None = None
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    @property
    def model_name(self) -> str:
        """What traces call it."""
        return self.model.name

    @property
    def _llm_type(self) -> str:
        return "lecmux-model"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {
            "model_name": self.model.name,
            **self._identity(),
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "stop": self.stop,
        }

    def _identity(self) -> Mapping[str, Any]:
        """What tells the model from another of its name: a part of every cache key."""
        return {"kind": type(self.model).__name__}

    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offers tools to the model, which decides whether to call one.

        Raises:
            ValueError: for a `tool_choice` other than None and "auto": not every model can be held to a tool.
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
        reply = self.model.chat(openai_messages(messages), **self._options(stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=message(reply))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if not isinstance(self.model, AsyncModel):
            return await super()._agenerate(messages, stop, run_manager, **kwargs)
        reply = await self.model.achat(openai_messages(messages), **self._options(stop, kwargs))
        return ChatResult(generations=[ChatGeneration(message=message(reply))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        asked, options = openai_messages(messages), self._options(stop, kwargs)
        with self.model.stream(asked, **options) as stream:
            for text in stream:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                if run_manager:
                    run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        if stream.reply is not None:
            yield ChatGenerationChunk(message=last_chunk(stream.reply))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if not isinstance(self.model, AsyncModel):
            async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
                yield chunk
            return
        asked, options = openai_messages(messages), self._options(stop, kwargs)
        async with self.model.astream(asked, **options) as stream:
            async for text in stream:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                if run_manager:
                    await run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        if stream.reply is not None:
            yield ChatGenerationChunk(message=last_chunk(stream.reply))

    def _options(self, stop: list[str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments for the model: those of the call, else those of this object."""
        own = {"max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        return {**own, "stop": stop or self.stop, **given}
