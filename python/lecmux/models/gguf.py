"""GGUF models in this process, through llama.cpp."""

import asyncio
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from lecmux._fork import renew
from lecmux.errors import ModelClosedError, ModelError
from lecmux.models import _native, store
from lecmux.models._generation import AsyncGeneration, Generation
from lecmux.models._jobs import Jobs
from lecmux.models._request import check_request, checked_tools, require_positive, require_room
from lecmux.models.base import Message
from lecmux.query import Query, Reply

__all__ = ["Gguf"]

Face = TypeVar("Face", Generation, AsyncGeneration)


class Gguf:
    """A GGUF model loaded into this process; any number of threads may call it.

    A call is `chat`, `stream`, or the model itself with a `Query`, whose text becomes one user message;
    `achat`, `astream` and `acall` are awaited, from any event loop, which goes on meanwhile. Calls beyond
    `parallel` wait their turn. Ctrl-C, cancelling, and closing the stream or the model end a generation at
    its next token.

    Args:
        path_or_name: "small", "large", the name of a registered file, or a path.
        name: what decisions and reports call it; by default the name it was found under.
        context_tokens: the longest prompt and reply together, for each of the parallel calls.
        threads: processors to use; by default those this process may use, at most 8.
        seed: for sampling at a temperature above 0, where a call gives none.
        parallel: calls that are computed together; above 1 rounding lets a reply depend on its company.
        reuse_prefix: keep the state of the last prompt and compute only what differs. Faster for
            conversations, but rounding lets a reply depend on the prompt before it. Off, equal greedy calls
            give equal replies.

    Raises:
        ModelNotFoundError: no such model; the message says how to fetch it.
        ChecksumError: the file of a model of the catalog holds other bytes than it should.
        ModelError: llama.cpp cannot load the file.
        ConfigError: a setting that cannot work.
        MissingExtraError: xllamacpp is not installed (`lecmux[gguf]`).
    """

    def __init__(
        self,
        path_or_name: str | os.PathLike[str],
        *,
        name: str | None = None,
        context_tokens: int = 4096,
        threads: int | None = None,
        seed: int = 0,
        parallel: int = 1,
        reuse_prefix: bool = True,
    ) -> None:
        threads = _native.default_threads() if threads is None else threads
        require_positive(context_tokens=context_tokens, threads=threads, parallel=parallel)
        found = store.find(path_or_name)
        self.path = found.path
        self._name = name or found.name
        self._seed = seed
        self._reuse_prefix = reuse_prefix
        self._context_tokens = context_tokens
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._running: weakref.WeakSet[Generation | AsyncGeneration] = weakref.WeakSet()
        self._jobs = Jobs(self._name, None, at_once=parallel)
        self._server: Any = _native.load(
            found.path, context_tokens=context_tokens, threads=threads, parallel=parallel
        )
        renew(self)

    @property
    def name(self) -> str:
        """What decisions, prices and reports call it."""
        return self._name

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._server is None

    def __call__(self, query: Query) -> Reply:
        """Answers a query's text as one user message; `attributes["chat"]` may hold arguments of `chat`."""
        return self.chat([{"role": "user", "content": query.text}], **query.attributes.get("chat", {}))

    async def acall(self, query: Query) -> Reply:
        """As a call, awaited: `AsyncCache.answer(query, models={"small": model.acall})`."""
        return await self.achat([{"role": "user", "content": query.text}], **query.attributes.get("chat", {}))

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
        """Answers; blocks until the reply is whole.

        Args:
            messages: in the OpenAI form, at least one.
            max_tokens: of the reply; None leaves the end to the model and the context.
            temperature: 0.0 is greedy.
            stop: the reply ends before the first of these strings.
            seed: for sampling; None takes the model's.
            tools: in the OpenAI form.

        Returns:
            A reply whose value is the text; where tools were called, an assistant message with `tool_calls`.

        Raises:
            ModelClosedError: the model was closed, before the call or during it.
            ModelError: llama.cpp refused the request, for example because it exceeds the context.
            ConfigError: no messages, or a setting that cannot work.
        """
        request = _request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop, tools=tools)
        return self._begun(Generation, request, seed).whole()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> Generation:
        """Answers piece by piece, with the arguments and errors of `chat`.

        Iterate what is returned; its `reply` is the whole once it has ended, its `close` stops it.
        """
        request = _request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop, tools=tools)
        return self._begun(Generation, request, seed)

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
        """As `chat`, awaited; cancelling it ends the generation at its next token."""
        request = _request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop, tools=tools)
        return await self._begun(AsyncGeneration, request, seed).whole()

    def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> AsyncGeneration:
        """As `stream`, for `async for`."""
        request = _request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop, tools=tools)
        return self._begun(AsyncGeneration, request, seed)

    def close(self) -> None:
        """Stops what is running and frees the model's memory. May be called twice and from any thread."""
        with self._lock:
            self._server = None
            running = list(self._running)
        for generation in running:
            generation.stop()
        self._jobs.stop_all()

    async def aclose(self) -> None:
        """As `close`, awaited."""
        await asyncio.to_thread(self.close)

    def _begun(self, face: type[Face], request: dict[str, Any], seed: int | None) -> Face:
        if os.getpid() != self._process:
            raise ModelError(f"{self._name} was loaded before a fork; load it again in the child")
        require_room(request["messages"], self._context_tokens)
        request |= {"seed": self._seed if seed is None else seed, "cache_prompt": self._reuse_prefix}
        with self._lock:
            server = self._server
            if server is None:
                raise ModelClosedError(f"{self._name} is closed; load it again with Gguf({str(self.path)!r})")
            generation = face(
                self._name,
                lambda on_chunk, stopped: _native.run(server, request, on_chunk, stopped),
                self._jobs,
            )
            self._running.add(generation)
        return generation

    def _after_fork(self) -> None:
        if self._server is not None:
            _native.abandon_in_child(self._server)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Gguf({str(self.path)!r}, name={self._name!r}{', closed' if self.closed else ''})"


def _request(
    messages: Sequence[Message],
    *,
    max_tokens: int | None,
    temperature: float,
    stop: Sequence[str] | None,
    tools: Sequence[Mapping[str, Any]] | None,
) -> dict[str, Any]:
    check_request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
    request: dict[str, Any] = {
        "messages": [dict(message) for message in messages],
        "max_tokens": -1 if max_tokens is None else max_tokens,
        "temperature": temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if stop:
        request["stop"] = [stop] if isinstance(stop, str) else list(stop)
    if offered := checked_tools(tools):
        request["tools"] = offered
    return request
