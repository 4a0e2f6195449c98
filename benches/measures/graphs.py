"""Large collections of vectors: the graph beside the flat engine and other graphs, and under turnover."""

from statistics import median
from typing import Any

import numpy as np

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import interleave, quiet, ratio
from benches.vectors import asked, peers, turnover
from benches.vectors.data import Data, Rows, clustered
from lecmux import _core

_GRAPH = "lecmux hnsw f16"
_OTHERS = ("hnswlib", "usearch bf16")


def measure(quick: bool) -> Measure:
    """Every index of `workloads/graphs.toml` at every size, then the turnover."""
    plan = settings("graphs", quick=quick)
    generator = np.random.default_rng(plan["seed"])
    drawn = clustered(max(plan["sizes"]) + plan["queries"] + plan["replacements"], plan, generator)
    tables, figures, samples = [], {}, {}
    for size in plan["sizes"]:
        table, found, taken = _size(_cut(drawn, size, plan["replacements"], plan), plan)
        tables.append(table)
        figures |= {f"{name}_{size}": value for name, value in found.items()}
        samples[str(size)] = taken
    data = _cut(drawn, plan["turnover_size"], plan["turnover_size"] // 2, plan)
    graphs = [name for name in _indexes(plan) if "flat" not in name]
    table, found = turnover.measure(
        data, plan, {name: lambda name=name: _indexes(plan)[name] for name in graphs}
    )
    return Measure([*tables, table], figures | found, samples)


def _cut(drawn: Rows, size: int, fresh: int, plan: dict[str, Any]) -> Data:
    asked = plan["queries"]
    end = asked + size
    return Data(f"clustered, {size:,}", drawn[asked:end], drawn[:asked], drawn[end : end + fresh])


def _indexes(plan: dict[str, Any]) -> dict[str, peers.Peer]:
    dim, links, build = plan["dim"], plan["links"], plan["build"]
    return {
        "lecmux flat f16": peers.Lecmux(dim, store="f16", engine="flat"),
        _GRAPH: peers.LecmuxGraph(dim, store="f16"),
        "lecmux hnsw i8": peers.LecmuxGraph(dim, store="i8"),
        "hnswlib": peers.Hnswlib(dim, links=links, build=build),
        "usearch bf16": peers.UsearchIndex(dim, dtype="bf16", links=links, build=build),
    }


def _size(data: Data, plan: dict[str, Any]) -> tuple[Table, dict[str, float], dict[str, Any]]:
    """Search, filling, replacement and memory at one size."""
    indexes, truth = _indexes(plan), data.nearest()
    built = {
        name: asked.seconds(lambda index=index: index.fill(data.base)) for name, index in indexes.items()
    }
    tuned = {name: asked.tuned(index, data.queries, truth, plan["recall"]) for name, index in indexes.items()}
    queries = data.queries[: plan["queries_a_round"]]
    with quiet():
        samples = interleave(
            {name: lambda index=index: asked.search_ns(index, queries) for name, index in indexes.items()},
            plan["rounds"],
        )
    replaced = {name: _replaced_a_second(index, data) for name, index in indexes.items()}
    shares = {name: _share_of_f32(index, data) for name, index in indexes.items()}
    rows = [
        [
            name,
            f"{len(data.base) / built[name]:,.0f}",
            str(tuned[name][0] or ""),
            f"{tuned[name][1]:.4f}",
            f"{1e9 / median(samples[name]):,.0f}"
            + ("" if tuned[name][1] >= plan["recall"] else " (short of it)"),
            f"{replaced[name]:,.0f}",
            f"{shares[name]:.2f}" if shares[name] else "",
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
        "of f32",
    ]
    figures = {f"graph_vs_{name.split()[0]}": ratio(samples, name, _GRAPH) for name in _OTHERS}
    figures |= {"graph_vs_flat": ratio(samples, "lecmux flat f16", _GRAPH)}
    figures |= {f"memory_{name.split()[-1]}": shares[name] for name in (_GRAPH, "lecmux hnsw i8")}
    note = (
        f"Kernels {_core.vector_kernels()}; one thread, one query a call, k = 1, processor time. A graph "
        f"searches at the least effort that finds {plan['recall']:.0%} of the nearest. Of f32: bytes held "
        "over those of the vectors alone as f32."
    )
    return Table(f"Graphs: {data.what}", heads, rows, note), figures, {"search_ns": samples}


def _replaced_a_second(index: peers.Peer, data: Data) -> float:
    def replace() -> None:
        for number, vector in enumerate(data.fresh):
            index.replace(number, number + len(data.base), vector)

    return len(data.fresh) / asked.seconds(replace)


def _share_of_f32(index: peers.Peer, data: Data) -> float:
    """Bytes held over those of the vectors as f32; 0 where the index does not say."""
    return index.index.memory_bytes / data.base.nbytes if isinstance(index, peers.Lecmux) else 0.0
