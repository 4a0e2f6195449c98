"""A stored answer in the shape of a chat model: callbacks and tracers see a hit as they see a call."""

from collections.abc import AsyncIterator, Iterator
from itertools import accumulate, pairwise
from typing import Any, Final

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig

from langchain_lecmux.asking import Asking
from langchain_lecmux.facts import run_metadata, told_message
from langchain_lecmux.generated import Generated
from langchain_lecmux.recording import chunks_of
from langchain_lecmux.serving import first_message

_AT_THE_END: Final = frozenset({"cost", "saved", "usage"})
"""Of what is told of a hit: chunks are merged, so no name may stand on two of them."""


class StoredAnswer(BaseChatModel):
    """Gives one answer, whatever it is asked. Each instance serves one request."""

    generated: Any
    """The `Generated` to hand out."""
    cache: Any = False

    @classmethod
    def of(cls, generated: Generated) -> "StoredAnswer":
        """The answer as a model whose run tells of the decision behind it."""
        told = first_message(generated).response_metadata.get("lecmux", {})
        metadata = run_metadata(told)
        if events := _events(generated):
            return StoredEvents(generated=generated, metadata=metadata, events=events)
        return cls(generated=generated, metadata=metadata)

    @property
    def _llm_type(self) -> str:
        return "lecmux-stored-answer"

    @property
    def _serialized(self) -> dict[str, Any]:
        """Its class. LangChain would print the answer as well, which costs more than the rest of a hit."""
        kind = type(self)
        path = [*kind.__module__.split("."), kind.__name__]
        return {"lc": 1, "type": "not_implemented", "id": path, "repr": None, "name": kind.__name__}

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
    """The answer in the pieces it first came in, or in one.

    As in the stream of a call, the first carries the decision; the last carries what it saved, and all else
    but the content.
    """
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
    if pieces := _planned(generated, message):
        del rest["tool_calls"], rest["invalid_tool_calls"], rest["additional_kwargs"]
    else:
        pieces = _texts(generated, message)
    if not pieces:
        yield AIMessageChunk(content=content, **rest)
        return
    if told := message.response_metadata.get("lecmux"):
        first = {name: value for name, value in told.items() if name not in _AT_THE_END}
        last = {name: value for name, value in told.items() if name in _AT_THE_END}
        pieces[0] = told_message(pieces[0], first)
        rest["response_metadata"] = {**message.response_metadata, "lecmux": last}
    yield from pieces
    yield AIMessageChunk(content="" if isinstance(content, str) else [], **rest)


def _texts(generated: Generated, message: BaseMessage) -> list[AIMessageChunk]:
    """The chunks of a stream that was text alone; none where their lengths are unknown."""
    content = message.content
    if not isinstance(content, str) or sum(generated.pieces) != len(content):
        return []
    ends = list(accumulate(generated.pieces, initial=0))
    return [AIMessageChunk(content=content[start:end], id=message.id) for start, end in pairwise(ends)]


def _planned(generated: Generated, message: BaseMessage) -> list[AIMessageChunk]:
    """The chunks of a stream that was more than text; none where they are unknown."""
    plan = generated.plan
    if plan is None or plan.kind != "chunks" or not isinstance(message, AIMessage):
        return []
    try:
        return chunks_of(plan.of(message), message.id, like=message)
    except (TypeError, ValueError, KeyError, IndexError):  # a stored plan that does not fit its answer
        return []


class StoredEvents(StoredAnswer):
    """An answer that came as typed events, which are replayed as they were."""

    events: list[Any]

    def _stream_chat_model_events(self, messages: list[BaseMessage], **_: Any) -> Iterator[Any]:
        yield from self.events

    async def _astream_chat_model_events(self, messages: list[BaseMessage], **_: Any) -> AsyncIterator[Any]:
        for event in self.events:
            yield event


def _events(generated: Generated) -> list[Any]:
    """The lifecycle of a message, with its blocks as they came; nothing where that is unknown."""
    plan = generated.plan
    message = first_message(generated)
    if plan is None or plan.kind != "events" or not isinstance(message, AIMessage):
        return []
    try:
        blocks = plan.of(message)
    except (TypeError, ValueError, KeyError, IndexError):  # a stored plan that does not fit its answer
        return []
    names = {"model_provider": "provider", "model_name": "model"}
    told = message.response_metadata
    start: dict[str, Any] = {"event": "message-start", "role": "ai", "id": message.id or ""}
    if about := {names[name]: told[name] for name in names if name in told}:
        start["metadata"] = about
    end = {"event": "message-finish", "usage": message.usage_metadata, "metadata": dict(told)}
    if message.additional_kwargs:
        end["additional_kwargs"] = message.additional_kwargs
    return [start, *blocks, end]


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
