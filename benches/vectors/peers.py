"""One class an index: filled, asked for the nearest, made to replace a vector; a call each, on one thread."""

from collections.abc import Sequence
from typing import Any, Protocol

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray
from usearch.index import Index as Usearch

from benches.vectors.data import Rows
from lecmux import VectorIndex, _core

faiss.omp_set_num_threads(1)


class Peer(Protocol):
    """What is asked of an index."""

    efforts: Sequence[int]
    """How hard it may search, from little to much; a single 0 where it has no such setting."""

    def fill(self, base: Rows) -> None:
        """Takes in the rows, numbered from 0."""

    def effort(self, value: int) -> None:
        """Searches from now on as hard as that."""

    def nearest(self, query: Rows) -> int:
        """Number of the vector most similar to `query`, of shape (dim,)."""

    def replace(self, old: int, new: int, vector: Rows) -> None:
        """Takes one out and another in; NotImplementedError where it cannot."""


class Lecmux:
    """This one."""

    efforts: Sequence[int] = (0,)

    def __init__(self, dim: int, *, store: Any, engine: Any = "auto", kernels: str | None = None) -> None:
        self.index = VectorIndex(dim, store=store, engine=engine)
        if kernels is not None:
            self.index._core = _core.VectorIndex(dim, store=store, engine=engine, kernels=kernels)

    def fill(self, base: Rows) -> None:
        """See `Peer`."""
        self.index.add(np.arange(len(base)), base)

    def effort(self, value: int) -> None:
        """See `Peer`."""

    def nearest(self, query: Rows) -> int:
        """See `Peer`."""
        return int(self.index.search(query, 1)[0][0, 0])

    def nearest_of_all(self, queries: Rows) -> NDArray[np.int64]:
        """The same for many in one call."""
        return self.index.search(queries, 1)[0][:, 0]

    def replace(self, old: int, new: int, vector: Rows) -> None:
        """See `Peer`."""
        self.index.remove(old)
        self.index.add(new, vector)


class LecmuxGraph(Lecmux):
    """The graph of this one."""

    efforts: Sequence[int] = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)

    def __init__(self, dim: int, *, store: Any, kernels: str | None = None) -> None:
        super().__init__(dim, store=store, engine="hnsw", kernels=kernels)
        self._effort: int | None = None

    def effort(self, value: int) -> None:
        """See `Peer`."""
        self._effort = value

    def nearest(self, query: Rows) -> int:
        """See `Peer`."""
        return int(self.index.search(query, 1, effort=self._effort)[0][0, 0])


class Hnswlib:
    """Hnswlib, f32."""

    efforts = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)

    def __init__(self, dim: int, *, links: int, build: int) -> None:
        self._index = hnswlib.Index("ip", dim)
        self._index.set_num_threads(1)
        self._links, self._build = links, build

    def fill(self, base: Rows) -> None:
        """See `Peer`."""
        self._index.init_index(
            len(base), ef_construction=self._build, M=self._links, allow_replace_deleted=True
        )
        self._index.add_items(base, np.arange(len(base)), num_threads=1)

    def effort(self, value: int) -> None:
        """See `Peer`."""
        self._index.set_ef(value)

    def nearest(self, query: Rows) -> int:
        """See `Peer`."""
        return int(self._index.knn_query(query, 1, num_threads=1)[0][0, 0])

    def replace(self, old: int, new: int, vector: Rows) -> None:
        """See `Peer`."""
        self._index.mark_deleted(old)
        self._index.add_items(vector, [new], num_threads=1, replace_deleted=True)


class UsearchIndex:
    """Usearch, in the type it is given."""

    efforts = Hnswlib.efforts

    def __init__(self, dim: int, *, dtype: str, links: int, build: int) -> None:
        self._index = Usearch(ndim=dim, metric="ip", dtype=dtype, connectivity=links, expansion_add=build)

    def fill(self, base: Rows) -> None:
        """See `Peer`."""
        self._index.add(np.arange(len(base)), base, threads=1)

    def effort(self, value: int) -> None:
        """See `Peer`."""
        self._index.expansion_search = value

    def nearest(self, query: Rows) -> int:
        """See `Peer`."""
        keys = self._index.search(query, 1, threads=1).keys
        return int(keys[0]) if len(keys) else -1

    def replace(self, old: int, new: int, vector: Rows) -> None:
        """See `Peer`."""
        self._index.remove(old, threads=1)
        self._index.add(new, vector, threads=1)


class Faiss:
    """HNSW of faiss, f32 or with scalars of 8 bits."""

    efforts = Hnswlib.efforts

    def __init__(self, dim: int, *, bits: int, links: int, build: int) -> None:
        if bits == 8:
            kind = faiss.ScalarQuantizer.QT_8bit
            self._index = faiss.IndexHNSWSQ(dim, kind, links, faiss.METRIC_INNER_PRODUCT)
        else:
            self._index = faiss.IndexHNSWFlat(dim, links, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = build

    def fill(self, base: Rows) -> None:
        """See `Peer`."""
        self._index.train(base)
        self._index.add(base)

    def effort(self, value: int) -> None:
        """See `Peer`."""
        self._index.hnsw.efSearch = value

    def nearest(self, query: Rows) -> int:
        """See `Peer`."""
        return int(self._index.search(query[None], 1)[1][0, 0])

    def replace(self, old: int, new: int, vector: Rows) -> None:
        """It has no way to take a vector out."""
        raise NotImplementedError


def all_of(dim: int, links: int, build: int) -> dict[str, Peer]:
    """Every competitor by name, empty; a graph has `links` a node, found at an effort of `build`."""
    usearch = {
        f"usearch {dtype}": UsearchIndex(dim, dtype=dtype, links=links, build=build)
        for dtype in ("f32", "bf16", "i8")
    }
    lesser = [name for name in _core.vector_kernels()[:-1] if name != "scalar"]
    return {
        "lecmux f16": Lecmux(dim, store="f16"),
        "lecmux i8": Lecmux(dim, store="i8"),
        **{
            f"lecmux f16 on {name}": Lecmux(dim, store="f16", kernels=name)
            for name in lesser
            if name != "scalar"
        },
        "hnswlib": Hnswlib(dim, links=links, build=build),
        **usearch,
        "faiss HNSW f32": Faiss(dim, bits=32, links=links, build=build),
        "faiss HNSW SQ8": Faiss(dim, bits=8, links=links, build=build),
    }
