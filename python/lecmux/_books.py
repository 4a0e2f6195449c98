"""Bookkeeping of the pipeline: what decisions cost and saved, now and when their quality becomes known."""

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from lecmux._envelope import Entry
from lecmux._hook_runner import HookRunner
from lecmux.costs.ledger import Ledger
from lecmux.events import Observe
from lecmux.query import Decision, Key, Reply, Unit
from lecmux.routers._open import Open, Origin
from lecmux.routers.router import Router


class Bill(NamedTuple):
    """One model call with what it cost.

    Attributes:
        key: of the query; None when it could not be known.
        decision: its `model` is the one that answered.
        reply: of the model.
        arm: of the router, which learns from this; None where nothing is to be learnt.
        own: cost of the call; None when it could not be known.
        paid: the same with what was paid before it, for calls that failed or were not good enough.
        seconds: that all of it took.
        quality: in [0, 1]; None while nobody knows.
        error: price of the error known by now.
    """

    key: Key | None
    decision: Decision
    reply: Reply
    arm: str | None
    own: float | None
    paid: float | None
    seconds: float
    quality: float | None
    error: float


class Books(NamedTuple):
    """Writes to one ledger. It holds no entries, so that open decisions keep no cache alive."""

    ledger: Ledger
    hooks: HookRunner
    router: Router | None

    def hit(self, key: Key, decision: Decision, entry: Entry, hit_cost: float, store: Any) -> None:
        """A stored answer was served, whose error is known to cost `hit_cost`."""
        origin = None
        if self.router and entry.origin is not None and entry.model in self.router.models:
            # The store rounds to single precision; what was told is exact.
            known = self.router.origin(entry.origin)
            origin = known or Origin(entry.origin, key, str(entry.model), float(f"{hit_cost:.7g}"))
            hit_cost = origin.told
        self.ledger.add(
            decision.unit,
            scope=key.scope,
            model=entry.model,
            kind="hit",
            saved_by_hits=entry.cost,
            saved_by_routing=entry.saved,
            price_of_errors=hit_cost,
            seconds=entry.seconds,
        )
        if origin:
            self._keep_open(decision, origin, hit_cost, store)

    def call(self, bill: Bill, store: Any) -> None:
        """A model was called and paid."""
        decision = bill.decision
        seconds = bill.reply.usage.seconds if bill.arm else 0.0  # without an arm it was booked as lost
        self.ledger.add(
            decision.unit,
            scope=bill.key.scope if bill.key else "",
            model=decision.model,
            kind="call",
            unpriced=bill.own is None,
            spent=bill.own or 0.0,
            saved_by_routing=decision.saved,
            price_of_errors=bill.error,
            seconds=None if bill.own is None else seconds,
        )
        if bill.own is None or bill.key is None or bill.arm is None:
            return
        origin = Origin(decision.id, bill.key, bill.arm, bill.error)
        self._keep_open(decision, origin, bill.error, store)
        self._tell(
            origin, decision, (bill.own if bill.paid is None else bill.paid) + bill.error, bill.quality
        )

    def lost(self, key: Key | None, model: str, unit: Unit, cost: float | None, seconds: float) -> None:
        """A call was paid whose answer is not given: it failed, or was not good enough."""
        scope = key.scope if key else ""
        self.ledger.add(
            unit, scope=scope, model=model, spent=cost or 0.0, unpriced=cost is None, seconds=seconds
        )

    def _keep_open(self, decision: Decision, origin: Origin, charged: float, store: Any) -> None:
        if self.router:
            nearby: Callable[[], Any] = _nowhere if store is None else weakref.ref(store)
            known = decision.id, decision.model, decision.unit
            self.router.remember(Open(*known, origin, charged, nearby, self._settle))

    def _settle(self, entry: Open, uncharged: float, quality: float) -> None:
        """The quality became known: books what the error costs beyond what was booked."""
        scope = entry.origin.key.scope
        self.ledger.add(entry.unit, scope=scope, model=entry.model, price_of_errors=uncharged)
        self._tell(entry.origin, entry, uncharged, quality)

    def _tell(self, origin: Origin, decision: Decision | Open, cost: float, quality: float | None) -> None:
        if self.hooks.listening:
            event = Observe(origin.key, decision.id, str(decision.model), cost, quality, decision.unit)
            self.hooks.emit(event)


def _nowhere() -> None:
    """Stands for a store that never was."""
