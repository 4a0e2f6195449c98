"""Vectors by id, found by direction, in a collection that never stops changing."""

import os
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from lecmux import _core, _snapshot
from lecmux._vector_buffers import array_of as _array
from lecmux._vector_buffers import ids as _ids
from lecmux._vector_buffers import is_numpy as _is_numpy
from lecmux._vector_buffers import matrix as _matrix
from lecmux._vector_buffers import vectors as _vectors
from lecmux.errors import ConfigError, SnapshotError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["VectorIndex"]


class VectorIndex:
    """Finds the vectors most similar to a query, by cosine similarity.

    The flat engine looks at a code of one bit a coordinate of every vector; the graph walks from vector to
    linked vector by such codes. Both compare the most promising with the stored vectors themselves, so the
    similarities are exact up to the rounding of `store`. In the flat engine a vector that comes or leaves
    touches no other, so nothing decays however often the collection turns over. In a graph those around one
    that leaves are linked with each other, where they have room with as many links as before, and all stay
    within reach. Below 128 vectors every search of the flat engine is exact.

    Vectors are float32, of any length but zero: a buffer of shape (n, dim), such as an array of numpy, a
    sequence of rows, or one vector. Numpy is not needed. Safe for threads: searches run side by side with the
    interpreter released, a change waits for them.

    Args:
        dim: coordinates of a vector, 1 to 16,384. Rows are kept at the next multiple of 64.
        store: how a coordinate is kept: `"f32"` (4 bytes, exact), `"f16"` (2 bytes, similarities off by some
            1e-4) or `"i8"` (1 byte and a scale a vector, off by some 1e-3).
        engine: `"flat"`, which looks at every code: changes take microseconds, a search as long as the
            collection is large. `"hnsw"`, a graph: both take a fraction of a millisecond at any size.
            `"auto"` is flat until this processor scans the collection slower than a graph pays for; a graph
            then grows beside it, a few vectors with each change; below half that size it goes again.

    Raises:
        ConfigError: for a setting out of its range.
    """

    __slots__ = ("__weakref__", "_core")

    def __init__(
        self,
        dim: int,
        *,
        store: Literal["f32", "f16", "i8"] = "f16",
        engine: Literal["auto", "flat", "hnsw"] = "auto",
    ) -> None:
        if not isinstance(dim, int) or dim < 1:
            raise ConfigError(f"dim must be a whole number of at least 1, not {dim!r}")
        self._core = _core.VectorIndex(dim, store=store, engine=engine)

    @property
    def dim(self) -> int:
        """Coordinates of a vector."""
        return self._core.dim

    @property
    def store(self) -> str:
        """How a coordinate is kept."""
        return self._core.store

    @property
    def engine(self) -> str:
        """As it was asked for."""
        return self._core.engine

    @property
    def memory_bytes(self) -> int:
        """Bytes held: rows, codes, links, ids and tables, each at what it has reserved."""
        return self._core.memory_bytes

    def add(self, ids: Any, vectors: Any) -> None:
        """Takes in a vector an id. One that an id had before is replaced.

        Args:
            ids: whole numbers of 64 bits, each once: a buffer, a sequence, or one number for one vector.
            vectors: shape (ids, dim), float32; on an error none of them is taken.

        Raises:
            DimensionError: for vectors of another dimension, or not one an id.
            VectorError: for a coordinate that is not finite, a vector of zeros, or an id given twice.
        """
        self._core.add(_ids(ids), _vectors(vectors, self.dim, "vectors"))

    def remove(self, ids: Any) -> int:
        """Takes out the vectors of `ids`; an id that has none is passed over. Returns how many there were."""
        return self._core.remove(_ids(ids))

    @overload
    def search(
        self, queries: "NDArray[np.floating[Any]]", k: int, *, effort: int | None = None
    ) -> "tuple[NDArray[np.int64], NDArray[np.float32]]": ...
    @overload
    def search(self, queries: Any, k: int, *, effort: int | None = None) -> Any: ...
    def search(self, queries: Any, k: int, *, effort: int | None = None) -> Any:
        """The `k` vectors most similar to each query, or all where fewer are held, the most similar first.

        Several queries at once share a scan of the flat engine, which is faster than one after the other.

        Args:
            queries: shape (queries, dim), or (dim,) for one.
            k: how many a query, at least 1.
            effort: how many vectors a walk through a graph keeps in view, and at least k: twice as many find
                more of the nearest and take about twice as long. The flat engine passes it over.

        Returns:
            Ids (int64) and cosine similarities in [-1, 1] (float32), both of shape (queries, at most k):
            arrays of numpy where `queries` is one, else read-only views of memory (`ids.tolist()`,
            `ids[0, 0]`). Where nothing is held or asked, a view is empty and has one dimension.

        Raises:
            ConfigError: for a `k` or an `effort` below 1.
            DimensionError: for queries of another dimension.
            VectorError: for a coordinate that is not finite, or a query of zeros.
        """
        if not isinstance(k, int) or k < 1:
            raise ConfigError(f"k must be a whole number of at least 1, not {k!r}")
        if effort is not None and (not isinstance(effort, int) or effort < 1):
            raise ConfigError(f"effort must be a whole number of at least 1, not {effort!r}")
        as_numpy = _is_numpy(queries)
        rows = _vectors(queries, self.dim, "queries")
        ids, similarities, columns = self._core.search(rows, k, effort)
        if not as_numpy:
            return _matrix(ids, "q", columns), _matrix(similarities, "f", columns)
        shape = (1 if queries.ndim == 1 else len(queries), columns)
        return _array(ids, "q", shape), _array(similarities, "f", shape)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index to `path`: atomically, checksummed, for the owner only (mode 0600).

        Raises:
            OSError: when the file cannot be written; one that was there stays as it was.
        """
        _snapshot.write(path, self._core.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The index that `save` wrote.

        Raises:
            SnapshotError: when the file is damaged, foreign or of another version.
            OSError: when it cannot be read.
        """
        try:
            core = _core.VectorIndex.from_bytes(_snapshot.read(path))
        except SnapshotError as error:
            raise SnapshotError(f"{os.fspath(path)}: {error}") from error
        index = cls.__new__(cls)
        index._core = core
        return index

    def check(self) -> None:
        """Raises InternalError unless every invariant holds. Reads everything; for tests."""
        self._core.check()

    def __len__(self) -> int:
        return len(self._core)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, int) and -(2**63) <= item < 2**63 and item in self._core

    def __repr__(self) -> str:
        return f"VectorIndex({self.dim}, store={self.store!r}, engine={self.engine!r}): {len(self):,} vectors"
