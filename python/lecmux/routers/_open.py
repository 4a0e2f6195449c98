"""The decisions whose quality may still become known, in bounded memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lecmux import _fork
from lecmux.query import Key, Unit

_MOST_DECISIONS = 16_384
_MOST_KEY_CHARACTERS = 16 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Origin:
    """What gave one answer.

    Attributes:
        id: of the decision behind the call.
        key: of the query.
        arm: that was called.
        told: the price of its error that the estimator knows of so far.
        open: how many open decisions served its answer.
    """

    id: str
    key: Key
    arm: str
    told: float
    open: int = 0


@dataclass(slots=True)
class Open:
    """One decision that served an answer of `origin`. Of the decision itself no more is kept than is needed.

    Attributes:
        id: of the decision.
        model: that gave the answer.
        unit: of its amounts.
        origin: the model call behind the answer, shared by all decisions that served it.
        charged: the price of the error that the ledger holds for this decision so far.
        store: returns the store that may hold the answer, or None when it is gone.
        settle: books a further price of error, with the quality behind it.
    """

    id: str
    model: str | None
    unit: Unit
    origin: Origin
    charged: float
    store: Callable[[], Any]
    settle: Callable[["Open", float, float], None]


class OpenDecisions:
    """The latest decisions by id; the oldest are forgotten first."""

    def __init__(self, *, most: int = _MOST_DECISIONS, most_characters: int = _MOST_KEY_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._characters = 0
        self._open: OrderedDict[str, Open] = OrderedDict()
        # An origin is known for as long as any decision that served its answer is.
        self._origins: dict[str, Origin] = {}
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def get(self, decision_id: str) -> Open | None:
        """The decision, unless it was forgotten or never was."""
        return self._open.get(decision_id)

    def origin(self, decision_id: str) -> Origin | None:
        """The model call of that decision id, while any decision that served its answer is open."""
        return self._origins.get(decision_id)

    def add(self, entry: Open) -> None:
        """Remembers a decision and forgets the oldest beyond the bounds."""
        origin = entry.origin
        with self._lock:
            self._open[entry.id] = entry
            self._origins[origin.id] = origin
            origin.open += 1
            self._characters += len(origin.key.text)
            while len(self._open) > self._most or self._characters > self._most_characters:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        origin = self._open.popitem(last=False)[1].origin
        self._characters -= len(origin.key.text)
        origin.open -= 1
        if not origin.open and self._origins.get(origin.id) is origin:
            del self._origins[origin.id]

    def restate(self, entry: Open, error: float) -> tuple[float, float]:
        """Notes the price of error now known; returns what is new to the estimator and to the ledger."""
        with self._lock:
            unknown = error - entry.origin.told
            uncharged = error - entry.charged
            entry.origin.told = entry.charged = error
        return unknown, uncharged
