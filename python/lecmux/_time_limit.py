"""The time limit of one router's calls, in each of the four ways to drive the pipeline."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from lecmux._deadline import Deadline, pieces_within, within
from lecmux.policies._check import positive
from lecmux.query import Reply

if TYPE_CHECKING:
    from lecmux.flow import Call


class TimeLimit:
    """Wraps what performs a `Call`, so that it fails with `ModelTimeoutError` where it takes too long.

    A whole answer has `seconds`; so has each piece of a stream, the first one included. `None` sets no limit.
    `deadline` counts the threads that are stuck: one for all calls of a router.

    Raises:
        ConfigError: for what is no finite number above 0.
    """

    def __init__(self, seconds: float | None, deadline: Deadline) -> None:
        if seconds is not None:
            positive("timeout_seconds", seconds)
        self.seconds = seconds
        self._deadline = deadline

    def whole(self, call: "Callable[[Call], Reply]") -> "Callable[[Call], Reply]":
        """A plain call; one that takes too long runs on on its own thread, and its answer is dropped."""
        seconds = self.seconds
        if seconds is None:
            return call
        return lambda effect: self._deadline.call(effect.model, seconds, partial(call, effect))

    def awhole(self, call: "Callable[[Call], Awaitable[Reply]]") -> "Callable[[Call], Awaitable[Reply]]":
        """An awaited call; one that takes too long is cancelled."""
        seconds = self.seconds
        if seconds is None:
            return call
        return lambda effect: within(effect.model, seconds, call(effect))

    def stream(
        self, call: "Callable[[Call], Generator[Any, None, None]]"
    ) -> "Callable[[Call], Generator[Any, None, None]]":
        """A stream, pulled on a thread of its own."""
        seconds = self.seconds
        if seconds is None:
            return call
        return lambda effect: self._deadline.pieces(effect.model, seconds, call(effect))

    def astream(
        self, call: "Callable[[Call], AsyncGenerator[Any, None]]"
    ) -> "Callable[[Call], AsyncGenerator[Any, None]]":
        """An awaited stream."""
        seconds = self.seconds
        if seconds is None:
            return call
        return lambda effect: pieces_within(effect.model, seconds, call(effect))
