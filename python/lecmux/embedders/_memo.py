"""Vectors of recent texts, so that a text is embedded once however often it is asked about."""

import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lecmux.embedders._rows import unit_rows
from lecmux.embedders._texts import listed
from lecmux.errors import ConfigError

if TYPE_CHECKING:
    from lecmux.embedders import Embedder

__all__ = ["Remembered"]

_SLOT_BYTES = 200
"""What a text's place among the others takes: links, object headers, the table's share."""


class Remembered:
    """An embedder that remembers the vectors of recent texts, letter for letter.

    Least recently asked texts leave first. Safe to share between threads and between caches; a text that two
    threads ask about at once may be embedded twice.

    Args:
        embedder: makes the vectors that are not remembered.
        max_bytes: of texts and vectors; what is larger alone is not kept.

    Raises:
        ConfigError: when `max_bytes` is negative.
    """

    def __init__(self, embedder: "Embedder", *, max_bytes: int = 16 * 2**20) -> None:
        if max_bytes < 0:
            raise ConfigError(f"max_bytes must not be negative, got {max_bytes}")
        self._inner = embedder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = self._hits = self._misses = 0

    @property
    def name(self) -> str:
        """As the embedder within: the vectors are its own."""
        return self._inner.name

    @property
    def dim(self) -> int:
        """Coordinates of a vector."""
        return self._inner.dim

    @property
    def memory_bytes(self) -> int:
        """Bytes that texts and vectors take."""
        return self._bytes

    @property
    def hits(self) -> int:
        """Texts whose vector was remembered."""
        return self._hits

    @property
    def misses(self) -> int:
        """Texts that were embedded."""
        return self._misses

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: a view of memory (n, dim) of float32, each row of length 1.

        Raises:
            ValueTypeError: for one text instead of a sequence, or an item that is no text.
        """
        found = listed(texts)
        known, missing = self._known(found)
        if missing:
            self._keep(known, missing, self._inner.embed(missing))
        return self._rows(found, known)

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, for an event loop."""
        found = listed(texts)
        known, missing = self._known(found)
        if missing:
            self._keep(known, missing, await self._inner.aembed(missing))
        return self._rows(found, known)

    def clear(self) -> None:
        """Forgets every text."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _known(self, texts: list[str]) -> tuple[dict[str, bytes], list[str]]:
        known: dict[str, bytes] = {}
        with self._lock:
            for text in dict.fromkeys(texts):
                if (cells := self._kept.get(text)) is not None:
                    self._kept.move_to_end(text)
                    known[text] = cells
            missing = [text for text in dict.fromkeys(texts) if text not in known]
            self._hits += len(known)
            self._misses += len(missing)
        return known, missing

    def _keep(self, known: dict[str, bytes], missing: list[str], vectors: Any) -> None:
        rows = memoryview(unit_rows(vectors, len(missing), None, self._inner.name)).cast("B")
        width = len(rows) // len(missing)
        made = {text: bytes(rows[at * width :][:width]) for at, text in enumerate(missing)}
        known.update(made)
        with self._lock:
            for text, cells in made.items():
                size = _size(text, cells)
                if size > self._max_bytes or text in self._kept:
                    continue
                self._kept[text] = cells
                self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= _size(*self._kept.popitem(last=False))

    @staticmethod
    def _rows(texts: list[str], known: dict[str, bytes]) -> Any:
        if not texts:
            return memoryview(b"").cast("f")
        cells = b"".join([known[text] for text in texts])
        width = len(cells) // len(texts) // array("f").itemsize
        return memoryview(cells).cast("f", (len(texts), width))


def _size(text: str, cells: bytes) -> int:
    return _SLOT_BYTES + sys.getsizeof(text) + len(cells)
