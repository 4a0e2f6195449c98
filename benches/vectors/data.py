"""Vectors to search: real ones from a file, or clustered ones that are drawn."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

REAL = "LECMUX_VECTORS"
"""Names a file of numpy (.npz) whose `vectors`, float32 (n, dim), are embeddings of real texts."""

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Data:
    """What is held, what is asked, and what takes the place of what leaves.

    Attributes:
        what: in words.
        base: (n, dim), unit norm.
        queries: (queries, dim), unit norm.
        fresh: (m, dim), unit norm.
    """

    what: str
    base: Rows
    queries: Rows
    fresh: Rows

    def nearest(self) -> NDArray[np.int64]:
        """Row of the most similar vector to each query, by comparing all."""
        parts = np.array_split(self.queries, max(1, len(self.queries) // 100))
        return np.concatenate([np.argmax(part @ self.base.T, axis=1) for part in parts])


def sets(plan: dict[str, Any]) -> list[Data]:
    """The collections of `plan`, each at each of its sizes that there are vectors for."""
    generator = np.random.default_rng(plan["seed"])
    kinds = {"clustered": clustered(max(plan["sizes"]) * 5 // 4, plan, generator)}
    path = os.environ.get(REAL)
    if path:
        vectors = np.load(Path(path), allow_pickle=True)["vectors"].astype(np.float32)
        kinds = {"real questions": vectors[generator.permutation(len(vectors))], **kinds}
    asked = plan["queries"]
    return [
        Data(f"{kind}, {size:,}", rows[asked : asked + size], rows[:asked], rows[asked + size :])
        for kind, rows in kinds.items()
        for size in plan["sizes"]
        if asked + size < len(rows)
    ]


def clustered(count: int, plan: dict[str, Any], generator: np.random.Generator) -> Rows:
    """Unit vectors in clusters of Zipf sizes, within a subspace of fewer dimensions, as embeddings are."""
    clusters, rank, dim = plan["clusters"], plan["rank"], plan["dim"]
    basis = generator.standard_normal((rank, dim), dtype=np.float32)
    centres = generator.standard_normal((clusters, rank), dtype=np.float32)
    share = 1 / np.arange(1, clusters + 1)
    which = generator.choice(clusters, count, p=share / share.sum())
    within = plan["spread"] * generator.standard_normal((count, rank), dtype=np.float32)
    rows = (centres[which] + within) @ basis
    # In parts, so that a million vectors are not held twice.
    for part in np.array_split(rows, max(1, count // 10_000)):
        noise = plan["noise"] * np.sqrt(rank) * generator.standard_normal(part.shape, dtype=np.float32)
        np.add(part, noise, out=part, casting="same_kind")
        np.divide(part, np.linalg.norm(part, axis=1, keepdims=True), out=part)
    unit: Rows = rows
    return unit
