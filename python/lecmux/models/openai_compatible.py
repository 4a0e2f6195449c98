"""Models behind an OpenAI-compatible endpoint: OpenAI, vLLM, SGLang, Ollama, llama.cpp and their like."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, Unpack

from lecmux._fork import renew
from lecmux.errors import ConfigError, ModelClosedError
from lecmux.models._chat_request import ChatSettings, checked_fields, request_body, sorted_settings
from lecmux.models._client import require_openai
from lecmux.models._io_loop import IO_LOOP
from lecmux.models._remote import Remote
from lecmux.models._remote_stream import AsyncRemoteStream, RemoteStream
from lecmux.models.base import Message
from lecmux.models.endpoints import Concurrency, Cooldown, Endpoint, Retries, Timeouts
from lecmux.policies._check import instance
from lecmux.query import Query, Reply

__all__ = ["ChatSettings", "OpenAICompatible"]


class OpenAICompatible:
    """A model behind one or several endpoints that speak OpenAI's chat completions.

    Any thread and any event loop may call it: `chat` and `stream` block, `achat` and `astream` are awaited.
    Called with a `Query` it answers the query's text, for `Cache.answer`; `acall` is that for `AsyncCache`.

    One call may take several tries, within `timeouts.total_seconds`: a failed connection, 408, 409, 429 and
    5xx are tried again (`Retries`), an endpoint that keeps failing is passed over for a while (`Cooldown`),
    and with `fallbacks` the next endpoint is asked at once. Nothing is tried again after the first token of
    a stream. Cancelling a call, Ctrl-C and closing the stream or the model hang up, which stops the
    generation where the server looks after its clients.

    Args:
        model: what the endpoint calls it.
        base_url: up to and with `/v1`.
        api_key: None sends none; for OpenAI's own service it is then taken from `OPENAI_API_KEY`.
        name: what decisions, prices and reports call it; by default `model`.
        fallbacks: endpoints to ask, in this order, where the first fails.
        timeouts: limits of one call.
        retries: how often a call is tried again.
        cooldown: when an endpoint is passed over.
        concurrency: how many calls may be at `base_url` at once.
        headers: sent with each request to `base_url`.
        body: further fields of each request, such as `{"top_p": 0.9}`; None as a value leaves a field out,
            such as `{"temperature": None}` for a model that takes none.
        clock: seconds, for cooldowns.
        sleep: waits between two tries.
        draw: a number in [0, 1), for the length of a wait.

    Raises:
        ConfigError: a setting that cannot work.
        MissingExtraError: the openai package is not installed (`lecmux[openai]`).
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        name: str | None = None,
        fallbacks: Sequence[Endpoint] = (),
        timeouts: Timeouts = Timeouts(),
        retries: Retries = Retries(),
        cooldown: Cooldown = Cooldown(),
        concurrency: Concurrency = Concurrency(),
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        if not isinstance(model, str) or not model:
            raise ConfigError(f"model must be the name of a model at {base_url}, not {model!r}")
        instance("retries", retries, Retries)
        instance("cooldown", cooldown, Cooldown)
        if isinstance(fallbacks, str) or not all(isinstance(each, Endpoint) for each in fallbacks):
            raise ConfigError(f"fallbacks must be a sequence of Endpoint(...), not {fallbacks!r}")
        first = Endpoint(
            base_url,
            api_key,
            headers={} if headers is None else headers,
            timeouts=timeouts,
            concurrency=concurrency,
        )
        self.endpoints = (_with_key(first), *map(_with_key, fallbacks))
        self._model = model
        self._name = name or model
        self._body = checked_fields(body)
        self._settings: dict[str, Any] = {
            "retries": retries, "cooldown": cooldown, "clock": clock, "sleep": sleep, "draw": draw
        }  # fmt: skip
        require_openai()
        self._remote = self._connect()
        renew(self)

    @property
    def name(self) -> str:
        """What decisions, prices and reports call it."""
        return self._name

    @property
    def asked(self) -> Mapping[str, Any]:
        """What every request asks for: the model, and the fields given as `body`."""
        return {"model": self._model, **self._body}

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._remote.closed

    def __call__(self, query: Query) -> Reply:
        """Answers a query's text as one user message; `attributes["chat"]` may hold arguments of `chat`."""
        return self.chat([{"role": "user", "content": query.text}], **query.attributes.get("chat", {}))

    async def acall(self, query: Query) -> Reply:
        """As a call, awaited: `AsyncCache.answer(query, models={"small": model.acall})`."""
        return await self.achat([{"role": "user", "content": query.text}], **query.attributes.get("chat", {}))

    def chat(self, messages: Sequence[Message], **settings: Unpack[ChatSettings]) -> Reply:
        """Answers; blocks until the reply is whole.

        Args:
            messages: in the OpenAI form, at least one.
            settings: see `ChatSettings`.

        Returns:
            A reply whose value is the text; where tools were called, an assistant message with `tool_calls`.
            Its `model` is the one that the endpoint says has answered. One without any text has the finish
            reason "empty".

        Raises:
            ModelUnavailableError: the endpoint is down, failed, or dropped the connection.
            ModelBusyError: its rate limit is reached; `retry_after_seconds` is what it asks for. Or there was
                no place for the call; where too many waited already, it is a `QueueFullError`.
            ModelTimeoutError: the first token or the whole took too long.
            ModelAccessError: the key is missing or refused.
            ModelNotFoundError: the endpoint knows no such model, or the address is wrong.
            ModelRequestError: the endpoint refuses this request.
            ModelReplyError: what came back is no chat completion.
            ModelClosedError: the model was closed, before the call or during it.
            ConfigError: no messages, or a setting that cannot work.
        """
        return IO_LOOP.run(self._remote.chat(self._request(messages, settings)))

    async def achat(self, messages: Sequence[Message], **settings: Unpack[ChatSettings]) -> Reply:
        """As `chat`, awaited; cancelling it hangs up."""
        return await IO_LOOP.arun(self._remote.chat(self._request(messages, settings)))

    def stream(self, messages: Sequence[Message], **settings: Unpack[ChatSettings]) -> RemoteStream:
        """Answers piece by piece, with the arguments of `chat`; its errors are raised by the reading.

        Iterate what is returned; its `reply` is the whole once it has ended, its `close` stops it.
        """
        return RemoteStream(self._remote, self._name, self._request(messages, settings))

    def astream(self, messages: Sequence[Message], **settings: Unpack[ChatSettings]) -> AsyncRemoteStream:
        """As `stream`, for `async for`."""
        return AsyncRemoteStream(self._remote, self._name, self._request(messages, settings))

    def close(self) -> None:
        """Ends what is running and closes all connections. May be called twice and from any thread."""
        if not self.closed:
            IO_LOOP.run(self._remote.aclose())

    async def aclose(self) -> None:
        """As `close`, awaited."""
        if not self.closed:
            await IO_LOOP.arun(self._remote.aclose())

    @staticmethod
    def sort_settings(given: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments as `chat` takes them: what is none of its settings becomes a field of `body`."""
        return sorted_settings(given)

    def _request(self, messages: Sequence[Message], settings: ChatSettings) -> dict[str, Any]:
        if self.closed:
            raise ModelClosedError(f"{self._name} is closed; make it anew")
        return request_body(self._model, self._body, messages, settings, openai=self.endpoints[0].is_openai)

    def _connect(self) -> Remote:
        return Remote(self._name, self.endpoints, **self._settings)

    def _after_fork(self) -> None:
        """The parent's connections are the parent's; the child opens its own."""
        closed = self.closed
        self._inherited, self._remote = self._remote, self._connect()
        self._remote.closed = closed

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
        where = self.endpoints[0].base_url
        return f"OpenAICompatible({self._model!r}, base_url={where!r}{', closed' if self.closed else ''})"


def _with_key(endpoint: Endpoint) -> Endpoint:
    if endpoint.api_key is None and endpoint.is_openai:
        return replace(endpoint, api_key=os.environ.get("OPENAI_API_KEY"))
    return endpoint
