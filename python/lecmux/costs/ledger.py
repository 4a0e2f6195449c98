"""Ledgers in integer billionths, so that sums are exact in any order."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Literal

from lecmux import _core, _fork
from lecmux.query import Unit

__all__ = ["NANO", "Account", "Ledger", "Line", "add_up"]

NANO = 1_000_000_000
"""Ledgers count whole billionths of a unit: so many make one."""
_MOST_LINES = 4096
_EPOCH = date(1970, 1, 1)

# Day since 1970, scope, model. None where lines were joined to bound the memory.
_Place = tuple[int | None, str | None, str | None]
_Sums = list[int]
_Table = dict[_Place, _Sums]


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Sums of one unit, in billionths of it (nano-dollars, nanoseconds).

    Attributes:
        spent: paid for model calls.
        saved_by_hits: what the answers served from the cache had cost.
        saved_by_routing: expected cost of the router's baseline less the cost of the answer; for a hit, as it
            was when the answer was made.
        price_of_errors: price of the answers known to be wrong, served from a model or from the cache.
        would_save_by_hits: what requests in shadow paid although a stored answer was there.
        would_save_by_routing: what requests in shadow paid beyond the expected cost of the route.
        calls: answers that a model gave.
        hits: answers that were served from the cache.
        unpriced: calls whose cost could not be known, and is not in `spent`.
    """

    spent: int = 0
    saved_by_hits: int = 0
    saved_by_routing: int = 0
    price_of_errors: int = 0
    would_save_by_hits: int = 0
    would_save_by_routing: int = 0
    calls: int = 0
    hits: int = 0
    unpriced: int = 0

    @property
    def saved(self) -> int:
        """By hits and by routing."""
        return self.saved_by_hits + self.saved_by_routing

    @property
    def baseline(self) -> int:
        """What the same requests were expected to cost with everything sent to the router's baseline."""
        return self.spent + self.saved

    def amounts(self) -> dict[str, int]:
        """The amounts by name, in billionths."""
        return {name.replace("_", " "): getattr(self, name) for name in _AMOUNTS}

    def __repr__(self) -> str:
        amounts = [f"{name} {nano / NANO:g}" for name, nano in self.amounts().items() if nano]
        counts = [f"{name} {getattr(self, name):,}" for name in _COUNTS if getattr(self, name)]
        return f"<Account: {', '.join(amounts + counts) or 'empty'}>"


_NAMES = tuple(each.name for each in fields(Account))
_COUNTS = ("calls", "hits", "unpriced")
_AMOUNTS = tuple(name for name in _NAMES if name not in _COUNTS)


@dataclass(frozen=True, slots=True)
class Line:
    """The account of one scope, model and day (UTC). None: of several, joined to bound the memory."""

    day: date | None
    scope: str | None
    model: str | None
    account: Account


class Ledger:
    """Accounts by scope, model and day, in dollars and in seconds, which are never added together.

    At most `most_lines` are kept for each unit. Beyond, days long past lose their scopes first, those with
    the smallest sums before the others; then days and models are joined. No amount is ever lost.

    Args:
        most_lines: for each unit.
        clock: seconds since 1970, for the day; None for the system's.
    """

    def __init__(self, *, most_lines: int = _MOST_LINES, clock: Callable[[], float] | None = None) -> None:
        self._tables: dict[Unit, _Table] = {"usd": {}, "seconds": {}}
        self._earlier: dict[Unit, _Table] = {"usd": {}, "seconds": {}}
        self._most = most_lines
        self._clock = clock
        # Requests add there, in one step; it is taken over before anybody looks.
        self._tally = _core.Tally()
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def add(
        self,
        unit: Unit,
        *,
        scope: str = "",
        model: str | None = "",
        kind: Literal["call", "hit"] | None = None,
        unpriced: bool = False,
        spent: float = 0.0,
        saved_by_hits: float = 0.0,
        saved_by_routing: float = 0.0,
        price_of_errors: float = 0.0,
        would_save_by_hits: float = 0.0,
        would_save_by_routing: float = 0.0,
        seconds: float | None = None,
    ) -> None:
        """Adds amounts given in `unit`; each is rounded to a whole billionth once, here.

        Args:
            unit: of all amounts.
            scope: the tenant.
            model: that gave the answer; None for an answer that was stored by hand.
            kind: counts one call or one hit; None: nothing but the amounts.
            unpriced: counts a call of unknown cost.
            spent: as in `Account`, as are the other amounts.
            saved_by_hits: as in `Account`.
            saved_by_routing: as in `Account`.
            price_of_errors: as in `Account`.
            would_save_by_hits: as in `Account`.
            would_save_by_routing: as in `Account`.
            seconds: time of the model, added to the seconds as well where `unit` is dollars: as saved for a
                hit, else as spent. None: nothing is known of it.
        """
        amounts = (
            spent,
            saved_by_hits,
            saved_by_routing,
            price_of_errors,
            would_save_by_hits,
            would_save_by_routing,
        )
        # Raises on NaN before anything is added.
        now = self._clock() if self._clock else None
        if self._tally.add(unit, scope, model or "", kind, amounts, unpriced, seconds, now):
            self._take_over()

    def add_hit(self, unit: Unit, scope: str, model: str | None, saved: float, seconds: float) -> None:
        """As `add` of a hit that saved `saved`, and `seconds` of the model: all that most hits book."""
        now = self._clock() if self._clock else None
        if self._tally.add_hit(unit, scope, model or "", saved, seconds, now):
            self._take_over()

    def account(self, unit: Unit) -> Account:
        """The sums since the ledger was made, what was restored left out."""
        self._take_over()
        with self._lock:
            return _total(self._tables[unit].values())

    def lines(self, unit: Unit) -> tuple[Line, ...]:
        """Everything by day, scope and model, what was restored included; in order of the days."""
        self._take_over()
        with self._lock:
            table = self._joined(unit)
        return tuple(_line(place, sums) for place, sums in sorted(table.items(), key=_in_order))

    def _take_over(self) -> None:
        """Adds what waits in the tally; nobody else sees the sums while they are in neither."""
        with self._lock:
            for unit, day, scope, model, added in self._tally.drain():
                sums = self._sums(unit, (day, scope, model))
                for column, nano in enumerate(added):
                    sums[column] += nano

    def _sums(self, unit: Unit, place: _Place) -> _Sums:
        table = self._tables[unit]
        try:
            return table[place]
        except KeyError:
            if len(table) >= self._most:
                _fold(table, self._most * 3 // 4)
            return table.setdefault(place, [0] * len(_NAMES))

    def _joined(self, unit: Unit) -> _Table:
        table = {place: list(sums) for place, sums in self._earlier[unit].items()}
        for place, sums in self._tables[unit].items():
            _merge(table, place, sums)
        _fold(table, self._most)
        return table

    def _spec(self) -> dict[str, Any]:
        """As JSON."""
        self._take_over()
        with self._lock:
            tables = {unit: self._joined(unit) for unit in self._tables}
        return {
            "columns": _NAMES,
            **{unit: [[*place, *sums] for place, sums in table.items()] for unit, table in tables.items()},
        }

    def _restore(self, spec: Mapping[str, Any]) -> None:
        """Goes on from what `_spec` described, in place of what was restored before.

        Raises:
            KeyError, TypeError, ValueError: for anything else; nothing is taken over then.
        """
        columns = [_NAMES.index(name) for name in spec["columns"]]
        earlier: dict[Unit, _Table] = {"usd": {}, "seconds": {}}
        for unit, table in earlier.items():
            for day, scope, model, *sums in spec[unit]:
                row = [0] * len(_NAMES)
                for column, amount in zip(columns, sums, strict=True):
                    row[column] = _whole(amount)
                _merge(table, (None if day is None else _whole(day), _name(scope), _name(model)), row)
            _fold(table, self._most)
        with self._lock:
            self._earlier = earlier


def add_up(lines: Iterable[Line]) -> Account:
    """The sum of their accounts."""
    return _total([getattr(line.account, name) for name in _NAMES] for line in lines)


def _total(rows: Iterable[_Sums]) -> Account:
    sums = [0] * len(_NAMES)
    for row in rows:
        for column, amount in enumerate(row):
            sums[column] += amount
    return Account(*sums)


def _fold(table: _Table, most: int) -> None:
    """Joins lines until `most` are left: first scopes, then days, then models; the oldest, smallest first."""
    for wider in (_without_scope, _without_day, _without_model):
        if len(table) <= most:
            return
        for place in sorted(table, key=lambda place: (place[0] or -1, sum(map(abs, table[place])))):
            if len(table) <= most:
                return
            if wider(place) != place:
                _merge(table, wider(place), table.pop(place))


def _without_scope(place: _Place) -> _Place:
    return place[0], None, place[2]


def _without_day(place: _Place) -> _Place:
    return None, None, place[2]


def _without_model(_place: _Place) -> _Place:
    return None, None, None


def _merge(table: _Table, place: _Place, sums: _Sums) -> None:
    kept = table.setdefault(place, [0] * len(_NAMES))
    for column, amount in enumerate(sums):
        kept[column] += amount


def _line(place: _Place, sums: _Sums) -> Line:
    day, scope, model = place
    return Line(None if day is None else _EPOCH + timedelta(days=day), scope, model, Account(*sums))


def _in_order(item: tuple[_Place, _Sums]) -> tuple[int, str, str]:
    day, scope, model = item[0]
    return -1 if day is None else day, scope or "", model or ""


def _whole(amount: Any) -> int:
    if not isinstance(amount, int):
        raise TypeError(f"a ledger holds whole billionths, not {amount!r}")
    return amount


def _name(name: Any) -> str | None:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a scope or model is a text, not {name!r}")
    return name
