"""A stored answer in the shape of a chat model: callbacks and tracers see a hit as they see a call."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig

from langchain_lecmux.asking import Asking
from langchain_lecmux.facts import run_metadata
from langchain_lecmux.generated import Generated
from langchain_lecmux.serving import first_message


class StoredAnswer(BaseChatModel):
    """Gives one answer, whatever it is asked. Each instance serves one request."""

    generated: Any
    """The `Generated` to hand out."""
    cache: Any = False

    @classmethod
    def of(cls, generated: Generated) -> "StoredAnswer":
        """The answer as a model whose run tells of the decision behind it."""
        told = first_message(generated).response_metadata.get("lecmux", {})
        return cls(generated=generated, metadata=run_metadata(told))

    @property
    def _llm_type(self) -> str:
        return "lecmux-stored-answer"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        served = first_message(self.generated).response_metadata
        name = served.get("model_name") or served.get("lecmux", {}).get("model") or "stored"
        return LangSmithParams(ls_provider="lecmux", ls_model_type="chat", ls_model_name=str(name))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        generations = [each for each in self.generated.generations if isinstance(each, ChatGeneration)]
        return ChatResult(generations=generations)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in chunks(self.generated):
            yield ChatGenerationChunk(message=chunk)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in chunks(self.generated):
            yield ChatGenerationChunk(message=chunk)


def chunks(generated: Generated) -> Iterator[AIMessageChunk]:
    """The answer in the pieces it first came in, or in one; the last carries all but the text."""
    message = first_message(generated)
    rest: dict[str, Any] = {
        "additional_kwargs": message.additional_kwargs,
        "response_metadata": message.response_metadata,
        "id": message.id,
        "name": message.name,
        "chunk_position": "last",
    }
    if isinstance(message, AIMessage):
        rest |= {
            "tool_calls": message.tool_calls,
            "invalid_tool_calls": message.invalid_tool_calls,
            "usage_metadata": message.usage_metadata,
        }
    content = message.content
    if not isinstance(content, str):
        yield AIMessageChunk(content=content, **rest)
        return
    start = 0
    pieces = generated.pieces if sum(generated.pieces) == len(content) else ()
    for length in pieces:
        yield AIMessageChunk(content=content[start : start + length], id=message.id)
        start += length
    yield AIMessageChunk(content=content[start:], **rest)


def replayed(generated: Generated, asking: Asking, config: RunnableConfig | None) -> Iterator[AIMessageChunk]:
    """A stored answer in chunks; with a config, as the run of a model."""
    if config is None:
        return chunks(generated)
    return StoredAnswer.of(generated).stream(asking.messages, config, **asking.replayed)


async def areplayed(
    generated: Generated, asking: Asking, config: RunnableConfig | None
) -> AsyncIterator[AIMessageChunk]:
    """As `replayed`, awaited."""
    if config is None:
        for chunk in chunks(generated):
            yield chunk
        return
    replay = StoredAnswer.of(generated)
    async for chunk in replay.astream(asking.messages, config, **asking.replayed):
        yield chunk
