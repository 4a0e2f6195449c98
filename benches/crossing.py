"""Flat against graph, by size and instruction set: where `engine="auto"` should go from one to the other.

    LECMUX_VECTORS=FILE python -m benches.crossing [--sizes N ...] [--seed N] [--recall R] [--json PATH]
    python -m benches.crossing --draw PATH ... --out PNG

The first measures, the second draws what one or more runs have written (it needs matplotlib).
"""

import argparse
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benches import machine
from benches.payload import settings
from benches.report import Table, dumps
from benches.vectors import peers
from benches.vectors.asked import seconds
from benches.vectors.data import REAL, Data, sets
from benches.vectors.sweep import Sweep, ns_at, swept, timed
from lecmux import _core

__all__ = ["main"]

_HEADS = ["kernels", "vectors", "flat, recall@1", "flat, us", "graph, us", "graph over flat", "effort"]
_COLOURS = ("#1b7f5c", "#d1495b", "#3d5a80", "#e09f3e")


def main() -> None:
    """Prints a row a size and instruction set, and where the two meet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 25_000, 50_000, 100_000])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--json", type=Path, metavar="PATH")
    parser.add_argument("--draw", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--out", type=Path, default=Path("docs/images/crossing.png"), metavar="PNG")
    given = parser.parse_args()
    if given.draw:
        draw([row for path in given.draw for row in json.loads(path.read_text())], given.out)
        return
    plan = {**settings("graphs"), "sizes": given.sizes, "seed": given.seed, "recall": given.recall}
    for name, value in machine.describe().items():
        print(f"- {name}: {value}")
    print(f"- {REAL}: {'given' if os.environ.get(REAL) else 'not given, so clustered vectors alone'}")
    rows = []
    for data in sets(plan):
        rows += measured(data, plan)
        table = Table(
            f"Crossing: {data.what}", _HEADS, [_cells(row) for row in rows if row["what"] == data.what]
        )
        print(table.markdown(), flush=True)
        if given.json:
            given.json.write_text(dumps(rows))
    for kind, kernels, size in crossings(rows):
        print(f"- {kind}, {kernels}: {size}")


def measured(data: Data, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Time of a search in either engine, each on every instruction set of the processor but the reference."""
    names = [name for name in _core.vector_kernels() if name != "scalar"]
    truth, dim = data.nearest(), data.base.shape[1]
    indexes: dict[str, peers.Peer] = {}
    for name in names:
        indexes[f"flat {name}"] = peers.Lecmux(dim, store="f16", engine="flat", kernels=name)
        indexes[f"graph {name}"] = peers.LecmuxGraph(dim, store="f16", kernels=name)
    built = {name: seconds(lambda index=index: index.fill(data.base)) for name, index in indexes.items()}
    sweeps = {name: swept(index, data, truth, plan["recall"]) for name, index in indexes.items()}
    least = [plan["recall"], *(sweep.best for sweep in sweeps.values())]
    samples = timed(indexes, sweeps, least, list(data.queries[: plan["queries_a_round"]]), plan["rounds"])
    return [
        {
            "what": data.what,
            "kind": data.what.split(",")[0],
            "vectors": len(data.base),
            "kernels": name,
            "flat_recall": sweeps[f"flat {name}"].best,
            "graph_effort": _effort(sweeps[f"graph {name}"], plan["recall"]),
            "built_a_second": {
                engine: len(data.base) / built[f"{engine} {name}"] for engine in ("flat", "graph")
            },
            **{
                f"{engine}_us": median(
                    ns_at(f"{engine} {name}", sweep, min(plan["recall"], sweep.best), samples)
                )
                / 1e3
                for engine in ("flat", "graph")
                for sweep in [sweeps[f"{engine} {name}"]]
            },
        }
        for name in names
    ]


def crossings(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Of each kind of vectors and instruction set: the size at which both take as long, of those measured."""
    found = []
    for kind, kernels in dict.fromkeys((row["kind"], row["kernels"]) for row in rows):
        own = sorted(
            (row["vectors"], math.log(row["flat_us"] / row["graph_us"]))
            for row in rows
            if (row["kind"], row["kernels"]) == (kind, kernels)
        )
        sizes, gains = [math.log(size) for size, _ in own], [gain for _, gain in own]
        if gains[0] >= 0:
            text = f"below {own[0][0]:,}"
        elif gains[-1] < 0:
            text = f"above {own[-1][0]:,}"
        else:
            text = f"{math.exp(float(np.interp(0.0, gains, sizes))):,.0f}"
        found.append((kind, kernels, text))
    return found


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """A panel a kind of vectors: time of a search by size, flat as a line, the graph dashed."""
    from matplotlib.figure import Figure  # noqa: PLC0415  wanted for the picture alone

    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    kernels = list(dict.fromkeys(row["kernels"] for row in rows))
    figure = Figure(figsize=(4.8 * len(kinds), 4.0), dpi=150, layout="constrained")
    for kind, axes in zip(
        kinds, np.atleast_1d(figure.subplots(1, len(kinds), sharex=True, sharey=True)), strict=True
    ):
        for name, colour in zip(kernels, _COLOURS, strict=False):
            own = sorted(
                (row for row in rows if (row["kind"], row["kernels"]) == (kind, name)),
                key=lambda row: row["vectors"],
            )
            for engine, style in (("flat", "-"), ("graph", "--")):
                axes.loglog(
                    [row["vectors"] for row in own],
                    [row[f"{engine}_us"] for row in own],
                    style,
                    marker="o",
                    markersize=3,
                    color=colour,
                    label=f"{engine}, {name}",
                )
        axes.set_title(kind, fontsize=10)
        axes.set_xlabel("vectors held")
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    figure.supylabel("microseconds a search", fontsize=10)
    figure.savefig(path, metadata={"Software": None})
    print(f"wrote {path}")


def _effort(sweep: Sweep, recall: float) -> int | None:
    """The effort at which the graph finds enough; None where it never does."""
    around = sweep.around(recall)
    return around[-1] if around else None


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["kernels"],
        f"{row['vectors']:,}",
        f"{row['flat_recall']:.4f}",
        f"{row['flat_us']:.1f}",
        f"{row['graph_us']:.1f}",
        f"{row['flat_us'] / row['graph_us']:.2f}",
        "short of it" if row["graph_effort"] is None else str(row["graph_effort"]),
    ]


if __name__ == "__main__":
    main()
