"""Results as files: figures for programs, tables for pages, charts."""

import json
from pathlib import Path

from lecmux.reproduce.chart import draw
from lecmux.reproduce.results import Results
from lecmux.reproduce.table import markdown

__all__ = ["write"]


def write(results: Results, folder: Path) -> list[Path]:
    """Writes `<name>.json`, `<name>.md` and each chart as PNG and SVG; returns what it wrote.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, page = folder / f"{results.name}.json", folder / f"{results.name}.md"
    data.write_text(json.dumps(results.as_json(), indent=1) + "\n", encoding="utf-8")
    page.write_text(markdown(results), encoding="utf-8")
    return [data, page, *(path for chart in results.charts for path in draw(chart, folder))]
