"""Graphs at sizes of your choice, of the indexes you name: some take long, or too much memory side by side.

    python -m benches.graphs [--sizes N ...] [--turnover N ...] [--indexes NAME ...] [--seed N] [--json PATH]

The settings are those of `workloads/graphs.toml`, as in `benches/run.py --only graphs`.
"""

import argparse
from pathlib import Path

from benches import machine
from benches.measures import graphs
from benches.payload import settings
from benches.report import Measure, dumps

__all__ = ["main"]


def main() -> None:
    """Prints a table a size."""
    plan = settings("graphs")
    made = graphs.indexes(plan)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="vectors held, for search")
    parser.add_argument("--turnover", type=int, nargs="+", default=[], help="vectors held, for turnover")
    parser.add_argument("--indexes", nargs="+", choices=list(made), default=list(made), metavar="NAME")
    parser.add_argument("--seed", type=int, default=plan["seed"])
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write every sample")
    given = parser.parse_args()
    plan = {**plan, "seed": given.seed}
    chosen = {name: make for name, make in made.items() if name in given.indexes}
    living = {name: make for name, make in chosen.items() if name != graphs.FLAT}
    for name, value in machine.describe().items():
        print(f"- {name}: {value}")
    found: list[Measure] = []
    for measured in (
        *(lambda size=size: graphs.of_size(size, plan, chosen) for size in given.sizes),
        *(lambda size=size: graphs.of_turnover(size, plan, living) for size in given.turnover),
    ):
        found.append(measured())
        print(*(table.markdown() for table in found[-1].tables), sep="\n")
        print("\n".join(f"- {name}: {value:.4g}" for name, value in found[-1].figures.items()), flush=True)
    if given.json:
        given.json.write_text(dumps([{"figures": each.figures, "samples": each.samples} for each in found]))


if __name__ == "__main__":
    main()
