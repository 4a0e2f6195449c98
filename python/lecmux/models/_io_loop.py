"""One event loop in a thread of its own, shared by all models that are reached over a network.

Connections belong to an event loop. Were they opened on the caller's, every `asyncio.run` would begin with
none, and those of a loop that was closed could not even be shut. Here sync and async callers of any loop
share one pool, cancelling reaches into any wait, and nothing depends on how long the caller's loop lives.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from lecmux._fork import renew

T = TypeVar("T")


class IoLoop:
    """Starts its thread at first use, again in a forked child, and runs as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._abandoned: list[asyncio.AbstractEventLoop] = []
        renew(self)

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Starts `work`, in a copy of the caller's context; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for `work`. Whoever stops waiting, by Ctrl-C for one, cancels it."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """As `run`, awaited from any event loop."""
        return await asyncio.wrap_future(self.submit(work))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="lecmux-io", daemon=True).start()
            return self._loop

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._loop is not None:
            # Its thread stayed in the parent, whose sockets it watches: it is kept, and never closed here.
            self._abandoned.append(self._loop)
            self._loop = None


IO_LOOP: Final = IoLoop()
