"""What an embedder gave, as rows of float32 of length 1."""

import math
import sys
from array import array
from collections.abc import Sequence
from typing import Any

from lecmux._vector_buffers import is_numpy
from lecmux.errors import DimensionError, VectorError

__all__ = ["unit_rows"]

_MATRIX = 2
_SHORTEST = 1e-12


def unit_rows(vectors: Any, count: int, dim: int | None, who: str) -> Any:
    """`vectors`, whatever their kind, as a buffer (count, dim) of float32 whose rows have length 1.

    An array of numpy stays one; all else becomes a view of memory. numpy is not imported for it.

    Raises:
        DimensionError: for rows of another length than `dim`, or, where that is None, than each other.
        VectorError: for another number of rows, a row of zeros, or a coordinate that is not finite.
    """
    if is_numpy(vectors):
        return _arrays(vectors, count, dim, who)
    if isinstance(vectors, memoryview):  # which is not iterated row by row
        vectors = vectors.tolist()
    rows = [_listed(row, place, who) for place, row in enumerate(vectors)]
    _held_to(len(rows), count, who)
    if not rows:
        return memoryview(b"").cast("f")
    wanted = len(rows[0]) if dim is None else dim
    cells = array("f")
    for place, row in enumerate(rows):
        _of_dim(len(row), wanted, place, who)
        length = math.hypot(*row)
        if not math.isfinite(length) or length < _SHORTEST:
            raise VectorError(f"{who} gave a vector of length {length} for text {place}")
        cells.extend([cell / length for cell in row])
    return memoryview(cells).cast("B").cast("f", (len(rows), wanted))


def _arrays(vectors: Any, count: int, dim: int | None, who: str) -> Any:
    numpy = sys.modules["numpy"]
    if vectors.ndim != _MATRIX:
        raise VectorError(f"{who} gave an array of {vectors.ndim} dimensions instead of (texts, dim)")
    _held_to(len(vectors), count, who)
    if not count:
        return numpy.zeros((0, dim or vectors.shape[1]), numpy.float32)
    _of_dim(vectors.shape[1], vectors.shape[1] if dim is None else dim, 0, who)
    rows = numpy.ascontiguousarray(vectors, dtype=numpy.float32)
    lengths = numpy.sqrt((rows.astype(numpy.float64) ** 2).sum(axis=1))
    bad = ~(numpy.isfinite(lengths) & (lengths > _SHORTEST))
    if bad.any():
        place = int(bad.argmax())
        raise VectorError(f"{who} gave a vector of length {lengths[place]} for text {place}")
    return (rows / lengths[:, None]).astype(numpy.float32)


def _listed(row: Any, place: int, who: str) -> Sequence[float]:
    try:
        return array("d", row)
    except TypeError as error:
        raise VectorError(f"{who} gave no vector of numbers for text {place}: {error}") from error


def _held_to(found: int, count: int, who: str) -> None:
    if found != count:
        raise VectorError(f"{who} gave {found} vectors for {count} texts")


def _of_dim(found: int, dim: int, place: int, who: str) -> None:
    if found != dim or not found:
        raise DimensionError(f"{who} gave {found} coordinates for text {place}, not {dim}")
