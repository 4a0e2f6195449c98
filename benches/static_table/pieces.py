"""Texts as numbers of word pieces, split as the shipped table splits them."""

import importlib.resources
import lzma
from collections.abc import Sequence

import numpy as np

from lecmux import _core

__all__ = ["PIECES", "Bags", "vocabulary"]

PIECES = 30_522
"""Pieces of the vocabulary; the number after the last is the row that every text has."""
_MOST = 254


def vocabulary() -> str:
    """BERT's word pieces, uncased: one a line."""
    packed = importlib.resources.files("lecmux.embedders") / "bert_vocabulary.txt.xz"
    return lzma.decompress(packed.read_bytes()).decode("utf-8")


class Bags:
    """The rows of the table that each text sums, one text after the other."""

    def __init__(self, texts: Sequence[str]) -> None:
        split = _core.StaticTable(vocabulary(), _core.StaticTable.pack(np.ones(PIECES + 1, np.float32), 1))
        bags = [[*split.pieces(text, _MOST), PIECES] for text in texts]
        self.starts = np.concatenate([[0], np.cumsum([len(bag) for bag in bags])]).astype(np.int64)
        self.ids = np.fromiter((number for bag in bags for number in bag), np.int32, int(self.starts[-1]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the pieces of the `chosen` texts, and where each text starts among them."""
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return self.ids[places], starts[:-1]

    def vectors(self, table: np.ndarray) -> np.ndarray:
        """What `table`, a row a piece, says of each text: rows of length 1."""
        parts = []
        for first in range(0, len(self), 4096):
            ids, starts = self.rows(np.arange(first, min(first + 4096, len(self))))
            sums = np.add.reduceat(table[ids], starts)
            parts.append(sums / np.linalg.norm(sums, axis=1, keepdims=True))
        return np.concatenate(parts)
