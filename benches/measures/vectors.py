"""Search, replacement and turnover of vectors, beside graphs that search as hard as the same recall needs."""

import time
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import interleave, quiet, ratio
from benches.vectors import peers
from benches.vectors.data import REAL, Data, Rows, sets
from lecmux import _core

_OURS = "lecmux f16"
_AGAINST = {"hnswlib": "hnswlib", "usearch bf16": "usearch_bf16", "faiss HNSW SQ8": "faiss_sq8"}


def measure(quick: bool) -> Measure:
    """Every index on every collection of `workloads/vectors.toml`."""
    plan = settings("vectors", quick=quick)
    tables, figures, samples = [], {}, {}
    for data in sets(plan):
        table, found, taken = _collection(data, plan)
        tables.append(table)
        samples[data.what] = taken
        name = data.what.replace(",", "").replace(" ", "_")
        figures |= {f"{figure}_{name}": value for figure, value in found.items()}
    return Measure(tables, figures, samples)


def _collection(data: Data, plan: dict[str, Any]) -> tuple[Table, dict[str, float], dict[str, Any]]:
    """One collection: a table, its figures, and the samples behind them."""
    indexes = peers.all_of(data.base.shape[1], plan["links"], plan["build"])
    truth = data.nearest()
    built = {name: _seconds(lambda index=index: index.fill(data.base)) for name, index in indexes.items()}
    recalls = {name: _tuned(index, data.queries, truth, plan["recall"]) for name, index in indexes.items()}
    with quiet():
        samples = interleave(
            {name: lambda index=index: _search_ns(index, data, plan) for name, index in indexes.items()},
            plan["rounds"],
        )
    fitting = [name for name, (_, recall) in recalls.items() if recall >= plan["recall"]]
    figures = {
        f"vectors_vs_{figure}": ratio(samples, name, _OURS)
        for name, figure in _AGAINST.items()
        if name in fitting and _OURS in fitting
    }
    replaced = {name: _replaced_a_second(index, data, plan) for name, index in indexes.items()}
    figures["replacements_vs_hnswlib"] = replaced[_OURS] / replaced["hnswlib"]
    figures |= _turned_over(data, plan)
    rows = [
        [
            name,
            f"{len(data.base) / built[name]:,.0f}",
            "" if indexes[name].efforts == (0,) else str(recalls[name][0]),
            f"{recalls[name][1]:.4f}",
            f"{1e9 / median(samples[name]):,.0f}" + ("" if name in fitting else " (short of it)"),
            f"{replaced[name]:,.0f}" if replaced[name] else "cannot",
            f"{indexes[name].index.memory_bytes / len(data.base):,.0f}" if "lecmux" in name else "",
        ]
        for name in indexes
    ]
    heads = [
        "index",
        "built a second",
        "effort",
        "recall@1",
        "queries a second",
        "replaced a second",
        "bytes each",
    ]
    return Table(f"Vectors: {data.what}", heads, rows, _note(plan, figures)), figures, {"search_ns": samples}


def _note(plan: dict[str, Any], figures: dict[str, float]) -> str:
    share = figures["recall_after_turnovers"] - figures["recall_fresh"]
    return (
        f"Kernels {_core.vector_kernels()}; one thread, one query a call, k = 1. Graphs have {plan['links']} "
        f"links a node, found at effort {plan['build']}, and search at the least effort that finds "
        f"{plan['recall']:.0%} of the nearest. After {plan['turnovers']} turnovers lecmux f16 finds "
        f"{share:+.4f} of the nearest, at {figures['qps_after_turnovers']:.2f} of the speed, in "
        f"{figures['memory_after_turnovers']:.3f} of the memory, against one filled afresh. Vectors of real "
        f"texts come from the file that {REAL} names, if any."
    )


def _seconds(work: Any) -> float:
    """Processor time of `work`, of all threads."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def _recall(index: peers.Peer, queries: Rows, truth: NDArray[np.int64]) -> float:
    return float(np.mean([index.nearest(query) == best for query, best in zip(queries, truth, strict=True)]))


def _tuned(index: peers.Peer, queries: Rows, truth: NDArray[np.int64], wanted: float) -> tuple[int, float]:
    """The least effort that reaches the recall `wanted`, else the greatest; and its recall."""
    value, recall = 0, 0.0
    for value in index.efforts:
        index.effort(value)
        recall = _recall(index, queries, truth)
        if recall >= wanted:
            break
    return value, recall


def _search_ns(index: peers.Peer, data: Data, plan: dict[str, Any]) -> float:
    """Processor time of a search."""
    queries = list(data.queries[: plan["queries_a_round"]])
    start = time.process_time_ns()
    for query in queries:
        index.nearest(query)
    return (time.process_time_ns() - start) / len(queries)


def _replaced_a_second(index: peers.Peer, data: Data, plan: dict[str, Any]) -> float:
    """Replacements a second; 0 where the index has none."""
    count = min(plan["replacements"], len(data.fresh))
    old = np.random.default_rng(plan["seed"]).permutation(len(data.base))[:count]
    start = time.process_time_ns()
    try:
        for number, vector in zip(old.tolist(), data.fresh[:count], strict=True):
            index.replace(number, number + len(data.base), vector)
    except NotImplementedError:
        return 0.0
    return count / ((time.process_time_ns() - start) / 1e9)


def _turned_over(data: Data, plan: dict[str, Any]) -> dict[str, float]:
    """What is left of recall, speed and memory when every vector was replaced several times, at random."""
    rows = np.concatenate([data.base, data.fresh])
    held, absent = np.arange(len(data.base)), np.arange(len(data.base), len(rows))
    old, new = peers.Lecmux(rows.shape[1], store="f16"), peers.Lecmux(rows.shape[1], store="f16")
    old.fill(data.base)
    generator = np.random.default_rng(plan["seed"])
    places = generator.integers(len(held), size=plan["turnovers"] * len(held)).tolist()
    others = generator.integers(len(absent), size=len(places)).tolist()
    for place, other in zip(places, others, strict=True):
        leaves, comes = int(held[place]), int(absent[other])
        held[place], absent[other] = comes, leaves
        old.replace(leaves, comes, rows[comes])
    new.index.add(held, rows[held])
    truth = held[Data(data.what, rows[held], data.queries, data.fresh).nearest()]
    samples = interleave(
        {"old": lambda: _search_ns(old, data, plan), "new": lambda: _search_ns(new, data, plan)},
        plan["rounds"],
    )
    return {
        "recall_fresh": _recall(new, data.queries, truth),
        "recall_after_turnovers": _recall(old, data.queries, truth),
        "recall_change": round(_recall(old, data.queries, truth) - _recall(new, data.queries, truth), 6),
        "qps_after_turnovers": ratio(samples, "new", "old"),
        "memory_after_turnovers": old.index.memory_bytes / new.index.memory_bytes,
    }
