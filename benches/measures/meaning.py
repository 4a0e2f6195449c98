"""Lookups by meaning, through `Cache.answer`, with embeddings at hand: what the stage itself takes."""

import time
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import quiet
from lecmux import Cache, Query, Reply, Semantic, Usage, _core
from lecmux._core import vector_kernels

Rows = NDArray[np.float32]
_CAPACITY = 1 << 30
_LETTERS = "bcdfghjklm"


class AtHand:
    """An embedder that has every vector already, by the first word of a text: `_word(row)`."""

    name = "at hand"

    def __init__(self, vectors: Rows) -> None:
        self._alone = {_word(row): vector[None] for row, vector in enumerate(vectors)}

    def embed(self, texts: Sequence[str]) -> Rows:
        """One row a text."""
        rows = [self._alone[text.partition(" ")[0]] for text in texts]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    async def aembed(self, texts: Sequence[str]) -> Rows:
        """As `embed`."""
        return self.embed(texts)


def measure(quick: bool) -> Measure:
    """Every size of `workloads/meaning.toml`, and many partitions of one entry."""
    plan = settings("meaning", quick=quick)
    rows, figures, samples = [], {}, {}
    for entries in plan["sizes"]:
        taken = _at(entries, plan)
        samples[str(entries)] = taken
        rows.append([f"{entries:,}", *(_spread(taken[name]) for name in ("hit", "decline", "exact"))])
        figures[f"meaning_hit_us_{entries}"] = median(taken["hit"]) / 1e3
    table = Table(
        f"Lookup by meaning, one thread, {vector_kernels()[-1]}",
        ["entries", "served by meaning us", "declined us", "served exactly us"],
        rows,
        "Median (9 of 10 within) of a whole `Cache.answer`, the embedding left out, and for a decline what "
        "the stage alone takes.",
    )
    parts, figures["meaning_partition_bytes"] = _partitions(plan)
    return Measure([table, parts], figures, samples)


def _word(row: int) -> str:
    """A number in letters, which no facet takes for one."""
    return "x" + "".join(_LETTERS[int(digit)] for digit in str(row))


def _model(query: Query) -> Reply:
    return Reply(f"answer {query.attributes['topic']}", Usage(seconds=1.0))


def _at(entries: int, plan: dict[str, Any]) -> dict[str, list[int]]:
    draw = np.random.default_rng(plan["seed"])
    topics = entries // plan["each"]
    centres = _unit(draw.normal(size=(topics, plan["dim"])))
    of = draw.integers(0, topics, entries + plan["warm"] + 2 * plan["lookups"])
    own = _unit(draw.normal(size=(len(of), plan["dim"])))
    vectors = _unit(centres[of] + plan["noise"] * own).astype(np.float32)
    vectors[-plan["lookups"] :] = own[-plan["lookups"] :]  # near nothing

    def query(row: int) -> Query:
        text = f"{_word(row)} is what this question is about"
        return Query(text, attributes={"topic": int(of[row])}, salient=text)

    cache = Cache(_CAPACITY, semantic=Semantic(AtHand(vectors), max_error=plan["max_error"]))
    for row in range(entries):
        cache.answer(query(row), models={"m": _model}, cache="refresh")
    for row in range(entries, entries + plan["warm"]):
        cache.answer(query(row), models={"m": _model})
    asked = range(entries + plan["warm"], len(of) - plan["lookups"])
    taken: dict[str, list[int]] = {"hit": [], "decline": [], "exact": []}
    with quiet():
        for row in asked:
            request = query(row)
            started = time.perf_counter_ns()
            answer = cache.answer(request, models={"m": _model})
            if answer.decision.reason == "semantic":
                taken["hit"].append(time.perf_counter_ns() - started)
        for row in range(len(of) - plan["lookups"], len(of)):
            request = query(row)
            started = time.perf_counter_ns()
            _core.propose(cache, request.text, request.text, vectors[row])
            taken["decline"].append(time.perf_counter_ns() - started)
        for row in range(plan["lookups"]):
            request = query(row)
            started = time.perf_counter_ns()
            cache.answer(request, models={"m": _model})
            taken["exact"].append(time.perf_counter_ns() - started)
    return taken


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _spread(nanoseconds: Sequence[int]) -> str:
    if len(nanoseconds) < 2:
        return "none"
    return f"{median(nanoseconds) / 1e3:,.1f} ({quantiles(nanoseconds, n=10)[-1] / 1e3:,.1f})"


def _partitions(plan: dict[str, Any]) -> tuple[Table, float]:
    """Bytes of partitions with one entry each, vector rows left out."""
    count = plan["partitions"]
    draw = np.random.default_rng(plan["seed"])
    vectors = _unit(draw.normal(size=(1_000, plan["dim"]))).astype(np.float32)
    cache = Cache(_CAPACITY, semantic=Semantic(AtHand(vectors)))
    for number in range(count):
        text = f"{_word(number % 1_000)} is what this is about"
        request = Query(text, scope=f"tenant {number}", salient=text, attributes={"topic": 0})
        cache.answer(request, models={"m": _model}, cache="refresh")
    stats = cache.stats()
    assert stats.semantic is not None
    row = 2 * plan["dim"]
    each = stats.semantic.index_bytes / max(1, stats.semantic.partitions) - row
    cells = [f"{stats.semantic.partitions:,}", f"{each:,.0f}", f"{row:,}", f"{stats.bytes_used / count:,.0f}"]
    columns = [
        "partitions of one entry",
        "bytes each beside the row",
        "bytes of a row",
        "charged in all",
    ]
    return Table("Many partitions", columns, [cells]), each
