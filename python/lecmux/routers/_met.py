"""The queries met of late, with what a prior knows of them."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from lecmux import _core, _fork
from lecmux.query import Key, Query
from lecmux.routers.multiplexer import Prior

_MOST = 4_096


@dataclass(slots=True)
class _Met:
    """`labels`: by arm, the number under which the prior learnt this query's cost."""

    read: Any
    labels: dict[int, int] = field(default_factory=dict)


class MetQueries:
    """Asks a prior about queries by their keys. The oldest beyond 4,096 are forgotten: they have no prior."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        self._met: OrderedDict[Key, _Met] = OrderedDict()
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._met)

    def meet(self, key: Key, query: Query) -> None:
        """Reads a query, unless it is known."""
        with self._lock:
            if key in self._met:
                self._met.move_to_end(key)
                return
        read = self.prior.read(query)  # may be the user's code: no lock is held
        with self._lock:
            self._met.setdefault(key, _Met(read))
            while len(self._met) > _MOST:
                self._met.popitem(last=False)

    def expect(self, key: Key) -> _core.Expected | None:
        """What the query under `key` is expected to cost; None where nothing is known."""
        met = self._met.get(key)
        return None if met is None else self.prior.expect(met.read)

    def learn(self, key: Key, place: int, cost: float, *, first: bool) -> None:
        """An arm cost that much. A query teaches once an arm: asked often, it must not speak for others."""
        met = self._met.get(key)
        if met is None:
            return
        if not first:
            met.labels.pop(place, None)  # what is told later is about this newer answer
            return
        number = self.prior.learn(met.read, place, cost)
        if number is not None:
            met.labels[place] = number

    def amend(self, key: Key, place: int, delta: float) -> None:
        """The cost learnt last turns out to be `delta` more."""
        met = self._met.get(key)
        number = None if met is None else met.labels.get(place)
        if met is not None and number is not None:
            self.prior.amend(met.read, place, number, delta)
