"""A hard deadline for a hook that may hang."""

import contextvars
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any

from lecmux.policies._check import positive, whole

_MOST_STUCK = 8


class Threaded:
    """Runs a hook on a worker thread and gives up on it after `timeout_seconds`.

    A call that was given up cannot be stopped: its thread ends when the hook returns. With `most_stuck` of
    them still running, further calls are given up at once, so that threads stay bounded. Drivers that await
    do not block their event loop meanwhile. An async hook runs in an event loop of the worker's, which lets
    drivers that do not await ask it too.

    Args:
        hook: any hook, protocol or bare callable.
        timeout_seconds: the deadline of one call.
        most_stuck: threads that may be running at a time.

    Raises:
        TimeoutError: on a call that was given up; the pipeline then uses its built-in rule.
    """

    def __init__(self, hook: Any, *, timeout_seconds: float, most_stuck: int = _MOST_STUCK) -> None:
        positive("Threaded.timeout_seconds", timeout_seconds)
        whole("Threaded.most_stuck", most_stuck)
        self.hook = hook
        self.timeout_seconds = timeout_seconds
        self._most = most_stuck
        self._slots = threading.BoundedSemaphore(most_stuck)
        self._process = os.getpid()

    def __call__(self, *arguments: Any) -> Any:
        """Calls the hook, which must be a bare callable."""
        function = in_a_loop(self.hook) if inspect.iscoroutinefunction(self.hook) else self.hook
        return self.call(function, *arguments)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls `function` under the deadline, in a copy of the caller's context."""
        woken = threading.Event()
        outcome = self._start(function, arguments, woken.set)
        if not woken.wait(self.timeout_seconds):
            raise TimeoutError(f"the hook did not return within {self.timeout_seconds} s")
        return outcome.read()

    async def acall(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """As `call`, without blocking the event loop."""
        import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(woken.set)
            except RuntimeError:  # the loop was closed: nobody waits any more
                return

        outcome = self._start(function, arguments, wake)
        async with asyncio.timeout(self.timeout_seconds):
            await woken.wait()
        return outcome.read()

    def _start(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], wake: Callable[[], object]
    ) -> "_Outcome":
        slots = self._own_slots()
        if not slots.acquire(blocking=False):
            raise TimeoutError(f"{self._most} earlier calls of this hook still run")
        outcome = _Outcome()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                outcome.value = context.run(function, *arguments)
            except BaseException as error:  # it belongs to the caller, not to this thread
                outcome.error = error
            finally:
                slots.release()
                wake()

        threading.Thread(target=work, name="lecmux-hook", daemon=True).start()
        return outcome

    def _own_slots(self) -> threading.BoundedSemaphore:
        """A forked child has none of its parent's threads, so all slots are free there."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._slots = threading.BoundedSemaphore(self._most)
        return self._slots


class _Outcome:
    """What a worker leaves behind."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def read(self) -> Any:
        """The value, or raises the error."""
        if self.error is not None:
            raise self.error
        return self.value


def in_a_loop(function: Callable[..., Any] | None) -> Callable[..., Any]:
    """A plain function that runs the coroutine function `function` in an event loop of its own."""

    def plain(*arguments: Any) -> Any:
        import asyncio  # noqa: PLC0415  costs 50 ms, and plain hooks do without

        async def whole() -> Any:
            return await function(*arguments)  # type: ignore[misc]

        return asyncio.run(whole())

    return plain
