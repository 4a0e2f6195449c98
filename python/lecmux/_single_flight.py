"""Single flight: one request computes an answer, the others that want it wait."""

import contextvars
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lecmux import _core, _fork
from lecmux.query import Key

Role = Literal["lead", "done"]

_LOOK_SECONDS = 1.0
_BEHALF: contextvars.ContextVar[object] = contextvars.ContextVar("lecmux_on_behalf", default=None)


class Lead:
    """One request's lead of a key. `caller` is its asyncio task, or else its thread."""

    __slots__ = ("caller", "handoff")

    def __init__(self, caller: object) -> None:
        self.caller = caller
        self.handoff: Handoff | None = None

    @property
    def lost(self) -> bool:
        """Whether it can never end, since the event loop of its task was closed."""
        loop = getattr(self.caller, "get_loop", None)
        return bool(loop and loop().is_closed())


class Handoff(NamedTuple):
    """An answer that found no place in the store, for those who wait for it all the same."""

    sealed: _core.Encoded
    hit_cost: float


class SingleFlight:
    """The claims of one cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reset()
        _fork.renew(self)

    def _reset(self) -> None:
        self._inflight = _core.Inflight()
        self._leads: dict[Key, Lead] = {}
        # Here while those who wait are woken, and take it.
        self._handoffs: dict[Key, Handoff] = {}

    def _after_fork(self) -> None:
        # The leaders stayed in the parent: here nobody would ever wake those who wait for them.
        self._lock = threading.Lock()
        self._reset()

    def leads(self, key: Key) -> bool:
        """True when the caller itself computes `key` further up: it would wait for itself."""
        lead = self._leads.get(key)
        return lead is not None and bool(lead.caller == caller())

    def claim(self, key: Key, wake: Callable[[str], None]) -> bool:
        """True: the caller leads. Else `wake` is called once, with "lead" or "done"."""
        return self._inflight.claim(key.text, wake, scope=key.scope, fingerprint=key.fingerprint)

    def abandon(self, key: Key, wake: Callable[[str], None]) -> bool:
        """True: `wake` will not be called. False: it was, or is about to be."""
        return self._inflight.abandon(key.text, wake, scope=key.scope, fingerprint=key.fingerprint)

    def take(self, key: Key) -> Lead:
        """Notes who leads."""
        lead = self._leads[key] = Lead(caller())
        return lead

    def release(self, key: Key, lead: Lead | None = None) -> None:
        """The leader is done: all who wait look again. A `lead` that was reclaimed has nobody to wake."""
        if not self._gives_up(key, lead):
            return
        handoff = lead.handoff if lead else None
        if handoff is not None:
            self._handoffs[key] = handoff
        try:
            self._inflight.release(key.text, scope=key.scope, fingerprint=key.fingerprint)
        finally:
            if handoff is not None and self._handoffs.get(key) is handoff:
                del self._handoffs[key]

    def fail(self, key: Key, lead: Lead | None = None) -> None:
        """The leader failed: one of those who wait takes over."""
        if self._gives_up(key, lead):
            self._inflight.fail(key.text, scope=key.scope, fingerprint=key.fingerprint)

    def reclaim(self, key: Key) -> None:
        """Takes the lead from a request that can never end, and gives it to one of those who wait."""
        lead = self._leads.get(key)
        if lead is not None and lead.lost:
            self.fail(key, lead)

    def _gives_up(self, key: Key, lead: Lead | None) -> bool:
        with self._lock:
            if lead is not None and self._leads.get(key) is not lead:
                return False
            self._leads.pop(key, None)
        return True

    def handoff(self, key: Key) -> Handoff | None:
        """What the leader of `key`, who is waking those who wait, has laid down for them."""
        return self._handoffs.get(key)

    def hand(self, key: Key, sealed: _core.Encoded, hit_cost: float) -> None:
        """Lays down an answer that the store did not take, until the leader is done."""
        lead = self._leads.get(key)
        if lead is not None:
            lead.handoff = Handoff(sealed, hit_cost)


@dataclass(slots=True)
class Claim:
    """Effect: wait until the caller leads ("lead") or another request computed the answer ("done").

    Who waits looks up now and then whether the leader is lost with its event loop. `handoff` is then the
    answer, where the store had no place for it.
    """

    key: Key
    flight: SingleFlight
    handoff: Handoff | None = field(default=None, init=False, repr=False, compare=False)

    def wait(self) -> Role:
        """Blocks the thread."""
        asleep = threading.Lock()  # an Event costs twenty times as much, and most requests never wait
        asleep.acquire()
        turn = _Turn(self, asleep.release)
        if turn.leads_at_once():
            return "lead"
        try:
            while not asleep.acquire(timeout=_LOOK_SECONDS):
                self.flight.reclaim(self.key)
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
            while not (await asyncio.wait({woken}, timeout=_LOOK_SECONDS))[0]:
                self.flight.reclaim(self.key)
        except BaseException:
            turn.leave()
            raise
        return turn.role


class _Turn:
    """One waiter's place in the queue, and what wakes it. It hands the lead on when nobody waits any more.

    It holds no reference to itself: it is to end with the request.
    """

    __slots__ = ("_claim", "_left", "_lock", "_notify", "role")

    def __init__(self, claim: Claim, notify: Callable[[], object]) -> None:
        self._claim = claim
        self._notify = notify
        self._lock = threading.Lock()
        self._left = False
        self.role: Role = "done"

    def leads_at_once(self) -> bool:
        return self._claim.flight.claim(self._claim.key, self)

    def leave(self) -> None:
        """The waiter was interrupted or cancelled."""
        if self._claim.flight.abandon(self._claim.key, self):
            return
        with self._lock:
            self._left = True
            lead = self.role == "lead"
            self.role = "done"
        if lead:
            self._claim.flight.fail(self._claim.key)

    def __call__(self, role: str) -> None:
        with self._lock:
            if not self._left and role == "lead":
                self.role = "lead"
            orphan = self._left and role == "lead"
        if role == "done":
            self._claim.handoff = self._claim.flight.handoff(self._claim.key)
        if orphan:
            self._claim.flight.fail(self._claim.key)
            return
        try:
            self._notify()
        except RuntimeError:  # the waiter's event loop was closed
            self.leave()


def caller() -> object:
    """Who is calling: the running asyncio task, or else the thread, or whom this thread works for."""
    behalf = _BEHALF.get()
    if behalf is not None:
        return behalf
    asyncio = sys.modules.get("asyncio")
    # To ask for the task where no loop runs is answered by an exception, which takes longer than the rest.
    if asyncio is not None and asyncio._get_running_loop() is not None:
        task = asyncio.current_task()
        if task is not None:
            return task
    return threading.get_ident()


def on_behalf() -> contextvars.Context:
    """A context for a thread that works for the caller, and must not wait for what the caller leads."""
    context = contextvars.copy_context()
    context.run(_BEHALF.set, caller())
    return context
