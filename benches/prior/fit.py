"""Fits the weights that the pooled model starts from, and sets the shipped ones beside them.

    LECMUX_DATA=... python -m benches.prior.fit [--source mock|mock+mqp] [--spread 1.0] [--check] [--json]

Texts of known classes are served to nobody, in seeded orders: each is a lesson on the entry nearest to it
(its features, and whether their classes are one). A logistic model is fitted to these lessons, by Newton
steps, under a normal prior: level -.5, similarity 1, all else 0, each with the deviation `--spread` (the
level 1.5). Weights in `HAND` are then set by hand. Sources, none of them among the sets that are reported
on:

- mock: GPTCache's mock pairs (MIT), each pair a class
- mqp: Medical Question Pairs (Curai; no licence file, so its text is shipped nowhere)

Half of the classes are held out to see what the probabilities are worth; the weights printed are of all.

The shipped weights are no output of this script: they come from an earlier fit on mock+mqp, when the model
had fewer features. `--check` fails where one of them is set by hand to another value than `HAND` says, or
lies farther from today's fit on mock+mqp than its own prior deviation. No digits are compared: the
embedder's arithmetic differs from one processor to the next.
"""

import argparse
import csv
import gzip
import itertools
import json
import os
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lecmux import _core
from lecmux.embedders import Embedder, embedder

__all__ = ["HAND", "SOURCES", "disagreements", "fitted", "held_out", "lessons", "main"]

Texts = list[tuple[str, str]]

HAND = {
    "numbers differ": -2.5,
    "numbers in one": -1.0,
    "negation": -1.0,
    "opposite": -1.0,
    "unused": 0.0,
    "neighbours agree": 0.5,
    "next other answer": 0.0,
    "neighbours with this answer": 0.0,
    "entries": 0.2,
    "very alike": 0.0,
    "alike": 0.0,
    "surprise around": 0.0,
    "surprise since": 0.0,
}
"""Weights set by hand: towards caution, or to what a workload of its own must tell."""
_CAUTION = ("numbers differ", "numbers in one", "negation", "opposite")

SOURCES = ("mock", "mock+mqp")
_ORDERS = range(3000, 3004)
_STEPS = 50
_SURE = 1e-4


def _rows(data: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(data / name, "rt", encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _mock(data: Path) -> Texts:
    rows = enumerate(_rows(data, "semantic-cache/gptcache_mock_pairs.csv.gz"))
    return [(row[column], f"mock {number}") for number, row in rows for column in ("origin", "similar")]


def _mqp(data: Path) -> Texts:
    """Questions that are paired as the same are one class."""
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        while parent.setdefault(text, text) != text:
            text = parent[text]
        return text

    for row in _rows(data, "text/medical_question_pairs.csv.gz"):
        first, second = root(row["text_a"]), root(row["text_b"])
        if row["label"] == "1":
            parent[first] = second
    return [(text, f"mqp {root(text)}") for text in parent]


def texts(source: str, data: Path) -> Texts:
    """Texts and their classes, each text once."""
    read = {
        "mock": lambda: _mock(data),
        "mqp": lambda: _mqp(data),
    }
    once: dict[str, str] = {}
    for name in source.split("+"):
        for text, number in read[name]():
            once.setdefault(text, number)
    return list(once.items())


def lessons(classed: Texts, embed: Embedder, orders: Sequence[int] = _ORDERS) -> tuple[Any, Any]:
    """Features, (n, features), and whether the answer was right, (n,), of all orders; answers hidden."""
    said = [text for text, _ in classed]
    numbers: dict[str, int] = {}
    classes = array("q", (numbers.setdefault(name, len(numbers)) for _, name in classed))
    vectors = np.ascontiguousarray(embed.embed(said), np.float32)
    stream = _core.SemanticStream(said, classes, vectors, vectors.shape[1])
    told = [
        lesson for order in orders for lesson in stream.lessons(order, requests=len(said), hide_answers=True)
    ]
    return np.array([features for features, _ in told]), np.array([float(right) for _, right in told])


def fitted(features: Any, right: Any, weight: float, spread: float = 1.0) -> Any:
    """The most likely weights; `weight` is what a lesson counts, one over the orders.

    Weights that a workload must tell are held while the others are fitted; those set for caution are fitted,
    so that the others do not make up for them, and set afterwards.
    """
    names, *_ = _core.shipped_prior()
    mean, deviation = np.zeros(len(names)), np.full(len(names), spread)
    mean[0], mean[1], deviation[0] = -0.5, 1.0, 1.5
    for name in HAND.keys() - set(_CAUTION):
        mean[names.index(name)], deviation[names.index(name)] = HAND[name], _SURE
    found = mean.copy()
    for _ in range(_STEPS):
        expected = _sigmoid(features @ found)
        slope = features.T @ (weight * (right - expected)) - (found - mean) / deviation**2
        curvature = (features.T * (weight * expected * (1 - expected))) @ features + np.diag(deviation**-2.0)
        step = np.linalg.solve(curvature, slope)
        found += step
        if np.abs(step).max() < 1e-10:
            break
    for name in _CAUTION:
        found[names.index(name)] = HAND[name]
    return found


def _sigmoid(logit: Any) -> Any:
    return 1 / (1 + np.exp(-logit))


def held_out(classed: Texts, embed: Embedder, shipped: Any, spread: float) -> dict[str, Any]:
    """What a fit on half of the classes, and the shipped weights, are worth on the other half."""
    names = sorted({name for _, name in classed})
    half = set(names[::2])
    first = lessons([row for row in classed if row[1] in half], embed)
    features, right = lessons([row for row in classed if row[1] not in half], embed)
    weights = {"fit": fitted(*first, 1 / len(_ORDERS), spread), "shipped": shipped}
    found: dict[str, Any] = {"lessons": len(right), "right": float(right.mean())}
    for name, weight in weights.items():
        told = np.clip(_sigmoid(features @ weight), 1e-6, 1 - 1e-6)
        loss = -np.where(right > 0, np.log(told), np.log(1 - told)).mean()
        edges = np.linspace(0, 1, 6)
        bins = [(told >= low) & (told < high) for low, high in itertools.pairwise(edges)]
        table = [
            (int(here.sum()), float(told[here].mean()), float(right[here].mean()))
            for here in bins
            if here.any()
        ]
        found[name] = {"log_loss": float(loss), "bins": table}
    share = right.mean()
    found["constant"] = float(-(share * np.log(share) + (1 - share) * np.log(1 - share)))
    return found


def disagreements(means: Sequence[float], found: Any) -> list[str]:
    """Shipped weights that are not what `HAND` says, or farther from a fit than their prior deviation."""
    names, _, deviations, _ = _core.shipped_prior()
    told = []
    for name, shipped, deviation, fit in zip(names, means, deviations, found, strict=True):
        if name in HAND and shipped != HAND[name]:
            told.append(f"{name}: shipped {shipped}, by hand {HAND[name]}")
        elif name not in HAND and abs(shipped - fit) > deviation:
            told.append(f"{name}: shipped {shipped}, fitted {fit:.4f}, farther than {deviation}")
    return told


def _show(source: str, found: Any, worth: dict[str, Any]) -> None:
    names, means, _, _ = _core.shipped_prior()
    print(f"// fitted on {source}")
    print(f"pub const MEANS: [f64; FEATURES] = [{', '.join(f'{weight + 0.0:.4f}' for weight in found)}];\n")
    for name, shipped, fit in zip(names, means, found, strict=True):
        print(f"{name:28} shipped {shipped:8.4f}  fitted {fit:8.4f}{'  by hand' if name in HAND else ''}")
    print(f"\nheld out: {worth['lessons']} lessons, {worth['right']:.3f} right")
    print(f"log loss: constant {worth['constant']:.3f}")
    for name in ("fit", "shipped"):
        print(f"log loss: {name} {worth[name]['log_loss']:.3f}; by fifths: lessons, told, seen")
        print("  " + "  ".join(f"{count} {told:.2f} {seen:.2f}" for count, told, seen in worth[name]["bins"]))


def main() -> None:
    """Prints the fit, or checks the shipped weights against it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--source", choices=SOURCES, default="mock+mqp")
    parser.add_argument("--spread", type=float, default=1.0)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (folder := os.environ.get("LECMUX_DATA")):
        sys.exit("LECMUX_DATA is not set: it names the folder with semantic-cache/gptcache_mock_pairs.csv.gz")
    classed = texts("mock+mqp" if given.check else given.source, Path(folder))
    embed = embedder("minilm-int8")
    names, means, _, _ = _core.shipped_prior()
    spread = 1.0 if given.check else given.spread
    found = fitted(*lessons(classed, embed), 1 / len(_ORDERS), spread)
    if given.check:
        told = disagreements(means, found)
        sys.exit("\n".join(told) if told else None)
    worth = held_out(classed, embed, np.array(means), spread)
    if given.json:
        fit = dict(zip(names, map(float, found), strict=True))
        print(json.dumps({"source": given.source, "weights": fit, "held_out": worth}, indent=2))
    else:
        _show(given.source, found, worth)


if __name__ == "__main__":
    main()
