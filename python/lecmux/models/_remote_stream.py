"""Streams of a remote model: one reading of pieces, and two faces, for `for` and for `async for`."""

import asyncio
import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self

from lecmux._deadline import due
from lecmux.errors import ModelClosedError, ModelError
from lecmux.models._exchange import Exchange
from lecmux.models._io_loop import IO_LOOP
from lecmux.models._remote import Lane, Remote
from lecmux.query import Reply


class Pieces:
    """The pieces of one streamed answer. Its coroutines run on the I/O loop."""

    def __init__(self, remote: Remote, name: str, body: Mapping[str, Any]) -> None:
        self._remote = remote
        self._name = name
        self._body = body
        self._open: tuple[Exchange, Lane] | None = None
        self._deadline = 0.0
        self._reading: asyncio.Task[Any] | None = None
        self.reply: Reply | None = None

    async def next(self) -> str | None:
        """The next piece; None after the last. The request is sent for the first."""
        self._reading = asyncio.current_task()
        try:
            if self._open is None:
                self._deadline = self._remote.deadline()
                self._open = await self._remote.open(self._body, min(self._deadline, due()))
            exchange, lane = self._open
            piece = await self._remote.next(exchange, lane, min(self._deadline, due()))
            if piece is None:
                self.reply = exchange.reply(self._name)
        except BaseException:
            await self._hang_up()
            raise
        finally:
            self._reading = None
        return piece

    async def aclose(self) -> None:
        """Ends the reading, if there is one, and hangs up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        await self._hang_up()

    async def _hang_up(self) -> None:
        if self._open is not None:
            await self._open[0].aclose()


class _Face:
    """What both faces share: whether it goes on, and an end that any thread may ask for."""

    def __init__(self, remote: Remote, name: str, body: Mapping[str, Any]) -> None:
        self._name = name
        self._pieces = Pieces(remote, name, body)
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._begun = False
        self._ended = False

    @property
    def reply(self) -> Reply | None:
        """The whole reply; None until the stream has ended normally."""
        return self._pieces.reply

    def _step(self) -> "Future[str | None] | None":
        """Asks for the next piece; None where there is no more to ask for."""
        if os.getpid() != self._process:
            raise ModelError("this stream was begun before a fork; ask again in the child")
        with self._lock:
            if self._ended:
                return None
            self._begun = True
            return IO_LOOP.submit(self._pieces.next())

    def _hanging_up(self) -> "Future[None] | None":
        """Ends it; None where there is no connection to wait for."""
        with self._lock:
            self._ended = True
            if not self._begun or os.getpid() != self._process:
                return None
            return IO_LOOP.submit(self._pieces.aclose())

    def _closed(self) -> ModelClosedError:
        self._ended = True
        return ModelClosedError(f"the stream of {self._name} was closed while it was read")

    def __del__(self) -> None:
        # A stream nobody reads any more. Nobody waits for the end of its connection either.
        if not self._ended and not sys.is_finalizing():
            self._hanging_up()


class RemoteStream(_Face):
    """Text as it is generated; `lecmux.models.Stream` says what each method does.

    The request is sent when the first piece is asked for. `close` may be called from any thread.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        step = self._step()
        if step is None:
            raise StopIteration
        try:
            piece = step.result()
        except CancelledError:
            raise self._closed() from None
        except BaseException:  # trouble at the endpoint, or Ctrl-C while waiting: nothing more will come
            self._ended = True
            step.cancel()
            raise
        if piece is None:
            self._ended = True
            raise StopIteration
        return piece

    def close(self) -> None:
        """Stops the generation and waits for the connection's end. Harmless once it has ended."""
        if ending := self._hanging_up():
            ending.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncRemoteStream(_Face):
    """As `RemoteStream`, awaited from any event loop."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        step = self._step()
        if step is None:
            raise StopAsyncIteration
        try:
            piece = await asyncio.wrap_future(step)
        except asyncio.CancelledError:
            reader = asyncio.current_task()
            if reader is not None and reader.cancelling():
                self._ended = True
                raise
            raise self._closed() from None
        except BaseException:
            self._ended = True
            raise
        if piece is None:
            self._ended = True
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Stops the generation and waits for the connection's end. Harmless once it has ended."""
        if ending := self._hanging_up():
            await asyncio.wrap_future(ending)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
