"""The decisions whose quality may still become known, in bounded memory."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lecmux import _fork
from lecmux.query import Decision, Key

_MOST_DECISIONS = 16_384
_MOST_KEY_CHARACTERS = 16 * 1024 * 1024


@dataclass(slots=True, weakref_slot=True, eq=False)
class Origin:
    """What gave one answer. `told`: the price of its error that the estimator knows of so far."""

    id: str
    key: Key
    arm: str
    told: float


@dataclass(slots=True)
class Open:
    """One decision that served an answer of `origin`.

    Attributes:
        decision: what was decided.
        origin: the model call behind the answer, shared by all decisions that served it.
        charged: the price of the error that the ledger holds for this decision so far.
        store: returns the store that may hold the answer, or None when it is gone.
        settle: books a further price of error, with the quality behind it.
    """

    decision: Decision
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
        self._origins: weakref.WeakValueDictionary[str, Origin] = weakref.WeakValueDictionary()
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
        with self._lock:
            self._open[entry.decision.id] = entry
            self._origins[entry.origin.id] = entry.origin
            self._characters += len(entry.origin.key.text)
            while len(self._open) > self._most or self._characters > self._most_characters:
                _, oldest = self._open.popitem(last=False)
                self._characters -= len(oldest.origin.key.text)

    def restate(self, entry: Open, error: float) -> tuple[float, float]:
        """Notes the price of error now known; returns what is new to the estimator and to the ledger."""
        with self._lock:
            unknown = error - entry.origin.told
            uncharged = error - entry.charged
            entry.origin.told = entry.charged = error
        return unknown, uncharged
