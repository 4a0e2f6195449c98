"""Large collections of vectors: the graph beside the flat engine and other graphs, and under turnover."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import Samples
from benches.vectors import peers, turnover
from benches.vectors.asked import seconds
from benches.vectors.data import Data, clustered
from benches.vectors.sweep import Sweep, ns_at, swept, timed, times_as_fast
from lecmux import _core

FLAT = "lecmux flat f16"
GRAPH = "lecmux hnsw f16"
_OTHERS = {"hnswlib": "hnswlib", "usearch bf16": "usearch_bf16", FLAT: "flat"}
_HEADS = ["index", "built a second", "effort", "recall@1", "queries a second", "replaced a second", "of f32"]


def indexes(plan: dict[str, Any]) -> dict[str, Callable[[], peers.Peer]]:
    """What is measured, by name: each call makes an empty one."""
    dim, links, build = plan["dim"], plan["links"], plan["build"]
    return {
        FLAT: lambda: peers.Lecmux(dim, store="f16", engine="flat"),
        GRAPH: lambda: peers.LecmuxGraph(dim, store="f16"),
        "lecmux hnsw i8": lambda: peers.LecmuxGraph(dim, store="i8"),
        "hnswlib": lambda: peers.Hnswlib(dim, links=links, build=build),
        "usearch bf16": lambda: peers.UsearchIndex(dim, dtype="bf16", links=links, build=build),
    }


def measure(quick: bool) -> Measure:
    """Every index of `workloads/graphs.toml` at every size, then the turnover."""
    plan = settings("graphs", quick=quick)
    made = indexes(plan)
    found = [of_size(size, plan, made) for size in plan["sizes"]]
    graphs = {name: make for name, make in made.items() if name != FLAT}
    found.append(of_turnover(plan["turnover_size"], plan, graphs))
    return Measure(
        [table for each in found for table in each.tables],
        {name: value for each in found for name, value in each.figures.items()},
        {name: value for each in found for name, value in each.samples.items()},
    )


def of_turnover(size: int, plan: dict[str, Any], made: Mapping[str, Callable[[], peers.Peer]]) -> Measure:
    """What turnover leaves of each graph of `size` vectors."""
    return turnover.measure(_drawn(size, size // 2, plan), plan, made)


def of_size(size: int, plan: dict[str, Any], made: Mapping[str, Callable[[], peers.Peer]]) -> Measure:
    """Search, filling, replacement and memory of each at one size."""
    data = _drawn(size, plan["replacements"], plan)
    found, truth = {name: make() for name, make in made.items()}, data.nearest()
    built = {name: seconds(lambda index=index: index.fill(data.base)) for name, index in found.items()}
    sweeps = {name: swept(index, data, truth, plan["recall"]) for name, index in found.items()}
    least = [plan["recall"], *(sweep.best for sweep in sweeps.values())]
    samples = timed(found, sweeps, least, list(data.queries[: plan["queries_a_round"]]), plan["rounds"])
    shares = {name: _share_of_f32(index, data) for name, index in found.items()}
    replaced = {name: _replaced_a_second(index, data) for name, index in found.items()}
    rows = [
        [
            name,
            f"{size / built[name]:,.0f}",
            *searched(name, sweeps[name], plan["recall"], samples),
            f"{replaced[name]:,.0f}",
            f"{shares[name]:.3f}" if shares[name] else "",
        ]
        for name in found
    ]
    figures = {f"{name}_{size}": value for name, value in _ratios(sweeps, plan["recall"], samples).items()}
    figures |= {f"memory_{name.split()[-1]}_{size}": share for name, share in shares.items() if share}
    return Measure([Table(f"Graphs: {data.what}", _HEADS, rows, _note(plan))], figures, {str(size): samples})


def searched(name: str, sweep: Sweep, recall: float, samples: Samples) -> list[str]:
    """The effort that reaches the recall, what it finds, and queries a second at that recall."""
    reached = sweep.around(recall)
    share = recall if reached else sweep.best
    effort = reached[-1] if reached else max(sweep.recalls, key=lambda effort: sweep.recalls[effort])
    speed = f"{1e9 / median(ns_at(name, sweep, share, samples)):,.0f}" + ("" if reached else " (short of it)")
    return [str(effort or ""), f"{sweep.recalls[effort]:.4f}", speed]


def _ratios(sweeps: Mapping[str, Sweep], recall: float, samples: Samples) -> dict[str, float]:
    """How many times as fast the graph of f16 rows is, where both reach the recall."""
    if GRAPH not in sweeps or sweeps[GRAPH].best < recall:
        return {}
    ours = ns_at(GRAPH, sweeps[GRAPH], recall, samples)
    return {
        f"graph_vs_{figure}": times_as_fast(ours, ns_at(name, sweeps[name], recall, samples))
        for name, figure in _OTHERS.items()
        if name in sweeps and sweeps[name].best >= recall
    }


def _drawn(size: int, fresh: int, plan: dict[str, Any]) -> Data:
    drawn = clustered(plan["queries"] + size + fresh, plan, np.random.default_rng(plan["seed"]))
    end = plan["queries"] + size
    held, comes = drawn[plan["queries"] : end], drawn[end:]
    return Data(f"clustered, {size:,}", held, drawn[: plan["queries"]], comes)


def _note(plan: dict[str, Any]) -> str:
    return (
        f"Kernels {_core.vector_kernels()[-1]}; seed {plan['seed']}; one thread, one query a call, k = 1, "
        f"processor time. Other graphs have {plan['links']} links a node, found at effort {plan['build']}. "
        f"Queries a second of a graph: where it finds {plan['recall']:.0%} of the nearest, between the two "
        "efforts around that. Of f32: all bytes held over those of the vectors alone as f32."
    )


def _replaced_a_second(index: peers.Peer, data: Data) -> float:
    def replace() -> None:
        for number, vector in enumerate(data.fresh):
            index.replace(number, number + len(data.base), vector)

    return len(data.fresh) / seconds(replace)


def _share_of_f32(index: peers.Peer, data: Data) -> float:
    """Bytes held over those of the vectors as f32; 0 where the index does not say."""
    return index.index.memory_bytes / data.base.nbytes if isinstance(index, peers.Lecmux) else 0.0
