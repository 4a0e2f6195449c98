"""Many partitions of one vector each: what each costs beside its row."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benches.report import Table
from lecmux import _core

_PAGE = 4096
_HEADS = ["store", "bytes of the row", "counted beside it", "resident beside it"]


def table(plan: dict[str, Any]) -> tuple[Table, dict[str, float]]:
    """As many indexes of one vector as `plan` says: what they count, and what the process grows by."""
    count, dim = plan["partitions"], plan["dim"]
    rows, most = [], 0.0
    for store, row in (("f16", 2 * dim), ("i8", dim + 4)):
        # A process of its own: what another store has freed would be taken again, and not show.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            counted, resident = alone.submit(_each, store, count, dim, plan["seed"]).result()
        rows.append([store, str(row), f"{counted - row:,.0f}", f"{resident - row:,.0f}"])
        most = max(most, counted - row)
    note = f"{count:,} indexes of one vector of {dim} coordinates each, as the compiled core holds them."
    return Table("Vectors: partitions of one", _HEADS, rows, note), {"partition_bytes": most}


def _each(store: Any, count: int, dim: int, seed: int) -> tuple[float, float]:
    """Bytes of an index of one vector: by its own count, and by what the process has grown."""
    vectors = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    numbers = [np.array([number]) for number in range(len(vectors))]
    indexes: list[Any] = [None] * len(vectors)
    before = _resident()
    for number, vector in enumerate(vectors):
        index = _core.VectorIndex(dim, store=store, engine="auto")
        index.add(numbers[number], vector)
        indexes[number] = index
    grown = _resident() - before
    return sum(index.memory_bytes for index in indexes) / len(indexes), grown / len(indexes)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
