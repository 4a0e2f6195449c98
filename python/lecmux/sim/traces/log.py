"""Logs of yours, to replay what another cache, or another pair of models, would have cost."""

import json
import math
import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from lecmux.costs import AnyPrice
from lecmux.errors import ConfigError, CostError
from lecmux.query import Usage
from lecmux.sim.traces._numpy import np
from lecmux.sim.traces._rows import columns_of, rows_of
from lecmux.sim.traces.trace import Trace

__all__ = ["Log", "Tokens", "read_log"]

_PREFIX = "cost_"
_DAY_SECONDS = 86_400.0
_TOO_LARGE = 2**63


@dataclass(frozen=True, slots=True)
class Tokens:
    """Costs from token counts, where a log has no costs: each model is taken to need as many tokens.

    Attributes:
        prices: by the model's name.
        input_tokens: the column that counts them.
        output_tokens: likewise.
    """

    prices: Mapping[str, AnyPrice]
    input_tokens: str = "input_tokens"
    output_tokens: str = "output_tokens"


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """A log that was read.

    Attributes:
        trace: what `simulate` replays; queries are numbered in the order of their first requests.
        models: names of the columns of costs, in their order.
        days: from the first request to the last; None for a log without times.
    """

    trace: Trace
    models: tuple[str, ...]
    days: float | None


def read_log(
    path: str | os.PathLike[str],
    *,
    query: str = "query",
    costs: Mapping[str, str] | Tokens | None = None,
    size: str | None = None,
    scope: str | None = None,
    time: str | None = None,
) -> Log:
    """Reads a log, a row a request, row by row; no text of a query stays in memory.

    The ending says the format: .csv, .jsonl (either may be packed, .gz), .parquet.

    Args:
        path: the file.
        query: the column with what was asked: text, a number, or any JSON value. Equal ones are one query.
        costs: the column with the cost of each model, by the model's name; or how to price tokens. Each row
            needs the cost of every model. None takes the columns that start with `cost_`.
        size: the column with the size of the answer, whole and at least 1; None makes each 1.
        scope: the column with the tenant, who shares no answers with others.
        time: the column with the time of the request, in seconds since 1970 or as ISO 8601 (UTC unless it
            says otherwise). Rows are replayed in its order; without it, in theirs.

    Raises:
        ConfigError: for a format that is not known, a column that is not there, an empty log, and a cell that
            cannot be: the message names the file, the row from 1 and the column.
        CostError: for a cost that is missing, NaN, negative or infinite, likewise.
        MissingExtraError: numpy, or for Parquet pyarrow, is not installed.
        OSError: when the file cannot be read.
    """
    path = Path(path)
    there = columns_of(path)
    priced = _priced(path, there, costs)
    named = (query, size, scope, time)
    wanted = list(dict.fromkeys(name for name in (*named, *priced.columns) if name is not None))
    for name in wanted:
        if name not in there:
            raise ConfigError(f"{path} has no column {name!r}; it has {', '.join(map(repr, there))}")
    reader = _Reader(_Names(*named), priced)
    for row, cells in enumerate(rows_of(path, wanted), start=1):
        reader.take(_Row(f"{path}, row {row}", dict(zip(wanted, cells, strict=True))))
    return reader.log(path)


@dataclass(frozen=True, slots=True)
class _Names:
    """Columns other than costs."""

    query: str
    size: str | None
    scope: str | None
    time: str | None


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells by their columns. `where` says which row, for errors."""

    where: str
    cells: Mapping[str, Any]

    def cost(self, column: str) -> float:
        cell = self.cells[column]
        cost = _number(cell)
        if not math.isfinite(cost) or cost < 0:
            raise CostError(self.wrong(column, "a cost must be a finite number of at least 0"))
        return cost

    def whole(self, column: str, least: int) -> int:
        cell = self.cells[column]
        number = _number(cell)
        if not number.is_integer() or not least <= number < _TOO_LARGE:
            raise ConfigError(self.wrong(column, f"it must be a whole number of at least {least}"))
        return int(number)

    def moment(self, column: str) -> datetime:
        cell = self.cells[column]
        seconds = _number(cell)
        try:
            if math.isfinite(seconds):
                return datetime.fromtimestamp(seconds, UTC)
            when = datetime.fromisoformat(cell) if isinstance(cell, str) else cell
            return when if when.tzinfo else when.replace(tzinfo=UTC)
        except (AttributeError, ValueError, OverflowError, OSError):
            says = "a time must be in seconds since 1970 or as ISO 8601"
            raise ConfigError(self.wrong(column, says)) from None

    def wrong(self, column: str, must: str) -> str:
        cell = self.cells[column]
        return (
            f"{self.where}, column {column!r}: {must}; {'there is none' if cell is None else f'not {cell!r}'}"
        )


class _Columns:
    """Costs that stand in columns."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.models = tuple(columns)
        self.columns = tuple(columns.values())

    def costs(self, row: _Row, when: datetime | None) -> list[float]:
        """One a model."""
        return [row.cost(column) for column in self.columns]


class _Priced:
    """Costs from token counts."""

    def __init__(self, tokens: Tokens) -> None:
        self.models = tuple(tokens.prices)
        self.columns = (tokens.input_tokens, tokens.output_tokens)
        self._prices = tuple(tokens.prices.values())

    def costs(self, row: _Row, when: datetime | None) -> list[float]:
        """One a model."""
        usage = Usage(*(row.whole(column, 0) for column in self.columns))
        return [price.cost_usd(usage, when) for price in self._prices]


def _priced(path: Path, there: Sequence[str], costs: Mapping[str, str] | Tokens | None) -> _Columns | _Priced:
    if isinstance(costs, Tokens):
        found: _Columns | _Priced = _Priced(costs)
    elif costs is None:
        found = _Columns({name.removeprefix(_PREFIX): name for name in there if name.startswith(_PREFIX)})
    else:
        found = _Columns(costs)
    if not found.models:
        raise ConfigError(
            f"{path}: say which columns hold the cost of which model; none starts with {_PREFIX!r}"
        )
    return found


class _Reader:
    """Collects rows."""

    def __init__(self, names: _Names, priced: _Columns | _Priced) -> None:
        self._names, self._priced = names, priced
        self._number: dict[bytes, int] = {}
        self._queries, self._sizes = array("q"), array("q")
        self._costs, self._times = array("d"), array("d")

    def take(self, row: _Row) -> None:
        """Takes in one row."""
        names = self._names
        self._queries.append(self._number.setdefault(self._key(row), len(self._number)))
        when = None if names.time is None else row.moment(names.time)
        if when is not None:
            self._times.append(when.timestamp())
        self._costs.extend(self._priced.costs(row, when))
        if names.size is not None:
            self._sizes.append(row.whole(names.size, 1))

    def _key(self, row: _Row) -> bytes:
        """A digest in place of the text, which may be long."""
        asked = row.cells[self._names.query]
        if asked is None:
            raise ConfigError(row.wrong(self._names.query, "each request needs a query"))
        if isinstance(asked, (dict, list)):
            asked = json.dumps(asked, sort_keys=True, default=str)
        scope = None if self._names.scope is None else row.cells[self._names.scope]
        return blake2b(repr((scope, asked)).encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def log(self, path: Path) -> Log:
        """All rows, in the order of their times."""
        if not self._queries:
            raise ConfigError(f"{path} has no rows")
        queries = np.frombuffer(self._queries, np.int64)
        costs = np.frombuffer(self._costs, np.float64).reshape(len(queries), -1)
        sizes = np.frombuffer(self._sizes, np.int64) if self._sizes else None
        if not self._times:
            return Log(Trace(queries, costs, sizes=sizes), self._priced.models, None)
        times = np.frombuffer(self._times, np.float64)
        order = np.argsort(times, kind="stable")
        trace = Trace(queries[order], costs[order], sizes=None if sizes is None else sizes[order])
        return Log(trace, self._priced.models, float(np.ptp(times)) / _DAY_SECONDS)


def _number(cell: Any) -> float:
    """NaN for what is no number."""
    try:
        return math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan
