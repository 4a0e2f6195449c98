"""Search, replacement and turnover of vectors, beside graphs that search as hard as the same recall needs."""

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import numpy as np

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import Samples, interleave, ratio
from benches.vectors import partitions, peers
from benches.vectors.data import REAL, Data, sets
from benches.vectors.sweep import Sweep, ns_at, recall, search_ns, swept, timed, times_as_fast
from lecmux import _core

_OURS = "lecmux f16"
_AGAINST = {"hnswlib": "hnswlib", "usearch bf16": "usearch_bf16", "faiss HNSW SQ8": "faiss_sq8"}
_HEADS = [
    "index",
    "built a second",
    "effort",
    "recall@1",
    "queries a second",
    "at our recall",
    "replaced a second",
    "bytes each",
]


def measure(quick: bool) -> Measure:
    """Every index on every collection of `workloads/vectors.toml`, and many small ones."""
    plan = settings("vectors", quick=quick)
    table, figures = partitions.table(plan)
    tables, samples = [table], {}
    for data in sets(plan):
        table, found, taken = _collection(data, plan)
        print(table.markdown(), flush=True)  # a run of all sizes takes long, and may be cut short
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
    ours = recall(indexes[_OURS], data.queries, truth)
    wanted = [plan["recall"], max(ours, plan["recall"])]
    sweeps = {name: swept(index, data, truth, max(wanted)) for name, index in indexes.items()}
    queries = list(data.queries[: plan["queries_a_round"]])
    samples = timed(
        indexes, sweeps, [*wanted, *(sweep.best for sweep in sweeps.values())], queries, plan["rounds"]
    )
    figures = _ratios(sweeps, wanted, samples)
    replaced = {name: _replaced_a_second(index, data, plan) for name, index in indexes.items()}
    figures["replacements_vs_hnswlib"] = replaced[_OURS] / replaced["hnswlib"]
    figures |= _turned_over(data, plan)
    rows = [
        [
            name,
            f"{len(data.base) / built[name]:,.0f}",
            *_searched(name, sweeps[name], wanted, samples),
            f"{replaced[name]:,.0f}" if replaced[name] else "cannot",
            _bytes_each(indexes[name], len(data.base)),
        ]
        for name in indexes
    ]
    table = Table(f"Vectors: {data.what}", _HEADS, rows, _note(plan, figures, ours))
    return table, figures, {"search_ns": samples, "recalls": {n: dict(s.recalls) for n, s in sweeps.items()}}


def _ratios(sweeps: Mapping[str, Sweep], wanted: list[float], samples: Samples) -> dict[str, float]:
    """How many times as fast as each peer, at the recall that is asked for and at the one reached."""
    figures = {}
    ours = ns_at(_OURS, sweeps[_OURS], sweeps[_OURS].best, samples)
    for name, figure in _AGAINST.items():
        for share, suffix in zip(wanted, ("", "_at_our_recall"), strict=True):
            theirs = ns_at(name, sweeps[name], share, samples)
            if theirs and sweeps[_OURS].best >= share:
                figures[f"vectors_vs_{figure}{suffix}"] = times_as_fast(ours, theirs)
    for name in sweeps:
        share = wanted[0]
        if name.startswith(f"{_OURS} on ") and sweeps[name].best >= share:
            own = ns_at(name, sweeps[name], sweeps[name].best, samples)
            kernels = name.removeprefix(f"{_OURS} on ").replace("-", "_")
            figures[f"vectors_on_{kernels}_vs_hnswlib"] = times_as_fast(
                own, ns_at("hnswlib", sweeps["hnswlib"], share, samples)
            )
    return figures


def _searched(name: str, sweep: Sweep, wanted: list[float], samples: Samples) -> list[str]:
    """Effort, recall, and queries a second at each recall wanted."""
    at_least = sweep.around(wanted[0])
    effort = at_least[-1] if at_least else max(sweep.recalls, key=lambda effort: sweep.recalls[effort])
    shown = "" if tuple(sweep.recalls) == (0,) else str(effort)
    speeds = []
    for share in wanted:
        ns = ns_at(name, sweep, share if sweep.best >= share else sweep.best, samples)
        speeds.append(f"{1e9 / median(ns):,.0f}" + ("" if sweep.best >= share else " (short of it)"))
    return [shown, f"{sweep.recalls[effort]:.4f}", *speeds]


def _bytes_each(index: peers.Peer, count: int) -> str:
    return f"{index.index.memory_bytes / count:,.0f}" if isinstance(index, peers.Lecmux) else ""


def _note(plan: dict[str, Any], figures: dict[str, float], ours: float) -> str:
    return (
        f"Kernels {_core.vector_kernels()[-1]} where no others are named; one thread, one query a call. "
        f"Graphs have {plan['links']} links a node, found at effort {plan['build']}; their speed is that at "
        f"which they find {plan['recall']:.0%} of the nearest, and beside it {ours:.1%}, as {_OURS} does: "
        f"between the two efforts around it. After {plan['turnovers']} turnovers {_OURS} finds "
        f"{figures['recall_change']:+.4f} of the nearest, at {figures['qps_after_turnovers']:.2f} of the "
        f"speed, in {figures['memory_after_turnovers']:.3f} of the memory, against one filled afresh. "
        f"Vectors of real texts come from the file that {REAL} names, if any."
    )


def _seconds(work: Any) -> float:
    """Processor time of `work`, of all threads."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


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
    queries = list(data.queries[: plan["queries_a_round"]])
    tasks = {"old": lambda: search_ns(old, queries), "new": lambda: search_ns(new, queries)}
    samples = interleave(tasks, plan["turnover_rounds"])
    fresh, turned = recall(new, data.queries, truth), recall(old, data.queries, truth)
    return {
        "recall_fresh": fresh,
        "recall_after_turnovers": turned,
        "recall_change": round(turned - fresh, 6),
        "qps_after_turnovers": ratio(samples, "new", "old"),
        "memory_after_turnovers": old.index.memory_bytes / new.index.memory_bytes,
    }
