"""One request on the wire and the answer to it, on the I/O loop."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lecmux.models._client import headers_for
from lecmux.models._collected import Collected
from lecmux.models._failures import Failed, broke_off, failed, no_answer, too_slow
from lecmux.models._gate import Permit
from lecmux.models._rate_headers import used_up_seconds
from lecmux.models.endpoints import Endpoint
from lecmux.query import Reply

_PATH = "/chat/completions"
_EVENTS = "text/event-stream"
_JSON = "application/json"
_READ_BYTES = 1000


class Exchange:
    """Sends a request, reads the answer piece by piece, and closes the connection whatever happens.

    All replies are streamed on the wire, whole ones too: so an endpoint that hangs is noticed after the time
    to a first token, not after that of a whole reply, and hanging up stops it.
    """

    def __init__(self, client: Any, endpoint: Endpoint, body: Mapping[str, Any], permit: Permit) -> None:
        self._client = client
        self._permit = permit
        self._endpoint = endpoint
        self._body = {**body, "model": endpoint.model or body["model"]}
        self._collected = Collected(worked=False)
        self._events: Any = None
        self._text = ""
        self._ended = False

    async def begin(self) -> None:
        """Waits for the first token, of text, thought or a tool call.

        Raises:
            Failed: whatever is the endpoint's fault.
        """
        seconds = self._endpoint.timeouts.first_token_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._send()
                while not self._collected.begun and not self._ended:
                    self._text += await self._read()
        except BaseException as error:
            if isinstance(error, TimeoutError) and limit.expired():
                error = too_slow(self._endpoint, "first_token_seconds", seconds or 0.0)
            raise await self._failed(error) from None

    async def next(self) -> str | None:
        """The next piece of text; None after the last.

        Raises:
            Failed: whatever is the endpoint's fault.
        """
        text, self._text = self._text, ""
        try:
            while not text and not self._ended:
                text = await self._read()
        except BaseException as error:
            raise await self._failed(error) from None
        return text or None

    def reply(self, name: str) -> Reply:
        """The whole, after its end; `name` where the endpoint does not say which model answered.

        An answer of nothing at all ends with the reason "empty", so that nobody stores it.
        """
        reply = self._collected.reply(self._collected.model or name)
        return replace(reply, finish_reason="empty") if reply.value == "" else reply

    async def aclose(self) -> None:
        """Hangs up. Harmless once the answer has ended."""
        self._ended = True
        events, self._events = self._events, None
        try:
            if events is not None:
                await events.close()
        finally:
            self._permit.leave(answered=self._collected.finished)

    async def _failed(self, error: BaseException) -> Failed:
        """What went wrong, once the connection is closed and the place given back.

        Raises:
            BaseException: `error` itself, where it is none of the endpoint's.
        """
        try:
            why = failed(error, self._endpoint, self._body["model"])
            if why.failure.overloaded:
                self._permit.leave(overloaded=True)
        finally:
            await self.aclose()
        return why

    async def _send(self) -> None:
        import openai  # noqa: PLC0415  an extra, loaded at first use

        self._events = await self._client.post(
            _PATH,
            body=self._body,
            options={"headers": headers_for(self._endpoint)},
            cast_to=object,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
        self._permit.hold(used_up_seconds(self._events.response.headers))
        kind = self._events.response.headers.get("content-type", _EVENTS).partition(";")[0].strip().lower()
        if kind == _JSON:  # some servers do not stream, whatever they are asked for
            whole = json.loads(await self._events.response.aread())
            self._text = self._take(whole)
            if not self._collected.finished:
                raise no_answer(self._endpoint, f"no answer in its JSON: {whole}")
            await self._end()
        elif kind != _EVENTS:
            async for start in self._events.response.aiter_bytes():
                raise no_answer(
                    self._endpoint, f"{kind} in place of an answer: {start[:200].decode(errors='replace')}"
                )
            raise no_answer(self._endpoint, f"{kind}, and nothing in it, in place of an answer")

    async def _read(self) -> str:
        try:
            chunk = await self._events.__anext__()
        except StopAsyncIteration:
            await self._end()
            return ""
        return self._take(chunk)

    async def _end(self) -> None:
        if not self._collected.finished:
            raise broke_off(self._endpoint)
        await self.aclose()

    def _take(self, chunk: Any) -> str:
        try:
            return self._collected.add(chunk)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise no_answer(self._endpoint, f"what is no chat completion: {chunk}") from None
