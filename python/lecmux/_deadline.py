"""A time limit for one call of a model, or for each piece of a stream."""

import contextvars
import math
import queue
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final, TypeVar

from lecmux import _fork
from lecmux._single_flight import on_behalf
from lecmux.errors import ModelTimeoutError

Given = TypeVar("Given")

_MOST_STUCK = 64
_DUE: contextvars.ContextVar[float] = contextvars.ContextVar("lecmux_due", default=math.inf)
# Who set the limit gives up first, and says why; the model, a moment later, stops.
_GRACE_SECONDS = 0.1
_END: Final = object()


def due() -> float:
    """When whoever asked will have given up, by `time.monotonic`: a model need not go on beyond."""
    return _DUE.get()


def _due_in(seconds: float) -> float:
    return min(_DUE.get(), time.monotonic() + seconds + _GRACE_SECONDS)


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
        self._require_room(name)
        work = _Work(_limited(function, seconds))
        threading.Thread(
            target=on_behalf().run, args=(work.run, self._ended), name="lecmux-model", daemon=True
        ).start()
        given: Given = self._outcome(work, seconds, partial(_too_late, name, seconds))
        return given

    def pieces(
        self, name: str, seconds: float, items: Generator[Given, None, None]
    ) -> Generator[Given, None, None]:
        """Hands `items` on, each within `seconds` of being asked for; what the reader does is not counted.

        They are pulled on one thread that works for the caller. Closing this closes them.

        Raises:
            ModelTimeoutError: one took longer.
        """
        self._require_room(name)
        jobs: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        threading.Thread(
            target=on_behalf().run, args=(self._serve, jobs), name="lecmux-model", daemon=True
        ).start()
        say = partial(_too_late, name, seconds)
        try:
            while True:
                pull = _Work(_limited(partial(next, items, _END), seconds))
                jobs.put(pull)
                item = self._outcome(pull, seconds, say)
                if item is _END:
                    return
                yield item
                say = partial(_stopped, name, seconds)
        finally:
            close = _Work(items.close)
            jobs.put(close)
            jobs.put(None)
            with suppress(ModelTimeoutError):  # it is closed as soon as it returns
                self._outcome(close, seconds, say)

    def _serve(self, jobs: "queue.SimpleQueue[_Work | None]") -> None:
        while (work := jobs.get()) is not None:
            work.run(self._ended)

    def _require_room(self, name: str) -> None:
        if self._stuck >= self._most:
            raise ModelTimeoutError(
                f"{self._most} earlier calls that took too long still run: {name} is not asked"
            )

    def _outcome(self, work: "_Work", seconds: float, late: Callable[[], ModelTimeoutError]) -> Any:
        try:
            ended = work.done.wait(seconds)
        except BaseException:  # an interrupt of the one who waits
            self._abandon(work)
            raise
        if not ended and self._abandon(work):
            raise late()
        if work.error is not None:
            raise work.error
        return work.value

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
    return await _in_time(seconds, given, partial(_too_late, name, seconds))


async def pieces_within(
    name: str, seconds: float, items: AsyncGenerator[Given, None]
) -> AsyncGenerator[Given, None]:
    """Hands `items` on, each within `seconds` of being asked for; one that takes longer is cancelled.

    Raises:
        ModelTimeoutError: one took longer.
    """
    late = partial(_too_late, name, seconds)
    async with aclosing(items):
        while (item := await _in_time(seconds, anext(items, _END), late)) is not _END:
            yield item  # type: ignore[misc]
            late = partial(_stopped, name, seconds)


async def _in_time(seconds: float, given: Awaitable[Given], late: Callable[[], ModelTimeoutError]) -> Given:
    import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

    limit = asyncio.timeout(seconds)
    token = _DUE.set(_due_in(seconds))
    try:
        async with limit:
            return await given
    except TimeoutError:
        if not limit.expired():  # a limit of the model's own
            raise
    finally:
        _DUE.reset(token)
    raise late()


def _limited(function: Callable[[], Given], seconds: float) -> Callable[[], Given]:
    """`function`, which knows when it is due."""

    def limited() -> Given:
        token = _DUE.set(_due_in(seconds))
        try:
            return function()
        finally:
            _DUE.reset(token)

    return limited


def _too_late(name: str, seconds: float) -> ModelTimeoutError:
    return ModelTimeoutError(
        f"{name} did not answer within timeout_seconds={seconds}: give it longer, or let a Router with "
        "several models ask another"
    )


def _stopped(name: str, seconds: float) -> ModelTimeoutError:
    return ModelTimeoutError(
        f"the stream of {name} stood still for timeout_seconds={seconds}: give it longer, or ask again; what "
        "came so far was not stored"
    )
