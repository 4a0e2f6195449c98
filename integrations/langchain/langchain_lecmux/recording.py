"""The call stage: what a model's stream consisted of, so that it can be replayed as it was."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.runnables import RunnableConfig

from langchain_lecmux.plan import Delta, Plan

try:  # both are private to LangChain, and the second is not in its older releases
    from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler
except ImportError:
    _TYPED: tuple[type, ...] = ()
    _STREAMING: tuple[type, ...] = ()
else:
    _TYPED = (_V2StreamingCallbackHandler,)
    _STREAMING = (_StreamingCallbackHandler, _V2StreamingCallbackHandler)

_BLOCK_EVENTS: Final = frozenset({"content-block-start", "content-block-delta", "content-block-finish"})


class Recorder(BaseCallbackHandler):
    """Hears the chunks or typed events of one model run. It asks for none: others must want them."""

    run_inline = True

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[AIMessageChunk] = []
        self._events: list[Delta] = []

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        """A chunk came."""
        if isinstance(message := getattr(chunk, "message", None), AIMessageChunk):
            self._chunks.append(message)

    def on_stream_event(self, event: Any, **_: Any) -> None:
        """A typed event came."""
        if event.get("event") in _BLOCK_EVENTS:
            self._events.append(dict(event))

    @property
    def plan(self) -> Plan | None:
        """What was heard; None where the run did not stream."""
        return Plan("events", self._events) if self._events else chunk_plan(self._chunks)


def wants_events(config: RunnableConfig) -> bool:
    """Whether a listener has models write typed events, and their content as blocks, even for `invoke`."""
    return any(_is_typed(type(each)) for each in _handlers(config))  # type: ignore[arg-type]


def recorded(config: RunnableConfig) -> tuple[RunnableConfig, Recorder | None]:
    """A config that also records, where a listener has the model stream under `invoke`."""
    if not any(_is_streaming(type(each)) for each in _handlers(config)):  # type: ignore[arg-type]
        return config, None
    recorder = Recorder()
    callbacks: Any = config["callbacks"]
    callbacks = callbacks.copy()
    callbacks.add_handler(recorder, inherit=False)
    return {**config, "callbacks": callbacks}, recorder


# Asked of classes and remembered: LangChain's are protocols, which look for every method by name.
@lru_cache(maxsize=256)
def _is_typed(kind: type) -> bool:
    return issubclass(kind, _TYPED)


@lru_cache(maxsize=256)
def _is_streaming(kind: type) -> bool:
    return issubclass(kind, _STREAMING)


def _handlers(config: RunnableConfig) -> Sequence[Any]:
    return getattr(config.get("callbacks"), "handlers", ())


def chunk_plan(chunks: Sequence[AIMessageChunk]) -> Plan | None:
    """The chunks that said something."""
    deltas = [delta for chunk in chunks if (delta := _delta(chunk))]
    return Plan("chunks", deltas) if deltas else None


def _delta(chunk: AIMessageChunk) -> Delta:
    parts: Delta = {
        "content": chunk.content,
        "tool_call_chunks": [dict(part) for part in chunk.tool_call_chunks],
        "additional_kwargs": chunk.additional_kwargs,
    }
    return {name: part for name, part in parts.items() if part}


def chunks_of(deltas: Sequence[Delta], message_id: str | None, *, like: BaseMessage) -> list[AIMessageChunk]:
    """The chunks again, under the id of the answer they are part of now."""
    empty: Any = "" if isinstance(like.content, str) else []
    return [
        AIMessageChunk(
            content=delta.get("content", empty),
            tool_call_chunks=delta.get("tool_call_chunks", []),
            additional_kwargs=delta.get("additional_kwargs", {}),
            id=message_id,
        )
        for delta in deltas
    ]


def packed_plan(plan: Plan, message: BaseMessage) -> Any:
    """The stored form; None where it does not lead to `message`."""
    try:
        if plan.kind == "chunks" and not _is_faithful(plan.of(message), message):
            return None
        return plan.packed(message)
    except (TypeError, ValueError, KeyError, RecursionError):  # chunks that cannot be merged, or be copied
        return None


def _is_faithful(deltas: Sequence[Delta], message: BaseMessage) -> bool:
    """Whether the chunks add up to the message."""
    chunks = chunks_of(deltas, message.id, like=message)
    last = AIMessageChunk(content="" if isinstance(message.content, str) else [], chunk_position="last")
    merged = message_chunk_to_message(add_ai_message_chunks(*chunks, last))
    return all(
        getattr(merged, name) == getattr(message, name, None)
        for name in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs")
    )
