"""Single flight: one request computes an answer, the others that want it wait."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lecmux import _core, _fork
from lecmux.query import Key

Role = Literal["lead", "done"]


class SingleFlight:
    """The claims of one cache."""

    def __init__(self) -> None:
        self._inflight = _core.Inflight()
        self._leaders: dict[Key, object] = {}
        _fork.renew(self)

    def _after_fork(self) -> None:
        # The leaders stayed in the parent: here nobody would ever wake those who wait for them.
        self._inflight = _core.Inflight()
        self._leaders = {}

    def leads(self, key: Key) -> bool:
        """True when the caller itself computes `key` further up: it would wait for itself."""
        return bool(self._leaders.get(key) == _caller())

    def claim(self, key: Key, wake: Callable[[str], None]) -> bool:
        """True: the caller leads. Else `wake` is called once, with "lead" or "done"."""
        return self._inflight.claim(key.text, wake, scope=key.scope, fingerprint=key.fingerprint)

    def abandon(self, key: Key, wake: Callable[[str], None]) -> bool:
        """True: `wake` will not be called. False: it was, or is about to be."""
        return self._inflight.abandon(key.text, wake, scope=key.scope, fingerprint=key.fingerprint)

    def take(self, key: Key) -> None:
        """Notes who leads."""
        self._leaders[key] = _caller()

    def release(self, key: Key) -> None:
        """The leader is done: all who wait look again."""
        self._leaders.pop(key, None)
        self._inflight.release(key.text, scope=key.scope, fingerprint=key.fingerprint)

    def fail(self, key: Key) -> None:
        """The leader failed: one of those who wait takes over."""
        self._leaders.pop(key, None)
        self._inflight.fail(key.text, scope=key.scope, fingerprint=key.fingerprint)


@dataclass(frozen=True, slots=True)
class Claim:
    """Effect: wait until the caller leads ("lead") or another request computed the answer ("done")."""

    key: Key
    flight: SingleFlight

    def wait(self) -> Role:
        """Blocks the thread."""
        woken = threading.Event()
        turn = _Turn(self, woken.set)
        if turn.leads_at_once():
            return "lead"
        try:
            woken.wait()
        except BaseException:
            turn.leave()
            raise
        return turn.role

    async def wait_async(self) -> Role:
        """Suspends the task."""
        import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not woken.done():
                woken.set_result(None)

        turn = _Turn(self, lambda: loop.call_soon_threadsafe(settle))
        if turn.leads_at_once():
            return "lead"
        try:
            await woken
        except BaseException:
            turn.leave()
            raise
        return turn.role


class _Turn:
    """One waiter's place in the queue. It hands the lead on when nobody waits there any more."""

    def __init__(self, claim: Claim, notify: Callable[[], object]) -> None:
        self._claim = claim
        self._notify = notify
        self._lock = threading.Lock()
        self._left = False
        self.role: Role = "done"
        self._waker = self._wake  # one object, by which `abandon` finds it

    def leads_at_once(self) -> bool:
        return self._claim.flight.claim(self._claim.key, self._waker)

    def leave(self) -> None:
        """The waiter was interrupted or cancelled."""
        if self._claim.flight.abandon(self._claim.key, self._waker):
            return
        with self._lock:
            self._left = True
            lead = self.role == "lead"
            self.role = "done"
        if lead:
            self._claim.flight.fail(self._claim.key)

    def _wake(self, role: str) -> None:
        with self._lock:
            if not self._left and role == "lead":
                self.role = "lead"
            orphan = self._left and role == "lead"
        if orphan:
            self._claim.flight.fail(self._claim.key)
            return
        try:
            self._notify()
        except RuntimeError:  # the waiter's event loop was closed
            self.leave()


def _caller() -> Any:
    """The running asyncio task, or else the thread."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None:
            return task
    return threading.get_ident()
