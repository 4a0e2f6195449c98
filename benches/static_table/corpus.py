"""Text to fit the table on, whose licences allow its result to be shipped. Sources and licences: `SOURCES`.

    python -m benches.static_table.corpus --wordnet /usr/share/wordnet --data $LECMUX_DATA --out texts.txt

One text a line, in a seeded order. None of the sets that the semantic stage is measured on is among them.
"""

import argparse
import csv
import gzip
import importlib
import inspect
import random
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from benches.static_table import templates, wordnet

__all__ = ["SOURCES", "main", "texts"]

SOURCES = {
    "WordNet 3.0, glosses and examples": "WordNet licence (permissive)",
    "questions made of templates and words of WordNet": "WordNet licence; templates Apache-2.0",
    "Bing coronavirus queries, January 2020": "Open Use of Data Agreement 1.0",
    "MMLU, questions": "MIT",
    "MMLU-Pro, questions": "Apache-2.0",
    "Arena-Hard v0.1, prompts": "Apache-2.0",
    "GPTCache, mock pairs": "MIT",
    "documentation strings of Python's standard library": "PSF-2.0",
}

_LONGEST = 300
_SHORTEST = 3
_FILES = (  # file below the data folder, column
    ("text/bing_covid_queries_2020_01.csv.gz", ("query",)),
    ("text/arena_hard_v01_prompts.csv.gz", ("prompt",)),
    ("routing/routellm_mmlu_gpt4_vs_mixtral.csv.gz", ("prompt",)),
    ("routing-outcomes/mmlu_pro_16models.csv.gz", ("question",)),
    ("semantic-cache/gptcache_mock_pairs.csv.gz", ("origin", "similar")),
)


def texts(folder: Path, data: Path, questions: int, seed: int) -> list[str]:
    """Every text once, shuffled."""
    found: dict[str, None] = {}
    for text in (
        *_meanings(folder),
        *templates.questions(folder, questions, seed),
        *_columns(data),
        *_documentation(),
    ):
        line = " ".join(text.split())[:_LONGEST]
        if len(line) >= _SHORTEST:
            found[line] = None
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    return shuffled


def _meanings(folder: Path) -> Iterator[str]:
    for part in ("noun", "verb", "adj", "adv"):
        for synset in wordnet.read(folder, part):
            yield synset.definition
            yield from synset.examples
            if synset.is_name:
                yield synset.words[0]


def _columns(data: Path) -> Iterator[str]:
    csv.field_size_limit(2**30)
    for file, columns in _FILES:
        with gzip.open(data / file, "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                for column in columns:
                    yield row[column].split("\nA. ")[0]  # the choices of a question are left out


def _documentation() -> Iterator[str]:
    """Sentences of the documentation strings of the standard library, as far as it imports without effect."""
    for name in sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "turtledemo"}):
        module = sys.modules.get(name) or _imported(name)
        if module is None:
            continue
        for _, thing in inspect.getmembers(module, lambda each: callable(each) or inspect.isclass(each)):
            for sentence in re.split(r"(?<=[.?!])\s+|\n\s*\n", inspect.getdoc(thing) or ""):
                if re.fullmatch(r"[A-Z][\w ,;'()-]{15,200}[.?!]", sentence.replace("\n", " ")):
                    yield sentence


def _imported(name: str) -> object | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return importlib.import_module(name)
        except ImportError:  # a module of another platform
            return None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    lines = texts(asked.wordnet, asked.data, asked.questions, asked.seed)
    asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines):,} texts")


if __name__ == "__main__":
    main()
