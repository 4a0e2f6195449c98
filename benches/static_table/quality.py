"""What the table knows beside its teacher, on sets that it was not fitted on.

    LECMUX_DATA=... python -m benches.static_table.quality [TABLE ...] [--cache FOLDER] [--json FILE]

Pairs: rank correlation with people's scores (STS-B), area under the curve and share of duplicates found at a
precision of .9 (QQP, medical questions). Gate: a stream in a seeded order; a request has a neighbour where
MiniLM finds an earlier text at .8 or more; `opens` is the share of all requests that the table lets through
at a threshold, `lost` the share of those with a neighbour that it does not. `unrelated` are questions of
another set, asked of the whole stream. `hits lost` is the share of the hits that the semantic stage serves at
max_error .02, over two seeded orders.
"""

import argparse
import csv
import gzip
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lecmux import _core
from lecmux.embedders import FromFunction, MiniLM, Static
from lecmux.embedders.static import vocabulary
from lecmux.semantic import evaluate_stream

__all__ = ["gate", "main", "pairs"]

_PAIRS = 3000
_NEAR = 0.8
_THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
_STREAMS = ("banking77_6000", "clinc150_9000", "qqp_8000")
_Embed = Callable[[Sequence[str]], np.ndarray]


def _rows(data: Path, file: str) -> list[dict[str, str]]:
    with gzip.open(data / f"{file}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def pairs(data: Path) -> dict[str, tuple[list[str], list[str], np.ndarray]]:
    """Texts and what people say of each pair."""
    qqp = _rows(data, "semantic-cache/qqp_pairs")
    drawn = np.random.default_rng(0).permutation(len(qqp))[:_PAIRS]
    sets = {
        "STS-B": [r for r in _rows(data, "semantic-cache/stsb_en_train_dev") if r["split"] == "dev"],
        "QQP": [qqp[place] for place in drawn],
        "medical": _rows(data, "text/medical_question_pairs"),
    }
    return {
        name: (
            [row["text_a"] for row in rows],
            [row["text_b"] for row in rows],
            np.array([float(row.get("label") or row["score_0_5"]) for row in rows]),
        )
        for name, rows in sets.items()
    }


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; equal values share theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]


def _pair_figures(similar: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    if len(np.unique(labels)) > 2:
        return {"Spearman": float(np.corrcoef(_ranks(similar), _ranks(labels))[0, 1])}
    same = labels > 0
    ranks = _ranks(similar)
    area = (ranks[same].sum() - same.sum() * (same.sum() - 1) / 2) / (same.sum() * (~same).sum())
    order = np.argsort(-similar, kind="stable")
    right = np.cumsum(same[order])
    precise = np.flatnonzero(right / np.arange(1, len(order) + 1) >= 0.9)
    return {"AUC": float(area), "R@P90": float(right[precise[-1]] / same.sum()) if len(precise) else 0.0}


def _best_earlier(vectors: np.ndarray) -> np.ndarray:
    """Similarity of each row to the most similar row before it; -1 for the first."""
    best = np.full(len(vectors), -1.0, np.float32)
    for first in range(0, len(vectors), 512):
        part = vectors[first : first + 512]
        alike = part @ vectors[: first + len(part)].T
        alike[np.arange(len(vectors))[None, : alike.shape[1]] >= (first + np.arange(len(part)))[:, None]] = -1
        best[first : first + len(part)] = alike.max(axis=1)
    return best


def gate(data: Path, embed: _Embed, slow: _Embed, seed: int = 0) -> dict[str, list[dict[str, float]]]:
    """By stream, what each threshold opens and loses."""
    found = {}
    texts = {
        name: [row["text"] for row in _rows(data, f"semantic-cache/streams/{name}")] for name in _STREAMS
    }
    for name in _STREAMS:
        order = np.random.default_rng(seed).permutation(len(texts[name]))
        quick, sure = embed(texts[name])[order], slow(texts[name])[order]
        best, near = _best_earlier(quick), _best_earlier(sure) >= _NEAR
        other = _STREAMS[(_STREAMS.index(name) + 1) % len(_STREAMS)]
        strange = (embed(texts[other][:2000]) @ quick.T).max(axis=1)
        found[name] = [
            {
                "threshold": threshold,
                "opens": float((best >= threshold).mean()),
                "near": float(near.mean()),
                "lost": float((best[near] < threshold).mean()),
                "unrelated": float((strange >= threshold).mean()),
            }
            for threshold in _THRESHOLDS
        ]
    return found


def hits_lost(data: Path, embed: _Embed, slow: _Embed, orders: int = 2) -> dict[str, list[dict[str, float]]]:
    """By stream, the share of the stage's own hits at max_error .02 that each threshold would lose."""
    found: dict[str, list[dict[str, float]]] = {}
    teacher = FromFunction(slow, name="minilm-int8")
    for name in _STREAMS:
        rows = _rows(data, f"semantic-cache/streams/{name}")
        texts, classes = [row["text"] for row in rows], [_class(row["class"]) for row in rows]
        run = evaluate_stream(texts, classes, embedder=teacher, max_error=0.02, orders=orders)
        best, hit = [], []
        for order in run.orders:
            best.append(_best_earlier(embed(texts)[[asked for asked, _ in order.trace]]))
            hit.append(np.array([served is not None for _, served in order.trace]))
        among = np.concatenate(best)[np.concatenate(hit)]
        found[name] = [
            {"threshold": at, "hits": run.hit_rate, "hits lost": float((among < at).mean())}
            for at in _THRESHOLDS
        ]
    return found


def _class(name: str) -> str | None:
    """None: a class of its own, as each text out of scope is."""
    return None if not name or name.startswith("oos") else name


class _Remembered:
    """MiniLM's vectors, kept in `folder` (files of numpy with `texts` and `vectors`)."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, np.ndarray] = {}
        for file in sorted(folder.glob("*.npz")) if folder else ():
            with np.load(file, allow_pickle=True) as kept:
                self._known.update(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            vectors = MiniLM().embed(missing)
            self._known.update(zip(missing, vectors, strict=True))
            if self._folder:
                file = self._folder / f"made_{len(self._known)}.npz"
                np.savez(file, texts=np.array(missing, dtype=object), vectors=vectors)
        return np.stack([self._known[text] for text in texts])


def _table(file: Path) -> _Embed:
    table = _core.StaticTable(vocabulary(), file.read_bytes())
    return lambda texts: np.frombuffer(table.embed(list(texts)), np.float32).reshape(-1, table.dim)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="*")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--pairs-only", action="store_true")
    asked = parser.parse_args()
    data = Path(os.environ["LECMUX_DATA"])
    slow = _Remembered(asked.cache)
    encoders: dict[str, _Embed] = {"minilm-int8": slow}
    if not asked.tables:
        encoders["static"] = lambda texts: np.asarray(Static().embed(texts))
    encoders |= {str(file): _table(file) for file in asked.tables}
    found: dict[str, Any] = {}
    for name, embed in encoders.items():
        figures: dict[str, Any] = {}
        for kind, (left, right, labels) in pairs(data).items():
            figures[kind] = _pair_figures((embed(left) * embed(right)).sum(axis=1), labels)
        print(name, json.dumps({k: {m: round(f, 3) for m, f in v.items()} for k, v in figures.items()}))
        if embed is not slow and not asked.pairs_only:
            figures["gate"] = gate(data, embed, slow)
            figures["hits lost"] = hits_lost(data, embed, slow)
            for stream, lines in [*figures["gate"].items(), *figures["hits lost"].items()]:
                print(stream)
                for line in lines:
                    print("  ", {key: round(value, 4) for key, value in line.items()})
        found[name] = figures
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
