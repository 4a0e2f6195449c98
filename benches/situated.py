"""Pairs of one question as of two dates, or in two places: do they share an answer that they must not share?

    LECMUX_DATA=... python -m benches.situated [--max-error D] [--embedder NAME]

Rows of SituatedQA (Zhang and Choi, arXiv 2109.06157). All pairs of rows of one question are judged, each
alone. An answer may be reused where the rows' answers are the same, and must not be
where no answer is in both.
"""

import argparse
import csv
import gzip
import itertools
import json
import os
import sys
from pathlib import Path

from lecmux.embedders import embedder
from lecmux.semantic import evaluate_pairs

__all__ = ["main", "pairs"]

_Pair = tuple[str, str, bool | None]


def pairs(file: Path) -> list[_Pair]:
    """Two wordings, and whether they share their answers; None where they do in part."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    questions: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        answers = {answer.strip().lower() for answer in json.loads(row["answers_json"])}
        questions.setdefault(row["question"], {})[row["edited_question"]] = answers
    found: list[_Pair] = []
    for wordings in questions.values():
        for (first, mine), (second, its) in itertools.combinations(wordings.items(), 2):
            found.append((first, second, True if mine == its else None if mine & its else False))
    return found


def main() -> None:
    """Prints what was served of each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--max-error", type=float, default=0.02)
    parser.add_argument("--embedder", default="minilm-int8")
    given = parser.parse_args()
    if not (folder := os.environ.get("LECMUX_DATA")):
        sys.exit("LECMUX_DATA is not set: it names the folder with text/situatedqa_time.csv.gz")
    for name in ("time", "place"):
        judged = pairs(Path(folder) / "text" / f"situatedqa_{name}.csv.gz")
        cached, queries, labels = zip(*judged, strict=True)
        found = evaluate_pairs(
            cached, queries, labels, embedder=embedder(given.embedder), max_error=given.max_error
        )
        print(
            f"situatedqa_{name}: false reuse {found.served_misses} of {found.misses}, "
            f"recall {found.served_hits} of {found.hits}, in part {found.unlabelled}, refused {found.refused}"
        )


if __name__ == "__main__":
    main()
