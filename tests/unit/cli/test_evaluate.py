"""`lecmux evaluate`: classed texts and labelled pairs in, what can be recounted out."""

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

for package in ("typer", "rich", "numpy"):
    pytest.importorskip(package, reason="needs lecmux[cli,sim]")

TOPICS = ["reset my password", "cancel my plan", "track a parcel", "talk to a person", "change my address"]
OPENINGS = ["how do I", "how can I", "please help me to", "I want to", "what must I do to", "can you"]
ENDINGS = ["", " please", " now", " today", " in the app", " on the website", " quickly", " thanks"]
ROWS = [(f"{a} {topic}{b}", topic) for topic in TOPICS for a in OPENINGS for b in ENDINGS]


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lecmux", "evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def write(path: Path, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Path:
    """In the format that the ending names."""
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="needs lecmux[sim]")
        from pyarrow import parquet

        table = pyarrow.table({name: [row[at] for row in rows] for at, name in enumerate(names)})
        parquet.write_table(table, path)
        return path
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        if ".jsonl" in path.suffixes:
            file.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        else:
            csv.writer(file).writerows([names, *rows])
    return path


@pytest.mark.parametrize("name", ["texts.csv", "texts.csv.gz", "texts.jsonl", "texts.parquet"])
def test_a_stream_is_told_so_that_anybody_can_recount_it(tmp_path: Path, name: str) -> None:
    file, trace = write(tmp_path / name, ["asked", "kind"], ROWS), tmp_path / "trace.csv"
    columns = ("--text", "asked", "--class", "kind", "--embedder", "static")
    options = ("--orders", 2, "--max-error", 0.05, "--trace", trace, "--json")
    done = evaluate("semantic", file, *columns, *options)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    with trace.open(newline="") as lines:
        served = list(csv.DictReader(lines))
    assert len(told["orders"]) == 2 and len(served) == 2 * len(ROWS)
    for number, order in enumerate(told["orders"]):
        own = [row for row in served if row["order"] == str(number)]
        hits = [(int(row["row"]), int(row["served_row"])) for row in own if row["served_row"]]
        wrong = [hit for hit in hits if ROWS[hit[0]][1] != ROWS[hit[1]][1]]
        assert sorted(int(row["row"]) for row in own) == list(range(len(ROWS)))
        assert (order["requests"], order["hits"], order["wrong_hits"]) == (len(ROWS), len(hits), len(wrong))
        assert order["embed_calls"] == len(ROWS) and order["hindsight_hits"] >= 0
        assert order["live_rate"]["low"] <= order["live_rate"]["high"]
    assert sum(order["hits"] for order in told["orders"]) > 0


def test_rows_of_a_class_of_their_own_and_a_shorter_stream(tmp_path: Path) -> None:
    file = write(tmp_path / "texts.csv", ["asked", "kind"], [(text, "none") for text, _ in ROWS])
    columns = ("--text", "asked", "--class", "kind", "--embedder", "static", "--own-class", "none")
    done = evaluate("semantic", file, *columns, "--orders", 1, "--requests", 50, "--hide-answers", "--json")

    told = json.loads(done.stdout)
    assert told["answers_hidden"] is True
    (order,) = told["orders"]
    assert order["requests"] == 50
    assert order["wrong_hits"] == order["hits"], "no answer serves another row"


def test_charts_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs lecmux[sim]")
    file = write(tmp_path / "texts.csv", ["asked", "kind"], ROWS)
    columns = ("--text", "asked", "--class", "kind", "--embedder", "static", "--orders", 2)
    done = evaluate("semantic", file, *columns, "--out", tmp_path / "charts")

    assert done.returncode == 0, done.stderr
    drawn = sorted((tmp_path / "charts").iterdir())
    assert {path.suffix for path in drawn} == {".png", ".svg"}
    assert all(path.stat().st_size > 1000 for path in drawn)
    assert all(str(path) in done.stderr for path in drawn)


def test_pairs_count_apart_what_carries_neither_label(tmp_path: Path) -> None:
    same = [(f"how do I {topic}", f"how can I {topic}", "1") for topic in TOPICS]
    other = [(f"how do I {TOPICS[at]}", f"how do I {TOPICS[at - 1]}", "0") for at in range(len(TOPICS))]
    file = write(tmp_path / "pairs.jsonl", ["stored", "asked", "same"], [*same, *other, ("a", "b", "?")])
    columns = ("--cached", "stored", "--query", "asked", "--hit", "same=1", "--miss", "same=0")
    done = evaluate("pairs", file, *columns, "--embedder", "static", "--max-error", 0.02, "--json")

    told = json.loads(done.stdout)
    assert (told["pairs"], told["hits"], told["misses"], told["unlabelled"]) == (11, 5, 5, 1)
    assert told["false_reuse"] == told["served_misses"] / 5
    assert told["recall"] == told["served_hits"] / 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "nope", "--class", "kind"], "no column nope; it has asked, kind"),
        (["--text", "asked", "--class", "kind", "--embedder", "bert"], "static"),
        (["--text", "asked", "--class", "kind", "--max-error", "2"], "or equal to 0.5"),
        (["--text", "asked", "--class", "kind", "--out", "{file}/charts"], "cannot be written"),
        (
            ["--text", "asked", "--class", "kind", "--embedder", "static", "--trace", "{file}/trace"],
            "cannot be written",
        ),
    ],
)
def test_wrong_input_is_one_message(tmp_path: Path, arguments: list[str], said: str) -> None:
    file = write(tmp_path / "texts.csv", ["asked", "kind"], ROWS[:20])
    done = evaluate("semantic", file, *(word.format(file=file) for word in arguments))

    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
