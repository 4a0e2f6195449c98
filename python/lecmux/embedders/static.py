"""A vector for a text from a table that lies in the package: no download, no model, tens of microseconds."""

import asyncio
import functools
import importlib.resources
import lzma
from collections.abc import Sequence

from lecmux import _core
from lecmux.embedders._texts import listed

__all__ = ["Static"]

_MANY = 64


class Static:
    """Word pieces, and a row of a table for each, summed in Rust. The table is fitted to all-MiniLM-L6-v2.

    It knows which words a text has, not in which order, so it proposes and does not judge: of pairs that
    MiniLM finds close it finds most, among many that mean something else. Alone it serves only what is nearly
    the same text; before a slower embedder it is the gate. Needs nothing beside lecmux, not even numpy.

    The first 254 word pieces of a text count. Safe to share between threads.
    """

    __slots__ = ()

    name = "lecmux-static/1"

    @property
    def dim(self) -> int:
        """Coordinates of a vector: 256."""
        return _table().dim

    def embed(self, texts: Sequence[str]) -> "memoryview[float]":
        """The vectors of `texts`: a view of memory (n, 256) of float32, each row of length 1.

        `numpy.asarray` makes an array of it without a copy. For no texts it is empty and has one dimension.

        Raises:
            ValueTypeError: for one text instead of a sequence, or an item that is no text.
        """
        found = listed(texts)
        table = _table()
        cells = memoryview(table.embed(found))
        return cells.cast("f", (len(found), table.dim)) if found else cells.cast("f")

    async def aembed(self, texts: Sequence[str]) -> "memoryview[float]":
        """As `embed`; many texts on a worker thread, few at once, since handing over would take longer."""
        if len(texts) < _MANY:
            return self.embed(texts)
        return await asyncio.to_thread(self.embed, texts)

    def __repr__(self) -> str:
        return "Static()"


@functools.cache
def vocabulary() -> str:
    """The word pieces of BERT, uncased (Apache-2.0), one a line."""
    packed = importlib.resources.files("lecmux.embedders") / "bert_vocabulary.txt.xz"
    return lzma.decompress(packed.read_bytes()).decode("utf-8")


@functools.cache
def _table() -> _core.StaticTable:
    """Read at first use, some 15 ms, and shared; two threads at once may both read it."""
    sealed = importlib.resources.files("lecmux.embedders") / "static_table.bin"
    return _core.StaticTable(vocabulary(), sealed.read_bytes())
