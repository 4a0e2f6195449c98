"""One generation in flight: a worker thread feeds it, the caller reads it, either may end it."""

import asyncio
import functools
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from lecmux._deadline import due
from lecmux.errors import ModelClosedError, ModelTimeoutError
from lecmux.models._collected import Collected
from lecmux.models._inbox import Inbox
from lecmux.models._jobs import OWN_THREAD, Job, Runner
from lecmux.query import Reply

Run = Callable[[Callable[[dict[str, Any]], None], threading.Event], None]
Chunk = dict[str, Any] | BaseException | None
"""A part of the answer, the error that ended it, or None for its end."""


class _Sink(Protocol):
    def put(self, item: Any, /) -> None: ...


class _Generation:
    """What both faces share: the work, what came of it so far, and its end.

    Args:
        name: of the model.
        run: generates: hands chunks to the first argument until done or the second is set.
        runner: where it runs: on a thread of its own, or in a model's queue, which may refuse it.
    """

    def __init__(self, name: str, run: Run, runner: Runner = OWN_THREAD) -> None:
        self._name = name
        self._collected = Collected()
        self._reply: Reply | None = None
        self._ended = False
        self._stop = threading.Event()
        self._runner = runner
        sink = self._sink()
        # The job holds no reference to this object: a stream nobody reads any more can be collected.
        self._worker = Job(
            name,
            functools.partial(_work, run, sink, self._stop),
            self._stop,
            functools.partial(sink.put, None),
        )
        runner.submit(self._worker)

    def _sink(self) -> _Sink:
        """Where the worker puts chunks."""
        raise NotImplementedError

    @property
    def reply(self) -> Reply | None:
        """The whole reply; None until the stream has ended normally."""
        return self._reply

    def stop(self) -> None:
        """Asks for the end without waiting; the reader sees it after the next token."""
        self._stop.set()

    def _take(self, chunk: Chunk) -> str:
        """The text that a chunk adds; `_ended` after the last.

        Raises:
            ModelClosedError: it was stopped from elsewhere.
            BaseException: whatever ended the generation.
        """
        if isinstance(chunk, dict):
            return self._collected.add(chunk)
        self._ended = True
        if chunk is not None:
            raise chunk
        if self._stop.is_set():
            raise ModelClosedError(f"{self._name} was closed while it answered")
        self._reply = self._collected.reply(self._name)
        return ""

    def _given_up(self) -> None:
        """Nobody waits for more."""
        self._ended = True
        self._runner.withdraw(self._worker)

    def _whole(self) -> Reply:
        assert self._reply is not None, "a generation that ended without an error has a reply"
        return self._reply

    def __del__(self) -> None:
        self._stop.set()


class Generation(_Generation):
    """Text as it is generated; `lecmux.models.Stream` says what each method does.

    It belongs to the thread that reads it; `close` may be called from any.
    """

    def _sink(self) -> _Sink:
        self._chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
        return self._chunks

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while not self._ended:
            if text := self._take(self._wait()):
                return text
        raise StopIteration

    def _wait(self) -> Chunk:
        left = due() - time.monotonic()
        try:
            return self._chunks.get(timeout=None if left == float("inf") else max(0.0, left))
        except queue.Empty:
            self._given_up()
            raise ModelTimeoutError(f"{self._name} took longer than the request had time") from None
        except BaseException:  # Ctrl-C while waiting: whoever pressed it waits for no token
            self._given_up()
            raise

    def whole(self) -> Reply:
        """Reads to the end."""
        for _ in self:
            pass
        return self._whole()

    def close(self) -> None:
        """Stops at the next token and waits for that."""
        self._runner.withdraw(self._worker)
        self._worker.join()
        self._ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncGeneration(_Generation):
    """As `Generation`, awaited from any event loop, which is not blocked meanwhile.

    Cancelling whoever reads ends the generation at its next token.
    """

    def _sink(self) -> _Sink:
        self._chunks: Inbox[Chunk] = Inbox()
        return self._chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while not self._ended:
            try:
                chunk = await self._chunks.get()
            except BaseException:  # whoever was cancelled waits for no token
                self._given_up()
                raise
            if text := self._take(chunk):
                return text
        raise StopAsyncIteration

    async def whole(self) -> Reply:
        """Reads to the end."""
        async for _ in self:
            pass
        return self._whole()

    async def aclose(self) -> None:
        """Stops at the next token and waits for that."""
        self._runner.withdraw(self._worker)
        self._ended = True
        if self._worker.is_alive():
            await asyncio.to_thread(self._worker.join)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _work(run: Run, chunks: _Sink, stop: threading.Event) -> None:
    try:
        run(chunks.put, stop)
    except BaseException as error:  # raised in the reader
        chunks.put(error)
    else:
        chunks.put(None)
