"""Tables, charts and files of results."""

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce import Chart, Check, Column, Panel, Results, Series, Table
from lecmux.reproduce.run import over_seeds
from lecmux.reproduce.summary import difference, ratio, summary, z_of_published
from lecmux.reproduce.table import markdown, show, text_of
from lecmux.reproduce.write import write

LINES = Panel("a panel", "size", "cost", (Series("ours", (1.0, 2.0), (3.0, 4.0), (0.1, 0.1), "ours"),))
BARS = Panel("bars", "", "cost", (Series("a", ("x", "y"), (1.0, 2.0)), Series("b", ("y",), (2.0,))))
RESULTS = Results(
    name="trial",
    title="A trial",
    seeds=3,
    tables=(
        Table(
            "Costs",
            (Column("rule"), Column("cost", 1, error=True, median=True), Column("gain", 2, sign=True)),
            (("LFU", summary([1.0, 2.0, 6.0]), 0.5), ("LEC", summary([4.0]), None)),
            "Lower is better.",
        ),
    ),
    charts=(Chart("trial-costs", "Costs", (LINES, BARS)),),
    checks=(Check.at_most("cost of LEC", 4.0, 5.0), Check.at_least("gain", 1.0, 2.0)),
    notes=("A note.",),
    samples={"LFU": (1.0, 2.0, 6.0)},
)


def test_a_summary() -> None:
    found = summary([3.0, 1.0, 2.0], scale=10)

    assert (found.mean, found.median, found.seeds) == (20.0, 20.0, 3)
    assert found.error == pytest.approx(10 / math.sqrt(3))
    assert (found.low, found.high) == pytest.approx((11.0, 29.0))
    assert summary([5.0]).error == 0


def test_what_streams_have_in_common_cancels_in_a_difference() -> None:
    ours, theirs = [11.0, 102.0, 1003.0], [10.0, 101.0, 1002.0]

    assert difference(ours, theirs) == summary([1.0, 1.0, 1.0])
    assert ratio([2.0, 6.0], [1.0, 2.0]).mean == 2.5


def test_the_distance_of_a_published_mean() -> None:
    ours = summary([0.0, 2.0] * 50)
    deviation = ours.error * 10

    assert z_of_published(1.0, ours, distinct=8) == 0
    assert z_of_published(2.0, ours, distinct=8) == pytest.approx(
        1 / (deviation * math.sqrt(1 / 8 + 1 / 100))
    )


def test_markdown() -> None:
    page = markdown(RESULTS)

    assert "lecmux reproduce trial --seeds 3" in page
    assert "| rule | cost | gain |\n| --- | ---: | ---: |" in page
    assert "| LFU | 3.0 ±1.5 (2.0) | +0.50 |" in page
    assert "holds: cost of LEC: 4" in page
    assert "MISSED: gain: 1" in page


def test_a_cell_without_a_figure() -> None:
    assert text_of(None, Column("z")) == ""
    assert text_of(math.nan, Column("z")) == "–"  # noqa: RUF001  a dash, as in print


def test_a_terminal_shows_the_same_cells(capsys: pytest.CaptureFixture[str]) -> None:
    console = pytest.importorskip("rich.console", reason="needs lecmux[cli]").Console(width=100)

    show(RESULTS, console)

    printed = capsys.readouterr().out
    for cell in ("3.0 ±1.5 (2.0)", "+0.50", "Lower is better.", "MISSED", "A note."):
        assert cell in printed


def test_files(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="charts need lecmux[sim]")

    written = write(RESULTS, tmp_path / "new")

    assert [path.name for path in written] == ["trial.json", "trial.md", "trial-costs.png", "trial-costs.svg"]
    assert written[1].read_text() == markdown(RESULTS)
    assert written[2].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in written[3].read_text()
    data = json.loads(written[0].read_text())
    assert data["tables"][0]["rows"][0][1]["mean"] == 3
    assert data["samples"]["LFU"] == [1, 2, 6]
    assert write(RESULTS, tmp_path / "again")[3].read_text() == written[3].read_text()


def test_seeds_run_in_any_order_and_come_back_in_theirs() -> None:
    steps: list[tuple[int, int]] = []

    found = over_seeds(lambda seed: seed * seed, 20, lambda done, total: steps.append((done, total)))

    assert found == [seed * seed for seed in range(20)]
    assert steps == [(done, 20) for done in range(1, 21)]


def test_a_failing_seed_is_not_swallowed() -> None:
    def fail(seed: int) -> None:
        if seed == 3:
            raise RuntimeError("seed 3")

    with pytest.raises(RuntimeError, match="seed 3"):
        over_seeds(fail, 10)
