"""How many calls are at an endpoint at once, and who waits for a place. Lives on the I/O loop: no lock."""

import asyncio
import math
from collections import deque
from collections.abc import Callable

from lecmux.errors import ModelBusyError, QueueFullError
from lecmux.models.endpoints import Concurrency

_LONGEST_HOLD_SECONDS = 120.0  # some servers' headers are wrong


class Permit:
    """One call's place. `leave` gives it back, once."""

    def __init__(self, gate: "Gate", turn: int) -> None:
        self._gate: Gate | None = gate
        self._turn = turn

    def leave(self, *, answered: bool = False, overloaded: bool = False) -> None:
        """The call ended; `overloaded`: the endpoint said that this was too much for it."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate._left(self._turn, answered=answered, overloaded=overloaded)

    def hold(self, seconds: float) -> None:
        """The endpoint takes no further call for so long; those that are there may end."""
        if self._gate is not None:
            self._gate.hold(seconds)


class Gate:
    """The places at one endpoint, and the queue for them: first come, first served.

    The limit adapts: halved where the endpoint says it is overloaded, raised by one for each limit of calls
    that were answered while all places were taken. Calls that were under way at the last halving do not
    halve it again, since they tell of the load before it.

    Args:
        concurrency: the settings.
        where: what errors call the endpoint.
        now: seconds, by the clock of the loop.
    """

    def __init__(self, concurrency: Concurrency, where: str, now: Callable[[], float] | None = None) -> None:
        self._settings = concurrency
        self._where = where
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = 0
        self._held_until = 0.0
        self.limit = float(concurrency.at_most)
        self.inside = 0

    async def enter(self, deadline: float = math.inf) -> Permit:
        """Waits for a place; `deadline` is when the call must have ended.

        Raises:
            QueueFullError: as many wait already as may.
            ModelBusyError: there was none within `wait_seconds`, or there cannot be in time.
        """
        if self._waiting or not self._free():
            await self._wait(deadline)
        else:
            self.inside += 1
        return Permit(self, self._turn)

    def hold(self, seconds: float) -> None:
        """Lets nobody in for so long."""
        self._held_until = max(self._held_until, self._now() + min(seconds, _LONGEST_HOLD_SECONDS))

    def _free(self) -> bool:
        return self.inside < int(self.limit) and self._now() >= self._held_until

    async def _wait(self, deadline: float) -> None:
        held, most = self._held_until - self._now(), self._settings.wait_seconds
        if held > (math.inf if most is None else most) or self._held_until > deadline:
            raise ModelBusyError(
                f"{self._where} has used up its rate limit; ask less often, or again in {held:.1f} s",
                retry_after_seconds=held,
            )
        if len(self._waiting) >= self._settings.queue_size:
            raise QueueFullError(
                f"{int(self.limit):,} calls are at {self._where} and {len(self._waiting):,} wait already; "
                "try again later, send fewer at once, or give Concurrency(at_most=, queue_size=) more"
            )
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        opening = loop.call_later(held, self._admit) if held > 0 else None
        try:
            async with asyncio.timeout(most) as limit:
                await place
        except BaseException as error:
            self._give_up(place)
            if isinstance(error, TimeoutError) and limit.expired():
                raise ModelBusyError(
                    f"no place at {self._where} within wait_seconds={most:g}: {int(self.limit):,} calls are "
                    "there; try again later, send fewer at once, or give Concurrency(...) more"
                ) from None
            raise
        finally:
            if opening is not None:
                opening.cancel()

    def _give_up(self, place: "asyncio.Future[None]") -> None:
        """Who waited goes; a place that was given at the last moment is passed on."""
        if place.done() and not place.cancelled():
            self.inside -= 1
        elif place in self._waiting:
            self._waiting.remove(place)
        self._admit()

    def _admit(self) -> None:
        """Gives free places to those who wait."""
        while self._waiting and self._free():
            place = self._waiting.popleft()
            if not place.done():
                self.inside += 1
                place.set_result(None)

    def _left(self, turn: int, *, answered: bool, overloaded: bool) -> None:
        were, full = self.inside, self.inside >= int(self.limit)
        self.inside -= 1
        if self._settings.adapt and turn == self._turn:
            if overloaded:
                self.limit = max(1.0, min(self.limit, were) / 2)
                self._turn += 1
            elif answered and full:
                self.limit = min(float(self._settings.at_most), self.limit + 1 / self.limit)
        self._admit()
