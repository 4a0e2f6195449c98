"""Traces as the compiled module takes them: buffers of one type, in C order."""

import sys
from array import array
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lecmux.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MATRIX = 2
_FEW = 2**20
_SPREAD = 16


def numbered(queries: Any) -> "tuple[Buffer, list[Hashable] | None]":
    """The queries as int64 and, where they were not numbered densely from 0, the name of each number.

    Raises:
        ConfigError: for a buffer of other than whole numbers, and for what is not hashable.
    """
    if _is_buffer(queries) and not _holds_objects(queries):
        return integers("queries", queries), None
    queries = list(queries)
    most = max(_FEW, _SPREAD * len(queries))
    if all(type(query) is int and 0 <= query < most for query in queries):
        return array("q", queries), None
    number: dict[Hashable, int] = {}
    numbers = array("q", bytes(8 * len(queries)))
    for row, query in enumerate(queries):
        try:
            numbers[row] = number.setdefault(query, len(number))
        except TypeError as error:
            raise ConfigError(f"request {row}: a query must be hashable: {error}") from error
    return numbers, list(number)


def integers(name: str, values: Any) -> "Buffer":
    """`values` as a one-dimensional buffer of int64."""
    values = _of_numpy(values, "iu", "int64")
    if _is_buffer(values):
        view = memoryview(values)
        if view.ndim != 1:
            raise ConfigError(f"{name} must have one dimension, not {view.ndim}")
        if view.format in ("q", "l") and view.itemsize == array("q").itemsize:
            return view
        values = _listed(name, view)
    values = list(values)
    try:
        return array("q", values)
    except (TypeError, OverflowError):
        row = next(row for row, value in enumerate(values) if not _fits(value))
        raise ConfigError(f"{name} must be whole numbers of 64 bits; row {row} is {values[row]!r}") from None


def held(queries: Iterable[Hashable], names: list[Hashable] | None) -> "Buffer":
    """The queries as numbers; one that has none is never asked and left out."""
    if names is None:
        return integers("resident", queries if _is_buffer(queries) else list(queries))
    number = {name: place for place, name in enumerate(names)}
    return array("q", [number[query] for query in queries if query in number])


def places(name: str, models: Any) -> "Buffer":
    """Places of models, -1 to 63, as a buffer of int8."""
    view = integers(name, models)
    try:
        return array("b", memoryview(view).tolist())
    except OverflowError as error:
        raise ConfigError(f"{name} must hold places of models, or -1: {error}") from error


def cost_table(costs: Any, name: str = "costs") -> "tuple[Buffer, int]":
    """`costs` as a buffer of float64 in C order, and the number of models."""
    costs = _of_numpy(costs, "fiu", "float64")
    if _is_buffer(costs):
        view = memoryview(costs)
        if view.ndim not in (1, _MATRIX) or view.shape is None:
            raise ConfigError(f"{name} must have one or two dimensions, not {view.ndim}")
        if view.format == "d":
            return view, view.shape[1] if view.ndim == _MATRIX else 1
        costs = _listed(name, view)
    rows = list(costs)
    if rows and isinstance(rows[0], Sequence):
        models = len(rows[0])
        for row, cells in enumerate(rows):
            if not isinstance(cells, Sequence) or len(cells) != models:
                raise ConfigError(
                    f"{name} must have the same number of models in each row; row {row} is {cells!r}"
                )
        return _reals((row, cost) for row, cells in enumerate(rows) for cost in cells), models
    return _reals(enumerate(rows)), 1


def flags(name: str, values: Any) -> bytes:
    """`values`, one truth value a cell in rows of any length, as a byte each."""
    values = _of_numpy(values, "biu", "bool")
    if _is_buffer(values):
        return bytes(map(bool, memoryview(values).tobytes()))
    try:
        cells = [cell for row in values for cell in (row if isinstance(row, Sequence) else (row,))]
    except TypeError as error:
        raise ConfigError(f"{name} must be rows of truth values: {error}") from error
    return bytes(map(bool, cells))


def _reals(cells: Iterable[tuple[int, Any]]) -> "array[float]":
    """The numbers among (row, number)."""
    table = array("d")
    for row, cost in cells:
        try:
            table.append(cost)
        except TypeError as error:
            raise ConfigError(f"request {row}: a cost must be a number, not {cost!r}") from error
    return table


def _of_numpy(values: Any, kinds: str, wanted: str) -> Any:
    """An array of numpy whose kind is one of `kinds` as `wanted` in C order; all else as it is."""
    numpy = sys.modules.get("numpy")  # whoever passes an array has loaded it
    if numpy is not None and isinstance(values, numpy.ndarray) and values.dtype.kind in kinds:
        return numpy.ascontiguousarray(values, dtype=wanted)
    return values


def _holds_objects(values: Any) -> bool:
    """Whether it is an array of numpy of texts or of Python's objects."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(values, numpy.ndarray) and values.dtype.kind in "OSTU"


def _listed(name: str, view: memoryview) -> list[Any]:
    try:
        return view.tolist()
    except NotImplementedError as error:
        raise ConfigError(f"{name}: a buffer of {view.format!r} cannot be read") from error


def _fits(value: Any) -> bool:
    try:
        array("q", [value])
    except (TypeError, OverflowError):
        return False
    return True


def _is_buffer(values: Any) -> bool:
    try:
        memoryview(values).release()
    except (TypeError, ValueError):
        return False
    return True
