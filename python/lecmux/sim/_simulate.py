"""Serves a trace from an empty cache."""

import sys
from array import array
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lecmux import _core
from lecmux.errors import ConfigError
from lecmux.policies._check import whole
from lecmux.policies.estimate import Estimator, ValueOfInformation
from lecmux.policies.evict import Eviction, Lec
from lecmux.policies.scored import Scored

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["HIT", "SimResult", "simulate"]

HIT = -1
"""The choice of a request that was served from the cache."""

_MATRIX = 2
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SimResult:
    """What a replay cost.

    Attributes:
        total_cost: of all misses.
        hits: requests served from the cache.
        choices: for each request the model called, or `HIT`; int8.
        resident: the queries in the cache at the end; ascending where they are numbers.
    """

    total_cost: float
    hits: int
    choices: "array[int]"
    resident: tuple[Any, ...]

    @property
    def requests(self) -> int:
        """Length of the trace."""
        return len(self.choices)


def simulate(
    queries: "Sequence[Hashable] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    *,
    capacity: int,
    evict: Eviction = Lec(),
    estimator: Estimator = ValueOfInformation(),
    arm: int | None = None,
    sizes: "Sequence[int] | Buffer | None" = None,
    cost_floor: float = 0.0,
    cost_ceiling: float | None = None,
    seed: int = 0,
) -> SimResult:
    """Serves a trace from an empty cache, learning as it goes.

    A request is counted and looked up. A miss chooses a model, pays its cost, learns that cost and no other,
    and offers the answer to the cache. The same inputs give the same result on every machine.

    Args:
        queries: what is asked, in order, (T,): integers (a buffer is read as such), or anything hashable.
        costs: what each request would cost with each model, (T, models), or (T,) for one model; at least 0.
        capacity: total size that may be resident.
        evict: who leaves.
        estimator: how sure to be of a cost before it counts.
        arm: the only model to call; None leaves the choice to the estimator.
        sizes: of the answer to each request, (T,), whole and at least 1; None makes each 1.
        cost_floor: the least an answer can cost.
        cost_ceiling: the most it can cost; for the range bounds, which else take the largest cost seen.
        seed: keys the hash behind the sampling of self-tuned decay.

    Raises:
        ConfigError: for shapes that do not fit together and settings out of range.
        CostError: for a cost that is NaN, negative or infinite.
    """
    if isinstance(evict, Scored):
        raise ConfigError("a simulation asks no function: replay a trace through a Cache(evict=Scored(...))")
    whole("capacity", capacity)
    whole("seed", seed, least=0)
    if seed > _MOST:
        raise ConfigError(f"seed must be at most {_MOST}, not {seed}")
    numbers, names = _numbered(queries)
    table, models = _cost_table(costs)
    if arm is not None and not (type(arm) is int and 0 <= arm < models):
        raise ConfigError(f"arm must be None or the place of one of the {models} models, not {arm!r}")
    total, hits, choices, resident = _core.simulate(
        numbers,
        table,
        models=models,
        capacity=min(capacity, _MOST),
        evict=evict._spec(),
        estimator=estimator._spec(),
        cost_floor=cost_floor,
        cost_ceiling=cost_ceiling,
        sizes=None if sizes is None else _integers("sizes", sizes),
        arm=arm,
        seed=seed,
    )
    held = tuple(resident) if names is None else tuple(names[number] for number in resident)
    return SimResult(total, hits, array("b", choices), held)


def _numbered(queries: Any) -> "tuple[Buffer, list[Hashable] | None]":
    """The queries as int64 and, where they were no integers, the name of each number."""
    if _is_buffer(queries) or all(type(query) is int for query in queries):
        return _integers("queries", queries), None
    number: dict[Hashable, int] = {}
    try:
        numbers = array("q", (number.setdefault(query, len(number)) for query in queries))
    except TypeError as error:
        raise ConfigError(f"queries must be hashable: {error}") from error
    return numbers, list(number)


def _integers(name: str, values: Any) -> "Buffer":
    """`values` as a one-dimensional buffer of int64."""
    if _is_buffer(values):
        view = memoryview(values)
        if view.ndim != 1:
            raise ConfigError(f"{name} must have one dimension, not {view.ndim}")
        if view.format in ("q", "l") and view.itemsize == array("q").itemsize:
            return view
        values = view.tolist()
    try:
        return array("q", values)
    except (TypeError, OverflowError) as error:
        raise ConfigError(f"{name} must be whole numbers of 64 bits: {error}") from error


def _cost_table(costs: Any) -> "tuple[Buffer, int]":
    """`costs` as a buffer of float64 in C order, and the number of models."""
    numpy = sys.modules.get("numpy")  # whoever passes an array has loaded it
    if numpy is not None and isinstance(costs, numpy.ndarray) and costs.dtype.kind in "fiu":
        costs = numpy.ascontiguousarray(costs, dtype=numpy.float64)
    if _is_buffer(costs):
        view = memoryview(costs)
        if view.ndim not in (1, _MATRIX) or view.shape is None:
            raise ConfigError(f"costs must have one or two dimensions, not {view.ndim}")
        if view.format == "d":
            return view, view.shape[1] if view.ndim == _MATRIX else 1
        costs = view.tolist()
    rows = list(costs)
    if rows and isinstance(rows[0], Sequence):
        models = len(rows[0])
        if any(len(row) != models for row in rows):
            raise ConfigError("costs must have the same number of models in each row")
        return _reals(cost for row in rows for cost in row), models
    return _reals(rows), 1


def _reals(values: Iterable[float]) -> "array[float]":
    try:
        return array("d", values)
    except TypeError as error:
        raise ConfigError(f"costs must be numbers: {error}") from error


def _is_buffer(values: Any) -> bool:
    try:
        memoryview(values).release()
    except TypeError:
        return False
    return True
