"""A time limit for one call of a model."""

import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lecmux import _fork
from lecmux._single_flight import on_behalf
from lecmux.errors import ModelTimeoutError

Given = TypeVar("Given")

_MOST_STUCK = 64


class Deadline:
    """Runs calls on threads of their own, and gives up on those that take too long.

    Such a call cannot be stopped: its thread ends when the model returns, and its answer is dropped. With
    `most_stuck` of them still running, further calls are given up at once, so that threads stay bounded.
    """

    def __init__(self, *, most_stuck: int = _MOST_STUCK) -> None:
        self._most = most_stuck
        self._renew()
        _fork.renew(self)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._stuck = 0

    _after_fork = _renew  # none of the parent's threads is here

    def call(self, name: str, seconds: float, function: Callable[[], Given]) -> Given:
        """What `function` returns or raises within `seconds`, on a thread that works for the caller.

        Raises:
            ModelTimeoutError: it took longer.
        """
        if self._stuck >= self._most:
            raise ModelTimeoutError(
                f"{self._most} earlier calls that took too long still run: {name} is not asked"
            )
        work = _Work(function)
        threading.Thread(
            target=on_behalf().run, args=(work.run, self._ended), name="lecmux-model", daemon=True
        ).start()
        try:
            ended = work.done.wait(seconds)
        except BaseException:  # an interrupt of the one who waits
            self._abandon(work)
            raise
        if not ended and self._abandon(work):
            raise _too_late(name, seconds)
        if work.error is not None:
            raise work.error
        return work.value  # type: ignore[no-any-return]

    def _abandon(self, work: "_Work") -> bool:
        """True when nobody will look at the result; False when it came at the last moment."""
        with self._lock:
            if work.done.is_set():
                return False
            work.abandoned = True
            self._stuck += 1
        return True

    def _ended(self, work: "_Work") -> None:
        with self._lock:
            work.done.set()
            if work.abandoned:
                self._stuck -= 1


class _Work:
    """One call, and what became of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self.done = threading.Event()
        self.abandoned = False
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self, ended: Callable[["_Work"], None]) -> None:
        try:
            self.value = self._function()
        except BaseException as error:  # it belongs to the caller, not to this thread
            self.error = error
        finally:
            ended(self)


async def within(name: str, seconds: float, given: Awaitable[Given]) -> Given:
    """What `given` comes to within `seconds`; later it is cancelled.

    Raises:
        ModelTimeoutError: it took longer.
    """
    import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await given
    except TimeoutError:
        if not limit.expired():  # a limit of the model's own
            raise
    raise _too_late(name, seconds)


def _too_late(name: str, seconds: float) -> ModelTimeoutError:
    return ModelTimeoutError(
        f"{name} did not answer within timeout_seconds={seconds}: give it longer, or let a Router with "
        "several models ask another"
    )
