"""Which endpoint is asked, how often, and after which wait. Runs on the I/O loop, so it needs no lock."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from lecmux._deadline import due
from lecmux.errors import ModelBusyError, ModelClosedError, ModelError
from lecmux.models._client import open_client
from lecmux.models._exchange import Exchange
from lecmux.models._failures import Failed, Failure, no_place, too_slow
from lecmux.models._gate import Gate, Permit
from lecmux.models._health import Health, RetryBudget
from lecmux.models._health_check import HealthCheck
from lecmux.models.endpoints import Cooldown, Endpoint, Retries
from lecmux.query import Reply

T = TypeVar("T")
Try = Callable[["Lane", float], Awaitable[T]]
"""Asks one endpoint, until a deadline."""
_LOGGER = logging.getLogger("lecmux")


class Lane:
    """One endpoint, its connections and its health."""

    def __init__(self, endpoint: Endpoint, cooldown: Cooldown) -> None:
        self.endpoint = endpoint
        self.health = Health(cooldown)
        self._gate = Gate(endpoint.concurrency, endpoint.base_url)
        self._check = HealthCheck(cooldown.check_seconds)
        self._client: Any = None

    @property
    def client(self) -> Any:
        """Its client of the SDK, opened at first use."""
        if self._client is None:
            self._client = open_client(self.endpoint)
        return self._client

    async def enter(self, deadline: float) -> Permit:
        """Waits for a place there, until `deadline` by the loop's clock at most.

        Raises:
            Failed: there is none, which is no fault of the endpoint.
        """
        try:
            return await self._gate.enter(deadline)
        except ModelBusyError as error:
            raise no_place(error) from None

    def failed(self, now: float, *, at_once: bool, retry_after_seconds: float | None) -> None:
        """It failed by its own fault: it may have to cool down, and is then asked when it is well again."""
        self.health.failed(now, at_once=at_once, retry_after_seconds=retry_after_seconds)
        if self.health.cools_down:
            self._check.begin(self)

    async def aclose(self) -> None:
        """Closes its connections."""
        self._check.end()
        if self._client is not None:
            await self._client.close()


class Remote:
    """The endpoints of one model."""

    def __init__(
        self,
        name: str,
        endpoints: Sequence[Endpoint],
        *,
        retries: Retries,
        cooldown: Cooldown,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        draw: Callable[[], float],
    ) -> None:
        self._name = name
        self._lanes = [Lane(endpoint, cooldown) for endpoint in endpoints]
        self._retries = retries
        self._budget = RetryBudget(retries)
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._total_seconds = endpoints[0].timeouts.total_seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self.closed = False

    async def chat(self, body: Mapping[str, Any]) -> Reply:
        """A whole reply; a connection that drops in the middle of it is one more reason to try again."""
        return await self._tracked(self._reach(partial(self._whole, body), min(self.deadline(), due())))

    async def open(self, body: Mapping[str, Any], deadline: float) -> tuple[Exchange, Lane]:
        """A stream, at its first token."""
        return await self._tracked(self._reach(partial(self._begun, body), deadline))

    async def next(self, exchange: Exchange, lane: Lane, deadline: float) -> str | None:
        """The next piece of a stream; None after the last. No failure here is tried again."""
        return await self._tracked(self._piece(exchange, lane, deadline))

    def deadline(self) -> float:
        """When a call that begins now must have ended, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._total_seconds

    async def aclose(self) -> None:
        """Ends what is running and closes all connections."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
        for lane in self._lanes:
            await lane.aclose()

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` so that `aclose` can end it.

        Raises:
            ModelClosedError: the model was closed, before or during it.
            ModelError: what went wrong at the endpoints.
        """
        task = asyncio.current_task()
        assert task is not None, "the I/O loop runs tasks"
        try:
            if self.closed:
                work.close()
                raise ModelClosedError(f"{self._name} is closed; make it anew")
            self._tasks.add(task)
            return await work
        except Failed as failed:
            raise failed.failure.error from None
        except asyncio.CancelledError:
            if not self.closed:
                raise
            raise ModelClosedError(f"{self._name} was closed while it answered") from None
        finally:
            self._tasks.discard(task)

    async def _reach(self, attempt: Try[T], deadline: float) -> T:
        """Asks the endpoints in their order, round by round, until one of them answers."""
        self._budget.called()
        failures: list[Failure] = []
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                for retry in range(1 + self._retries.times):
                    this_round: list[Failure] = []
                    for lane in self._order():
                        try:
                            return await self._attempt(lane, attempt, deadline)
                        except Failed as failed:
                            this_round.append(failed.failure)
                            if not failed.failure.elsewhere:
                                break
                    failures += this_round
                    if not await self._waited(this_round, retry, deadline):
                        break
        except TimeoutError:
            if not limit.expired():
                raise
            late = too_slow(self._lanes[0].endpoint, "total_seconds", self._total_seconds)
            failures.insert(0, late.failure)
        raise _told(failures) from None

    def _order(self) -> list[Lane]:
        """The endpoints to ask: the healthy ones as they are named, else the one that is ready first."""
        now = self._clock()
        healthy = [lane for lane in self._lanes if lane.health.admits(now)]
        return healthy or [min(self._lanes, key=lambda lane: lane.health.ready_at)]

    async def _attempt(self, lane: Lane, attempt: Try[T], deadline: float) -> T:
        lane.health.asked()
        try:
            answer = await attempt(lane, deadline)
        except Failed as failed:
            self._blame(lane, failed.failure)
            raise
        except BaseException:
            lane.health.left()
            raise
        lane.health.worked()
        return answer

    def _blame(self, lane: Lane, failure: Failure) -> None:
        # The kind alone: servers quote prompts in their messages.
        _LOGGER.info("%s: %s from %s", self._name, type(failure.error).__name__, lane.endpoint.base_url)
        if not failure.unwell:
            lane.health.left()
            return
        lane.failed(self._clock(), at_once=failure.cool_down, retry_after_seconds=self._asked_for(failure))

    async def _waited(self, failures: Sequence[Failure], retry: int, deadline: float) -> bool:
        """Waits before the next round; False where there should be none."""
        again = [failure for failure in failures if failure.retry]
        if not again or retry >= self._retries.times or not failures[-1].elsewhere:
            return False
        seconds = min(self._wait_seconds(failure, retry) for failure in again)
        if seconds > deadline - asyncio.get_running_loop().time() or not self._budget.take():
            return False
        await self._sleep(seconds)
        return True

    def _wait_seconds(self, failure: Failure, retry: int) -> float:
        asked = self._asked_for(failure)
        if asked is not None:
            return asked
        most: float = min(self._retries.base_seconds * 2**retry, self._retries.longest_seconds)
        return self._draw() * most

    def _asked_for(self, failure: Failure) -> float | None:
        """What `Retry-After` asks for, within its bound."""
        seconds = failure.retry_after_seconds
        return None if seconds is None else min(seconds, self._retries.retry_after_at_most_seconds)

    async def _begun(self, body: Mapping[str, Any], lane: Lane, deadline: float) -> tuple[Exchange, Lane]:
        exchange = Exchange(lane.client, lane.endpoint, body, await lane.enter(deadline))
        await exchange.begin()
        return exchange, lane

    async def _whole(self, body: Mapping[str, Any], lane: Lane, deadline: float) -> Reply:
        exchange, _ = await self._begun(body, lane, deadline)
        while await exchange.next() is not None:
            pass
        return exchange.reply(self._name)

    async def _piece(self, exchange: Exchange, lane: Lane, deadline: float) -> str | None:
        limit = asyncio.timeout_at(deadline)
        try:
            async with limit:
                return await exchange.next()
        except Failed as failed:
            self._blame(lane, failed.failure)
            raise
        except TimeoutError:
            if not limit.expired():
                raise
            raise too_slow(lane.endpoint, "total_seconds", self._total_seconds) from None


def _told(failures: Sequence[Failure]) -> ModelError:
    """The first error, with the others as notes; the same words are said once."""
    first, *others = (failure.error for failure in failures)
    said = {str(first)}
    for other in others:
        if str(other) not in said:
            said.add(str(other))
            first.add_note(f"also tried: {other}")
    return first
