"""What a model is to lecmux: messages in, a `Reply` or a `Stream` of text out."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from lecmux.query import Reply

__all__ = ["AsyncModel", "AsyncStream", "Message", "Model", "Stream"]

Message = Mapping[str, Any]
"""One chat message in the OpenAI form: `role`, `content`, and for tools `tool_calls`, `tool_call_id`."""


class Stream(Protocol):
    """Text as it is generated. Iterate it; afterwards `reply` holds the whole."""

    @property
    def reply(self) -> Reply | None:
        """The whole reply with its usage; None until the stream has ended normally."""

    def __iter__(self) -> Self:
        """The stream itself."""

    def __next__(self) -> str:
        """The next piece of text."""

    def close(self) -> None:
        """Stops the generation. Harmless once it has ended."""

    def __enter__(self) -> Self:
        """The stream itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the stream."""


@runtime_checkable
class Model(Protocol):
    """A chat model that any thread may call.

    `temperature=0.0` is greedy: the same messages give the same reply.
    """

    @property
    def name(self) -> str:
        """What decisions, prices and reports call it."""

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> Reply:
        """Answers; blocks until the reply is whole."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> Stream:
        """Answers piece by piece."""

    def close(self) -> None:
        """Frees the model. May be called twice."""


class AsyncStream(Protocol):
    """Text as it is generated, awaited. Iterate it; afterwards `reply` holds the whole."""

    @property
    def reply(self) -> Reply | None:
        """The whole reply with its usage; None until the stream has ended normally."""

    def __aiter__(self) -> Self:
        """The stream itself."""

    async def __anext__(self) -> str:
        """The next piece of text."""

    async def aclose(self) -> None:
        """Stops the generation. Harmless once it has ended."""

    async def __aenter__(self) -> Self:
        """The stream itself."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the stream."""


@runtime_checkable
class AsyncModel(Model, Protocol):
    """A `Model` that can also be awaited, from any event loop, without a thread for each call that waits.

    Cancelling an awaited call, or closing its stream, ends the generation.
    """

    async def achat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> Reply:
        """As `chat`, awaited."""

    def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> AsyncStream:
        """As `stream`; what it returns is iterated with `async for`."""

    async def aclose(self) -> None:
        """As `close`, awaited."""
