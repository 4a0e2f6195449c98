"""Ledgers in integer billionths, so that sums are exact in any order."""

import threading
from dataclasses import dataclass

from lecmux import _fork
from lecmux.query import Unit

__all__ = ["NANO", "Account", "Ledger"]

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """Sums of one unit, in billionths of it (nano-dollars, nanoseconds).

    Attributes:
        spent: paid for model calls.
        saved_by_hits: what the answers served from the cache had cost.
        saved_by_routing: expected cost of the router's baseline less the cost paid, over all calls.
        price_of_errors: price of the answers known to be wrong, served from a model or from the cache.
        would_save_by_hits: what requests in shadow paid although a stored answer was there.
        would_save_by_routing: what requests in shadow paid beyond the expected cost of the route.
    """

    spent: int = 0
    saved_by_hits: int = 0
    saved_by_routing: int = 0
    price_of_errors: int = 0
    would_save_by_hits: int = 0
    would_save_by_routing: int = 0


class Ledger:
    """One account in dollars and one in seconds; they are never added together."""

    def __init__(self) -> None:
        self._sums: dict[Unit, list[int]] = {"usd": [0] * 6, "seconds": [0] * 6}
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def account(self, unit: Unit) -> Account:
        """The sums so far."""
        with self._lock:
            return Account(*self._sums[unit])

    def add(
        self,
        unit: Unit,
        *,
        spent: float = 0.0,
        saved_by_hits: float = 0.0,
        saved_by_routing: float = 0.0,
        price_of_errors: float = 0.0,
        would_save_by_hits: float = 0.0,
        would_save_by_routing: float = 0.0,
    ) -> None:
        """Adds amounts given in `unit`; each is rounded to a whole billionth once, here."""
        amounts = (
            spent,
            saved_by_hits,
            saved_by_routing,
            price_of_errors,
            would_save_by_hits,
            would_save_by_routing,
        )
        whole = [round(amount * NANO) for amount in amounts]  # raises on NaN before anything is added
        with self._lock:
            sums = self._sums[unit]
            for place, amount in enumerate(whole):
                sums[place] += amount
