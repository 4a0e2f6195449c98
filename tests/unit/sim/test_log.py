"""Logs of users, in each format, and what is wrong with them."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecmux import Price
from lecmux.errors import ConfigError, CostError
from lecmux.sim import simulate

np = pytest.importorskip("numpy", reason="traces need lecmux[sim]")

from lecmux.sim.traces import Tokens, read_log  # noqa: E402  it needs numpy

ROWS: list[dict[str, Any]] = [
    {"query": "What is RAM?", "cost_small": 1.0, "cost_large": 3.5, "size": 12, "who": "ada", "at": 86_400},
    {"query": 'a "quoted",\nlong one', "cost_small": 2.0, "cost_large": 0, "size": 7, "who": "bob", "at": 0},
    {
        "query": "What is RAM?",
        "cost_small": 1.5,
        "cost_large": 3.0,
        "size": 12,
        "who": "bob",
        "at": 172_800.5,
    },
]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    quoted = [[f'"{str(cell).replace(chr(34), 2 * chr(34))}"' for cell in row.values()] for row in rows]
    path.write_text("\n".join(",".join(row) for row in [list(rows[0]), *quoted]) + "\n")
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def packed(write: Callable[[Path, list[dict[str, Any]]], Path]) -> Callable[..., Path]:
    def write_packed(path: Path, rows: list[dict[str, Any]]) -> Path:
        path.write_bytes(gzip.compress(write(path, rows).read_bytes()))
        return path

    return write_packed


FORMATS = {
    "log.csv": write_csv,
    "log.CSV": write_csv,
    "log.csv.gz": packed(write_csv),
    "log.jsonl": write_jsonl,
    "log.jsonl.gz": packed(write_jsonl),
    "log.parquet": write_parquet,
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_the_same_log(name: str, tmp_path: Path) -> None:
    log = read_log(FORMATS[name](tmp_path / name, ROWS))

    assert log.models == ("small", "large")
    assert log.days is None
    assert log.trace.sizes is None
    assert log.trace.queries.tolist() == [0, 1, 0]
    assert log.trace.costs.tolist() == [[1.0, 3.5], [2.0, 0.0], [1.5, 3.0]]
    assert simulate(log.trace.queries, log.trace.costs, capacity=2, arm=0).total_cost == 3.0


@pytest.mark.parametrize("name", FORMATS)
def test_sizes_scopes_and_times(name: str, tmp_path: Path) -> None:
    log = read_log(FORMATS[name](tmp_path / name, ROWS), size="size", scope="who", time="at")

    # In the order of the times; what two tenants ask is two queries.
    assert log.trace.queries.tolist() == [1, 0, 2]
    assert log.trace.costs[:, 0].tolist() == [2.0, 1.0, 1.5]
    assert log.trace.sizes is not None
    assert log.trace.sizes.tolist() == [7, 12, 12]
    assert log.days == pytest.approx(2, abs=1e-5)


def test_columns_of_costs_may_have_any_name(tmp_path: Path) -> None:
    log = read_log(write_csv(tmp_path / "log.csv", ROWS), costs={"mini": "cost_small"})

    assert log.models == ("mini",)
    assert log.trace.costs.tolist() == [[1.0], [2.0], [1.5]]


def test_tokens_are_priced(tmp_path: Path) -> None:
    rows = [{"query": 1, "input_tokens": 1000, "out": 10}, {"query": 1, "input_tokens": 2000, "out": 0}]
    prices = {"small": Price(1.0, 10.0), "large": Price(5.0, 50.0)}

    log = read_log(write_jsonl(tmp_path / "log.jsonl", rows), costs=Tokens(prices, output_tokens="out"))

    assert log.models == ("small", "large")
    assert log.trace.costs == pytest.approx(np.array([[0.0011, 0.0055], [0.002, 0.01]]))


def test_queries_are_equal_by_value(tmp_path: Path) -> None:
    asked = [{"b": 1, "a": [2]}, {"a": [2], "b": 1}, "1", 1, True, ""]
    rows = [{"query": query, "cost_m": 1} for query in asked]

    log = read_log(write_jsonl(tmp_path / "log.jsonl", rows))

    assert log.trace.queries.tolist() == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "moment", ["2026-10-02", "2026-10-02T00:00:00Z", "2026-10-02T02:00:00+02:00", "1790899200"]
)
def test_times_in_words_and_in_seconds(moment: str, tmp_path: Path) -> None:
    rows = [
        {"query": 1, "cost_m": 1, "at": "2026-10-01T00:00:00+00:00"},
        {"query": 1, "cost_m": 1, "at": moment},
    ]

    assert read_log(write_csv(tmp_path / "log.csv", rows), time="at").days == pytest.approx(1)


def test_a_file_from_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"\xef\xbb\xbfquery,cost_m\r\nwhat,1.5\r\n\r\nwho,2\r\n")

    assert read_log(tmp_path / "log.csv").trace.costs.tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bad", [-0.5, math.nan, math.inf, None, True, "dear"])
def test_a_cost_that_cannot_be_names_file_row_and_column(name: str, bad: Any, tmp_path: Path) -> None:
    if name.endswith(".parquet") and isinstance(bad, (str, bool)):
        pytest.skip("a column of Parquet has one type")
    path = FORMATS[name](tmp_path / name, [*ROWS[:2], ROWS[2] | {"cost_large": bad}])

    with pytest.raises(CostError, match=rf"{name}, row 3, column 'cost_large'"):
        read_log(path)


@pytest.mark.parametrize(
    ("change", "settings", "says"),
    [
        ({"size": 0}, {"size": "size"}, "row 3, column 'size'.*at least 1; not 0"),
        ({"size": 1.5}, {"size": "size"}, "row 3, column 'size'.*whole"),
        ({"size": None}, {"size": "size"}, "row 3, column 'size'.*there is none"),
        ({"at": "yesterday"}, {"time": "at"}, "row 3, column 'at'.*ISO 8601; not 'yesterday'"),
        ({"query": None}, {}, "row 3, column 'query'.*there is none"),
        ({}, {"query": "prompt"}, "no column 'prompt'; it has 'query', 'cost_small'"),
        ({}, {"costs": {"x": "cost_x"}}, "no column 'cost_x'"),
        ({}, {"costs": {}}, "which columns"),
        ({"size": -1}, {"costs": Tokens({"m": Price(1, 1)}, "size", "size")}, "row 3, column 'size'"),
    ],
)
def test_what_cannot_be_is_named(
    change: dict[str, Any], settings: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "log.jsonl", [*ROWS[:2], ROWS[2] | change])

    with pytest.raises(ConfigError, match=says):
        read_log(path, **settings)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.csv", b"", "is empty"),
        ("log.csv", b"query,cost_m\n", "has no rows"),
        ("log.csv", b"query,cost_m\na,1\nb,2,3\n", r"row 2 \(line 3\): 3 cells under 2 columns"),
        ("log.csv", b"\xff\xfe", "cannot be read"),
        ("log.csv.gz", b"query,cost_m\n", "cannot be read"),
        ("log.csv.gz", gzip.compress(b"query,cost_m\n" + b"a,1\n" * 99)[:-9], "cannot be read"),
        ("log.jsonl", b"", "is empty"),
        ("log.jsonl", b'{"query": 1, "cost_m": 1}\n{"query"\n', "row 2: no JSON"),
        ("log.jsonl", b"[1]\n", "row 1: each line must be one JSON object"),
        ("log.xlsx", b"", ".csv, .csv.gz, .jsonl"),
        ("log", b"", ".csv, .csv.gz, .jsonl"),
        ("log.parquet.gz", b"", ".csv, .csv.gz, .jsonl"),
    ],
)
def test_a_broken_file_is_named(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigError, match=f"{name}.*{says}"):
        read_log(tmp_path / name)


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    (tmp_path / "log.parquet").write_bytes(b"PAR1")

    with pytest.raises(ConfigError, match="cannot be read as Parquet"):
        read_log(tmp_path / "log.parquet")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_log(tmp_path / "log.csv")
