"""Fits the table to its teacher and packs it.

    python -m benches.static_table.fit texts.txt teacher.f16 --out python/lecmux/embedders/static_table.bin

Start: each word piece as the teacher sees it alone, on the 256 directions that hold most of the teacher's
vectors, the commoner the shorter (Arora, Liang and Ma 2017, as Model2Vec does). Then the rows are fitted
by Adam (Kingma and Ba 2015) so that a text's sum points where the teacher's vector points, and so that texts
of a batch are as similar to each other as the teacher finds them; batches hold neighbours. Needs numpy
alone, and one thread.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benches.static_table import teacher
from benches.static_table.pieces import PIECES, Bags
from lecmux import _core
from lecmux.embedders import MiniLM

__all__ = ["Adam", "main", "start"]

_BATCH = 1024
_GROUP = 32
_COMMON = 1e-3
_BIAS = 0.3
_HELD_OUT = 4096
_START_TOKEN, _END_TOKEN = 101, 102


class Adam:
    """Adam over the rows that a batch touches."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._mean = np.zeros(shape, np.float32)
        self._square = np.zeros(shape, np.float32)
        self._steps = np.zeros(shape[0], np.int64)

    def step(self, table: np.ndarray, rows: np.ndarray, slope: np.ndarray, rate: float) -> None:
        """Moves `rows` of `table` against `slope`."""
        self._steps[rows] += 1
        mean = self._mean[rows] * np.float32(0.9) + slope * np.float32(0.1)
        square = self._square[rows] * np.float32(0.99) + slope**2 * np.float32(0.01)
        self._mean[rows], self._square[rows] = mean, square
        steps = self._steps[rows][:, None].astype(np.float32)
        mean /= 1 - np.float32(0.9) ** steps
        square /= 1 - np.float32(0.99) ** steps
        table[rows] -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-8))


def alone() -> np.ndarray:
    """What the teacher says of each word piece by itself, (pieces, 384)."""
    model = MiniLM()
    return np.concatenate(
        [
            model.embed_ids(
                [[_START_TOKEN, number, _END_TOKEN] for number in range(first, min(first + 256, PIECES))]
            )
            for first in range(0, PIECES, 256)
        ]
    )


def directions(vectors: np.ndarray, dim: int) -> np.ndarray:
    """The `dim` directions, (384, dim), that hold most of the vectors' squares."""
    _, _, axes = np.linalg.svd(vectors.T @ vectors / len(vectors))
    return axes[:dim].T


def start(bags: Bags, pieces: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The table to start from: `pieces` weighted by how rare they are, and the mean of `targets` last."""
    counts = np.bincount(bags.ids, minlength=PIECES + 1)[:PIECES]
    weight = _COMMON / (_COMMON + counts / counts.sum())
    return np.concatenate([pieces * weight[:, None], _BIAS * targets.mean(axis=0, keepdims=True)]).astype(
        np.float32
    )


def batches(targets: np.ndarray, draw: np.random.Generator) -> Iterator[np.ndarray]:
    """All texts once, in batches made of groups of neighbours (leaves of a random tree of hyperplanes)."""
    order = [np.arange(len(targets))]
    while len(order[0]) > _GROUP:
        parts = []
        for part in order:
            pair = targets[draw.choice(part, 2)]
            by_side = part[np.argsort(targets[part] @ (pair[0] - pair[1]), kind="stable")]
            parts += [by_side[: len(part) // 2], by_side[len(part) // 2 :]]
        order = parts
    shuffled = np.concatenate([order[leaf] for leaf in draw.permutation(len(order))])
    for first in range(0, len(shuffled) - _BATCH + 1, _BATCH):
        yield shuffled[first : first + _BATCH]


def slope(
    table: np.ndarray, bags: Bags, chosen: np.ndarray, targets: np.ndarray, like: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """The loss on the `chosen` texts, the rows they touch and its slope there."""
    ids, starts = bags.rows(chosen)
    sums = np.add.reduceat(table[ids], starts)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    vectors, wanted = sums / length, targets[chosen]
    off = vectors @ vectors.T - wanted @ wanted.T
    np.fill_diagonal(off, 0)
    weight = np.float32(like / _BATCH)
    loss = 1 - float((vectors * wanted).sum(1).mean()) + float(weight * (off**2).mean() * _BATCH)
    towards = (4 * weight * off @ vectors - wanted) / np.float32(len(chosen))
    towards = (towards - (towards * vectors).sum(1, keepdims=True) * vectors) / length
    counts = np.diff(np.append(starts, len(ids)))
    order = np.argsort(ids, kind="stable")
    rows, firsts = np.unique(ids[order], return_index=True)
    return loss, rows, np.add.reduceat(np.repeat(towards, counts, axis=0)[order], firsts)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("texts", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--like", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pieces", type=Path, help="keeps what the teacher says of each piece")
    asked = parser.parse_args()
    said = teacher.read(asked.teacher).astype(np.float32)
    bags = Bags(asked.texts.read_text(encoding="utf-8").splitlines()[: len(said)])
    if asked.pieces and asked.pieces.exists():
        pieces = np.load(asked.pieces)
    else:
        pieces = alone()
        if asked.pieces:
            np.save(asked.pieces, pieces)
    axes = directions(said, asked.dim)
    targets = said @ axes
    print(f"{len(said):,} texts; the directions hold {(targets**2).sum() / (said**2).sum():.4f}", flush=True)
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    table = start(bags, pieces @ axes, targets)
    held, seen = np.arange(_HELD_OUT), targets[_HELD_OUT:]
    draw, adam = np.random.default_rng(asked.seed), Adam(table.shape)
    steps, done = asked.epochs * (len(seen) // _BATCH), 0
    began = time.monotonic()
    for epoch in range(asked.epochs):
        losses = []
        for chosen in batches(seen, draw):
            rate = asked.rate * (1 - done / steps)
            loss, rows, down = slope(table, bags, chosen + _HELD_OUT, targets, asked.like)
            adam.step(table, rows, down, rate)
            losses.append(loss)
            done += 1
        _, held_starts = bags.rows(held)
        sums = np.add.reduceat(table[bags.rows(held)[0]], held_starts)
        cosine = ((sums / np.linalg.norm(sums, axis=1, keepdims=True)) * targets[held]).sum(1).mean()
        print(
            f"epoch {epoch}: loss {np.mean(losses):.4f}, held-out cosine {cosine:.4f}, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
    asked.out.write_bytes(_core.StaticTable.pack(table, asked.dim))
    print(f"{asked.out}: {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
