"""`lecmux simulate`: a made-up log in, tables, figures and the size to buy out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

for package in ("typer", "rich", "numpy"):
    pytest.importorskip(package, reason="needs lecmux[cli,sim]")

GENERATOR = Path(__file__).parents[3] / "examples" / "made_up_log.py"


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lecmux.cli import main; main()", "simulate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def told(*arguments: object) -> dict[str, Any]:
    done = simulate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 2,000 requests of the example's log."""
    path: Path = tmp_path_factory.mktemp("log") / "log.csv"
    subprocess.run([sys.executable, str(GENERATOR), str(path)], check=True, capture_output=True, timeout=60)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2001]))
    return path


def total(point: dict[str, Any]) -> float:
    calls: float = min(outcome["cost"] for outcome in point["policies"].values())
    return calls + point["storage"]


def test_the_figures_hang_together(log: Path) -> None:
    found = told(log, "--size", "answer_bytes", "--time", "asked_at", "--usd-per-gb-month", "3000")

    assert (found["requests"], found["unit"]) == (2000, "bytes")
    policies, bounds = found["policies"], found["bounds"]
    assert list(policies) == ["no cache", "Lec", "Gdsf", "Lfu", "Lru", "S3Fifo"]
    assert all(list(row) == ["small", "large", "router"] for row in (policies | bounds).values())
    for model in ("small", "large", "router"):
        assert policies["no cache"][model]["hits"] == 0
        assert policies["Lec"][model]["cost"] < policies["no cache"][model]["cost"]
        least = bounds["below any schedule"][model]["cost"]
        above = [bounds["best fixed set"], *policies.values()]
        assert all(least <= row[model]["cost"] + 1e-9 for row in above)
    curve, best = found["sizing"]["curve"], found["sizing"]["best"]
    assert [point["capacity"] for point in curve] == sorted({point["capacity"] for point in curve})
    assert curve[-1]["capacity"] == found["everything"]
    for point in curve:
        assert all(point["bound"] <= outcome["cost"] + 1e-9 for outcome in point["policies"].values())
    assert best["capacity"] == found["capacity"]
    assert total(best) == min(map(total, curve)) < found["sizing"]["uncached"]
    assert {name: row["router"] for name, row in policies.items() if name != "no cache"} == best["policies"]


def test_a_dearer_byte_buys_less(log: Path) -> None:
    def bought(price: float) -> Any:
        return told(log, "--size", "answer_bytes", "--price-per-byte", price)["sizing"]["best"]

    assert bought(0)["capacity"] == told(log, "--size", "answer_bytes")["everything"]
    assert bought(1e-7)["capacity"] > bought(1e-5)["capacity"]
    assert bought(10) is None


def test_a_month_and_a_gigabyte_are_a_price_for_the_log(log: Path) -> None:
    day = told(log, "--capacity", 50, "--usd-per-gb-month", 1, "--days", 365.25 / 12, "--answer-bytes", 500)

    assert day["price"] == pytest.approx(500e-9)
    assert day["unit"] == "answers"
    assert "best schedule" in day["bounds"]  # answers of one size: it can be found
    assert told(log, "--capacity", 50)["price"] is None


def test_one_model_alone(log: Path) -> None:
    found = told(log, "--cost", "mine=cost_large", "--capacity", 100)

    assert list(found["policies"]["Lec"]) == ["mine"]


def test_tokens_at_prices_of_yours(tmp_path: Path) -> None:
    rows = [{"q": at % 7, "input_tokens": 1_000_000, "output_tokens": 0} for at in range(70)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prices.json").write_text('{"a": {"input_usd_per_million": 2}}')

    found = told(
        *(tmp_path / "log.jsonl", "--query", "q", "--model", "a", "--prices", tmp_path / "prices.json"),
        *("--capacity", 7),
    )

    assert found["policies"]["no cache"]["a"]["cost"] == 140
    assert found["policies"]["Lru"]["a"]["cost"] == 14


def test_tables_and_files(log: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="charts need lecmux[sim]")
    done = simulate(log, "--capacity", 200, "--price-per-byte", 1e-3, "--out", tmp_path / "out")

    assert done.returncode == 0, done.stderr
    for words in ("2,000 requests", "S3Fifo", "in hindsight: best schedule", "Buy "):
        assert words in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "simulate.json",
        "simulate.png",
        "simulate.svg",
    }
    assert "simulate.svg" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--size", "bytes"), "no column 'bytes'"),
        (("--cost", "cost_tiny"), "no column 'cost_tiny'"),
        (("--cost", "a=cost_small", "--cost", "a=cost_large"), "twice"),
        (("--cost", "cost_small", "--model", "gpt"), "one of them"),
        (("--usd-per-gb-month", "1"), "--days"),
        (("--usd-per-gb-month", "1", "--days", "1"), "--answer-bytes"),
        (("--usd-per-gb-month", "1", "--price-per-byte", "1"), "one of them"),
        (("--usd-per-gb-month", "1", "--days", "0", "--answer-bytes", "9"), "above 0"),
        (("--price-per-byte", "inf"), "finite"),
        (("--cost", "router=cost_small", "--cost", "cost_large"), "'router'"),
        (("--model", "a", "--prices", "nowhere.json"), "nowhere.json cannot be read"),
    ],
)
def test_arguments_that_cannot_work_are_one_message(arguments: tuple[str, ...], says: str, log: Path) -> None:
    done = simulate(log, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("lecmux: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.csv", "query,cost_m\na,1\nb,-2\n", "row 2, column 'cost_m'"),
        ("log.csv", "query,cost_m\na,nan\n", "row 1, column 'cost_m'"),
        ("log.csv", "", "is empty"),
        ("log.txt", "", "the format is known by the ending"),
        (None, "", "cannot be read"),
    ],
)
def test_a_log_that_cannot_be_is_one_message(
    name: str | None, content: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / (name or "missing.csv")
    if name:
        path.write_text(content)

    done = simulate(path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lecmux: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
