"""Vectors and ids as the compiled module takes them: buffers of float32 and int64, row after row."""

import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from lecmux.errors import DimensionError, VectorError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MATRIX = 2
_FLOAT32 = 11
"""Numpy's number of that type."""


def vectors(values: Any, dim: int, what: str) -> "Buffer":
    """`values` as float32: a buffer or sequence of shape (n, dim), or one vector of shape (dim,).

    Raises:
        DimensionError: for rows of another length than `dim`.
        VectorError: for what is no matrix of numbers.
    """
    if is_numpy(values):
        kind = values.dtype
        if (
            kind.num == _FLOAT32
            and kind.isnative
            and values.flags.c_contiguous
            and values.ndim in (1, _MATRIX)
        ):
            _expect_coordinates(values.shape[-1], dim, what)
            return values  # type: ignore[no-any-return]  # an array of numpy is a buffer
    values = _of_numpy(values, "fiu", "float32")
    view = _view(values)
    if view is None:
        return _listed(values, dim, what)
    if view.ndim not in (1, _MATRIX) or view.shape is None:
        raise VectorError(f"{what} must have one or two dimensions, not {view.ndim}")
    _expect_coordinates(view.shape[-1], dim, what)
    if view.format == "f" and view.c_contiguous:
        return view
    return _listed(view.tolist(), dim, what)


def _is_plain(values: Any) -> bool:
    """Whether an array of numpy can be taken as it is: found out in an instant, for single queries."""
    kind = values.dtype
    plain = kind.num == _FLOAT32 and kind.isnative and values.flags.c_contiguous
    return bool(plain) and 0 < values.ndim <= _MATRIX


def _expect_coordinates(found: int, dim: int, what: str) -> None:
    if found != dim:
        raise DimensionError(f"{what} must have {dim} coordinates each, as the index has, not {found}")


def ids(values: Any) -> "Buffer":
    """`values` as int64: one whole number, or a buffer or sequence of them.

    Raises:
        VectorError: for anything else.
    """
    if isinstance(values, int):
        values = (values,)
    values = _of_numpy(values, "iu", "int64")
    view = _view(values)
    if view is not None:
        if view.ndim != 1:
            raise VectorError(f"ids must have one dimension, not {view.ndim}")
        if view.format in ("q", "l") and view.itemsize == array("q").itemsize and view.c_contiguous:
            return view
        values = view.tolist()
    try:
        return array("q", values)
    except (TypeError, OverflowError) as error:
        raise VectorError(f"ids must be whole numbers of 64 bits: {error}") from error


def is_numpy(values: Any) -> bool:
    """Whether it is an array of numpy, which is not imported for the question."""
    numpy = sys.modules.get("numpy")  # whoever passes an array has loaded it
    return numpy is not None and isinstance(values, numpy.ndarray)


def array_of(cells: bytes, code: Literal["q", "f"], shape: tuple[int, int]) -> Any:
    """Numbers of the type `code` as an array of numpy, which whoever passed one has loaded."""
    return sys.modules["numpy"].ndarray(shape, code, cells)


def matrix(cells: bytes, code: Literal["q", "f"], columns: int) -> "memoryview[int] | memoryview[float]":
    """Rows of `columns` numbers of the type `code` as a view of two dimensions."""
    view = memoryview(cells).cast(code)
    if not columns:
        return view  # a view cannot have a dimension of 0
    return memoryview(cells).cast(code, (len(view) // columns, columns))


def _listed(rows: Any, dim: int, what: str) -> "array[float]":
    """Rows of a sequence, or the one row that it is."""
    rows = list(rows)
    if rows and not isinstance(rows[0], Sequence) and _view(rows[0]) is None:
        rows = [rows]
    cells = array("f")
    for row, vector in enumerate(rows):
        try:
            numbers = array("f", vector)
        except (TypeError, OverflowError) as error:
            raise VectorError(f"{what}: row {row} must be numbers: {error}") from error
        if len(numbers) != dim:
            raise DimensionError(
                f"{what} must have {dim} coordinates each, as the index has; row {row} has {len(numbers)}"
            )
        cells.extend(numbers)
    return cells


def _of_numpy(values: Any, kinds: str, wanted: str) -> Any:
    """An array of numpy whose kind is one of `kinds` as `wanted` in C order; all else as it is."""
    if is_numpy(values) and values.dtype.kind in kinds:
        return sys.modules["numpy"].ascontiguousarray(values, dtype=wanted)
    return values


def _view(values: Any) -> memoryview | None:
    try:
        return memoryview(values)
    except (TypeError, ValueError):
        return None
