"""What it is worth that eviction sees near twins: entries whose requests another would answer count for less.

    LECMUX_DATA=... python -m benches.twins [--seeds 10] [--requests 8000] [--embedder NAME] [--vectors DIR]

Requests are drawn from the three streams of classed texts: a class by Zipf's law, a text of it by Zipf's law,
so questions come again word for word and in other words. A class has a cost of its own (lognormal) and
answers of a length of its own. Every stream is served twice from the same small cache: with worth by marginal
coverage, and without. The budget is a share of what all distinct texts with their answers would take.
"""

import argparse
import csv
import gzip
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray

from benches.report import Table
from lecmux import Cache, Query, Reply, Semantic, Usage
from lecmux.embedders import Embedder, embedder

__all__ = ["main"]

STREAMS = {"Banking77": "banking77_6000", "CLINC150": "clinc150_9000", "QQP": "qqp_8000"}
SHARES = (0.05, 0.1, 0.25)
ENTRY_BYTES = 1500  # beside text and answer: vector, slot and row

Rows = NDArray[np.float32]


class AtHand:
    """An embedder that has the vector of every text already."""

    def __init__(self, name: str, texts: Sequence[str], vectors: Rows) -> None:
        self.name = name
        self.dim = vectors.shape[1]
        self._rows = {text: vector[None] for text, vector in zip(texts, vectors, strict=True)}

    def embed(self, texts: Sequence[str]) -> Rows:
        """One row a text."""
        return np.concatenate([self._rows[text] for text in texts])

    async def aembed(self, texts: Sequence[str]) -> Rows:
        """As `embed`."""
        return self.embed(texts)


@dataclass(frozen=True)
class Stream:
    """Classed texts with their vectors."""

    texts: list[str]
    classes: NDArray[np.int64]
    at_hand: AtHand


@dataclass(frozen=True)
class Served:
    """What became of one order: shares of the requests, and of their cost."""

    hits: float
    exact_hits: float
    wrong_hits: float
    saved: float
    """Cost of the requests that were answered right without a call."""


def stream(file: Path, made: Embedder, kept: Path | None) -> Stream:
    """Reads a stream; vectors are kept in the folder `kept`, if one is given."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    texts = list(dict.fromkeys(row["text"] for row in rows))
    of = {row["text"]: row["class"] for row in rows}
    known: dict[str, int] = {}
    for text in texts:
        known.setdefault(of[text], len(known))
    classes = [known[of[text]] for text in texts]
    path = None if kept is None else kept / f"{file.name.split('.')[0]}-{made.name.replace('/', '-')}.npy"
    if path is not None and path.exists():
        vectors = np.load(path)
    else:
        vectors = np.array(made.embed(texts), np.float32)
        if path is not None:
            np.save(path, vectors)
    return Stream(texts, np.array(classes), AtHand(made.name, texts, vectors))


def requests(of: Stream, count: int, seed: int, zipf: float) -> NDArray[np.int64]:
    """Rows: a class by Zipf's law, then a text of it by Zipf's law, both in a seeded order."""
    draw = np.random.default_rng(seed)
    classes = int(of.classes.max()) + 1
    ranks = draw.permutation(classes)
    drawn = draw.choice(classes, count, p=_zipf(classes, zipf)[ranks])
    members = [np.flatnonzero(of.classes == one) for one in range(classes)]
    members = [draw.permutation(rows) for rows in members]
    return np.array(
        [rows[draw.choice(len(rows), p=_zipf(len(rows), zipf))] for rows in map(members.__getitem__, drawn)]
    )


def _zipf(count: int, exponent: float) -> NDArray[np.float64]:
    weights = np.arange(1, count + 1) ** -exponent
    return weights / weights.sum()


def serve(
    of: Stream, asked: NDArray[np.int64], seed: int, share: float, *, max_error: float, twins: bool
) -> Served:
    """Answers the requests from an empty cache that holds a `share` of the distinct texts."""
    draw = np.random.default_rng(seed + 1_000_000)
    classes = int(of.classes.max()) + 1
    costs = draw.lognormal(0.0, 1.5, classes)
    lengths = draw.integers(200, 4000, classes)
    whole = sum(
        ENTRY_BYTES + 2 * len(text) + int(lengths[one])
        for text, one in zip(of.texts, of.classes, strict=True)
    )

    def model(query: Query) -> Reply:
        one = query.attributes["class"]
        text = f"{one} {query.text} "
        return Reply(text.ljust(lengths[one], "."), Usage(seconds=float(costs[one])))

    cache = Cache(
        int(share * whole),
        semantic=Semantic(of.at_hand, max_error=max_error, same_answer=_same, near_twins=twins),
        clock=lambda: 0.0,
    )
    hits = exact = wrong = 0
    saved = paid = 0.0
    for row in asked.tolist():
        one, text = int(of.classes[row]), of.texts[row]
        answer = cache.answer(Query(text, salient=text, attributes={"class": one}), models={"m": model})
        right = int(answer.value.split(" ", 1)[0]) == one
        hit = answer.decision.kind == "hit"
        hits += hit
        exact += answer.decision.reason == "exact"
        wrong += hit and not right
        saved += costs[one] if hit and right else 0.0
        paid += costs[one]
    cache.check()
    count = len(asked)
    return Served(hits / count, exact / count, wrong / count, saved / paid)


def _same(first: str, second: str) -> bool:
    return first.split(" ", 1)[0] == second.split(" ", 1)[0]


def main() -> None:
    """The command."""
    options = _options()
    if not (folder := os.environ.get("LECMUX_DATA")):
        sys.exit("LECMUX_DATA is not set: it names the folder with semantic-cache/streams")
    rows, found = [], {}
    made = embedder(options.embedder)
    for name, file in STREAMS.items():
        path = Path(folder) / "semantic-cache" / "streams" / f"{file}.csv.gz"
        texts = stream(path, made, options.vectors)
        asked = [requests(texts, options.requests, seed, options.zipf) for seed in _seeds(options)]
        for share in SHARES:
            pairs = [
                [
                    serve(texts, order, seed, share, max_error=options.max_error, twins=twins)
                    for twins in (False, True)
                ]
                for seed, order in zip(_seeds(options), asked, strict=True)
            ]
            rows.append(_row(name, share, pairs))
            found[f"{name} {share}"] = [[asdict(served) for served in pair] for pair in pairs]
    print(_table(rows, options).markdown())
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--requests", type=int, default=8000)
    parser.add_argument(
        "--zipf", type=float, default=0.8, help="exponent, of classes and of texts in a class"
    )
    parser.add_argument("--max-error", type=float, default=0.02)
    parser.add_argument("--embedder", default="minilm-int8")
    parser.add_argument("--vectors", type=Path, metavar="DIR", help="where to keep vectors between runs")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write every run")
    return parser.parse_args()


def _seeds(options: argparse.Namespace) -> range:
    return range(options.first_seed, options.first_seed + options.seeds)


def _row(name: str, share: float, pairs: Sequence[Sequence[Served]]) -> list[str]:
    gains = [with_sight.saved - without.saved for without, with_sight in pairs]
    spread = stdev(gains) if len(gains) > 1 else 0.0
    columns = zip(*pairs, strict=True)
    saved, hits, wrong = [], [], []
    for runs in columns:
        saved.append(f"{mean(run.saved for run in runs):.2%}")
        hits.append(f"{mean(run.hits for run in runs):.1%}")
        wrong.append(f"{mean(run.wrong_hits for run in runs):.2%}")
    worse = sum(gain < 0 for gain in gains)
    gain = f"{100 * mean(gains):+.2f} ({100 * spread:.2f})"
    return [
        name,
        f"{share:.0%}",
        *saved,
        gain,
        f"{worse} of {len(gains)}",
        " / ".join(hits),
        " / ".join(wrong),
    ]


def _table(rows: list[list[str]], options: argparse.Namespace) -> Table:
    return Table(
        "Cost saved, without and with the sight of near twins",
        ["stream", "room", "without", "with", "gain, points (spread)", "worse in", "hits", "wrong hits"],
        rows,
        f"{options.requests:,} requests, {options.seeds} seeds from {options.first_seed}, Zipf "
        f"{options.zipf}, max_error {options.max_error}, {options.embedder}. Cost saved: of requests "
        "answered right without a call, of the cost of all.",
    )


if __name__ == "__main__":
    main()
