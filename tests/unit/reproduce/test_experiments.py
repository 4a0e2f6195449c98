"""What every experiment promises, on one stream or two of its own."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce import Experiment
from lecmux.reproduce.capacity import Capacity
from lecmux.reproduce.drift import Drift
from lecmux.reproduce.experiments import EXPERIMENTS
from lecmux.reproduce.lambada import Lambada
from lecmux.reproduce.looks import Looks
from lecmux.reproduce.many_models import ManyModels
from lecmux.reproduce.oasst import Oasst
from lecmux.reproduce.regret import Regret
from lecmux.reproduce.sensitivity import Sensitivity
from lecmux.reproduce.sizes import Sizes
from lecmux.reproduce.synthetic import Synthetic
from lecmux.reproduce.table import markdown
from lecmux.reproduce.write import write

PAGE = Path(__file__).parents[3] / "docs" / "reproduce.md"
SHORT = (
    Synthetic(),
    Lambada(),
    Oasst(),
    Regret(),
    Drift(),
    Sizes(),
    ManyModels(),
    Sensitivity(),
    Capacity(),
    Looks(),
)


def test_names_are_told_apart() -> None:
    names = [each.name for each in EXPERIMENTS]

    assert len(set(names)) == len(names)
    assert {each.name for each in SHORT} <= set(names)


@pytest.mark.parametrize("experiment", SHORT, ids=lambda experiment: experiment.name)
def test_seeds_decide_everything_and_every_figure_goes_out(experiment: Experiment, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="charts need lecmux[sim]")
    results = experiment.run(2)

    assert results.name == experiment.name
    assert results.tables and results.charts and results.notes
    assert all(len(row) == len(table.columns) for table in results.tables for row in table.rows)
    assert all(len(sample) == 2 for sample in results.samples.values())
    assert json.loads(json.dumps(results.as_json()))["seeds"] == 2
    alone = experiment.run(1)
    assert all(alone.samples[name][0] == sample[0] for name, sample in results.samples.items())
    files = {path.name for path in write(results, tmp_path)}
    assert {f"{chart.name}.{kind}" for chart in results.charts for kind in ("png", "svg")} < files
    page = markdown(results)
    assert all(table.title in page for table in results.tables)
    if experiment.name in shown():
        rows = [f"| {row[0]} |" for table in results.tables for row in table.rows]
        assert all(row in shown()[experiment.name] for row in rows), "run: make reproduce"


def shown() -> dict[str, str]:
    """The blocks of docs/reproduce.md, by experiment."""
    blocks = re.finditer(
        r"<!-- lecmux reproduce ([\w-]+) --seeds \d+ -->\n(.*?)<!-- end of \1 -->",
        PAGE.read_text(),
        re.DOTALL,
    )
    return {block[1]: block[2] for block in blocks}


def test_the_page_shows_the_paper_and_what_it_leaves_open() -> None:
    names = {
        "synthetic",
        "lambada",
        "oasst",
        "regret",
        "drift",
        "sizes",
        "many-models",
        "sensitivity",
        "capacity",
    }

    assert names <= shown().keys()
    assert all("| ---" in shown()[name] for name in names)
