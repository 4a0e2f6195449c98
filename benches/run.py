"""Measures lecmux beside other caches in one run and prints the tables.

    python benches/run.py [--quick] [--only NAME ...] [--json PATH]

A full run writes them to `benches/results/` as well. Ratios are what counts: absolute figures move with the
machine. A mark that is missed is printed as such and fails nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: make the package importable
    sys.path[0] = str(Path(__file__).parents[1])

from benches import machine, marks, report
from benches.measures import (
    batches,
    floor,
    graphs,
    imports,
    live,
    lookups,
    meaning,
    memory,
    puts,
    replays,
    savings,
    threads,
    vectors,
)
from benches.payload import WORKLOADS, settings

RESULTS = Path(__file__).parent / "results"
MEASURES: dict[str, Callable[[bool], report.Measure]] = {
    "lookups": lookups.measure,
    "puts": puts.measure,
    "threads": threads.measure,
    "batches": batches.measure,
    "memory": memory.measure,
    "imports": imports.measure,
    "savings": savings.measure,
    "replays": replays.measure,
    "live": live.measure,
    "floor": floor.measure,
    "vectors": vectors.measure,
    "graphs": graphs.measure,
    "meaning": meaning.measure,
}


def main() -> None:
    """The command."""
    options = _options()
    described = machine.describe()
    started = time.monotonic()
    measures: dict[str, report.Measure] = {}
    for name in options.only or MEASURES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        measures[name] = MEASURES[name](options.quick)
    seconds = time.monotonic() - started
    figures = {key: value for found in measures.values() for key, value in found.figures.items()}
    text = _markdown(options.quick, described, measures, figures, seconds)
    print(text)
    data = {
        "machine": described,
        "quick": options.quick,
        "seconds": seconds,
        "settings": _settings(options.quick),
        "figures": figures,
        "marks": marks.verdicts(figures),
        "samples": {name: found.samples for name, found in measures.items()},
    }
    _write(options, text, data)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute's look: fewer rounds, smaller sizes")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), metavar="NAME", help=" ".join(MEASURES))
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write every sample")
    return parser.parse_args()


def _settings(quick: bool) -> dict[str, Any]:
    names = sorted(path.stem for path in WORKLOADS.glob("*.toml"))
    return {name: settings(name, quick=quick) for name in names}


def _markdown(
    quick: bool,
    described: dict[str, str],
    measures: dict[str, report.Measure],
    figures: dict[str, float],
    seconds: float,
) -> str:
    """The whole report."""
    facts = [f"- {name}: {value}" for name, value in described.items()]
    seeds = {name: found["seed"] for name, found in _settings(quick).items() if "seed" in found}
    facts.append(f"- seeds: {', '.join(f'{name} {seed}' for name, seed in seeds.items())}")
    facts.append(f"- took {seconds:.0f} s{' (quick: rounds too few to rely on)' if quick else ''}")
    tables = [marks.table(figures), *(table for found in measures.values() for table in found.tables)]
    head = (
        "# Benches\n\nMedians over interleaved rounds of one run; ratios are medians of the rounds' ratios.\n"
    )
    return "\n".join([head, *facts, "", *(table.markdown() for table in tables)])


def _write(options: argparse.Namespace, text: str, data: dict[str, Any]) -> None:
    if options.json:
        options.json.write_text(report.dumps(data))
    if not options.quick and not options.only:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "latest.md").write_text(text)
        summary = {key: value for key, value in data.items() if key != "samples"}
        (RESULTS / "latest.json").write_text(report.dumps(summary))


if __name__ == "__main__":
    main()
