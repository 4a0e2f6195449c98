"""What lecmux sets out to reach, and whether this run did: wins and losses alike, nothing fails on them."""

from collections.abc import Mapping
from dataclasses import dataclass

from benches.report import Table


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure and the least (or most) it must be.

    Attributes:
        what: measured against what.
        figure: its name in the measures.
        must: the mark.
        extreme: where it would be hard to do better.
        most: whether the figure must not exceed the mark; else it must reach it.
    """

    what: str
    figure: str
    must: float
    extreme: float
    most: bool = False

    def verdict(self, value: float | None) -> str:
        """PASS, MISS, or that it was not measured."""
        if value is None:
            return "not measured"
        return "PASS" if (value <= self.must if self.most else value >= self.must) else "MISS"

    def row(self, value: float | None) -> list[str]:
        """Its line of the table."""
        sign = "<=" if self.most else ">="
        shown = "" if value is None else f"{value:.3g}" if value >= 10 else f"{value:.2f}"
        return [self.what, shown, f"{sign} {self.must:g}", f"{sign} {self.extreme:g}", self.verdict(value)]


def _vector_marks(where: str) -> tuple[Mark, ...]:
    """What is asked of the vector index on a collection."""
    on = where.replace("_", " ")

    def mark(what: str, figure: str, must: float, extreme: float, *, most: bool = False) -> Mark:
        return Mark(f"vectors, {on}: {what}", f"{figure}_{where}", must, extreme, most=most)

    return (
        mark("searches at recall@1 .99, times as fast as hnswlib", "vectors_vs_hnswlib", 4, 8),
        mark("the same, as usearch bf16", "vectors_vs_usearch_bf16", 3, 6),
        mark("the same, as faiss SQ8", "vectors_vs_faiss_sq8", 1.7, 3.4),
        mark("the same on AVX2 alone, as hnswlib", "vectors_on_avx2_vs_hnswlib", 1.5, 4),
        mark("replacements, times as many as hnswlib", "replacements_vs_hnswlib", 100, 1000),
        mark("recall after ten turnovers, less that of a fresh index", "recall_change", -0.002, 0),
        mark("searches after ten turnovers, share of a fresh index's", "qps_after_turnovers", 0.97, 1),
        mark(
            "memory after ten turnovers, times a fresh index's", "memory_after_turnovers", 1.02, 1, most=True
        ),
    )


MARKS = (
    Mark("hit, times as fast as cachebox LRU, 100,000 entries", "hit_vs_cachebox_lru_100000", 1.0, 2.0),
    Mark("hit, times as fast as dict, 1,000,000 entries at random", "hit_vs_dict_1000000", 1.5, 2.5),
    Mark(
        "put with a cost priority, times as fast as cachebox LFU, 100,000 entries",
        "put_vs_cachebox_lfu_100000",
        1.0,
        1.5,
    ),
    Mark("get p99 / p50, 1 thread", "p99_over_p50_1", 3.5, 3.0, most=True),
    Mark("get p99 / p50, 8 threads", "p99_over_p50_8", 3.5, 3.0, most=True),
    Mark("hits of 8 threads against 1", "threads_throughput", 0.95, 1.0),
    Mark("batches on 2 threads against 1", "batch_two_threads", 1.5, 1.8),
    Mark("bytes of a partition of one vector, beside its row", "partition_bytes", 200, 100, most=True),
    Mark("structure bytes an entry, the worst measured", "most_bytes", 160, 100, most=True),
    Mark("cost saved, share of the offline bound, stationary", "saved_stationary", 0.80, 0.85),
    Mark("cost saved, share of the offline bound, drift", "saved_drift", 0.73, 0.78),
    Mark("requests replayed a second with room for 8, in millions", "replayed_millions_8", 2.0, 5.0),
    Mark("the same with room for 1,000", "replayed_millions_1000", 0.67, 2.0),
    Mark("the same with room for 10,000", "replayed_millions_10000", 0.67, 2.0),
    Mark("growth of a hit's cost to 1,000,000 entries, over dict's", "growth_over_dict", 1.3, 1.0, most=True),
    Mark(
        "LECCache.lookup on a hit beyond its copy of the message, us",
        "lookup_beyond_copy_us",
        4.2,
        1.4,
        most=True,
    ),
    Mark("ChatRouter adds to a miss, share of a bare call", "ChatRouter, miss adds", 0.1, 0.05, most=True),
    Mark(
        "the same, share of one that a callback handler hears",
        "ChatRouter, a callback handler, miss adds",
        0.6,
        0.1,
        most=True,
    ),
    Mark("the same, share of one that is traced", "ChatRouter, a tracer, miss adds", 0.6, 0.1, most=True),
    Mark("lookup by meaning, 100,000 entries, us", "meaning_hit_us_100000", 100, 60, most=True),
    Mark("partition of one entry beside its row, bytes", "meaning_partition_bytes", 200, 150, most=True),
    *_vector_marks("real_questions_50000"),
    *_vector_marks("clustered_50000"),
)


def table(figures: Mapping[str, float]) -> Table:
    """Every mark beside what this run found."""
    return Table(
        "Marks",
        ["measure", "this run", "must", "extreme", "verdict"],
        [mark.row(figures.get(mark.figure)) for mark in MARKS],
    )


def verdicts(figures: Mapping[str, float]) -> dict[str, dict[str, float | str | None]]:
    """The same for the JSON report."""
    return {
        mark.what: {
            "value": figures.get(mark.figure),
            "must": mark.must,
            "extreme": mark.extreme,
            "verdict": mark.verdict(figures.get(mark.figure)),
        }
        for mark in MARKS
    }
