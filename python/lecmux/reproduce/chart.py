"""Charts of results, as PNG for pages and SVG for print."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lecmux.errors import MissingExtraError
from lecmux.reproduce.results import Chart, Heat, Panel, Role, Series

__all__ = ["draw"]

_COLOURS: dict[Role, tuple[str, ...]] = {
    "ours": ("#1b7f5c", "#7bc8a4", "#0b3d2c", "#a3b18a", "#52b2a5"),
    "paper": ("#d1495b", "#e8a0a8"),
    "other": ("#8ecae6", "#457b9d", "#c9a227", "#9d8ec7", "#c9d6df", "#b08968", "#e9c46a"),
    "bound": ("#8a8f98", "#5c6068", "#b9bdc4"),
}
_PANEL_INCHES = (4.6, 3.6)
_SQUARE_INCHES = (0.52, 0.26)
_LETTER_INCHES = 0.06
_MARGIN_INCHES = 1.3
_DOTS_PER_INCH = 110
_ALL_BARS = 0.8
_LEGEND_COLUMNS = 2
_DARK, _COARSE = 0.6, 100.0


def draw(chart: Chart, folder: Path) -> list[Path]:
    """Writes `<name>.png` and `<name>.svg` into `folder`, which it makes where it is missing.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415  an extra, loaded at first use
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("charts need: pip install 'lecmux[sim]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    widths, heights = zip(*map(_inches, chart.panels), strict=True)
    figure = Figure((sum(widths), max(heights)), dpi=_DOTS_PER_INCH, layout="constrained")
    grid = figure.subplots(1, len(chart.panels), squeeze=False, width_ratios=widths)
    for axes, panel in zip(grid[0], chart.panels, strict=True):
        if isinstance(panel, Heat):
            _draw_heat(axes, panel)
        else:
            _draw_panel(axes, panel)
    _legend(figure)
    figure.suptitle(chart.title, fontsize=11)
    paths = [folder / f"{chart.name}.{kind}" for kind in ("png", "svg")]
    with rc_context({"svg.hashsalt": chart.name}):  # so that the same figures give the same file
        for path, stamp in zip(paths, ("Software", "Date"), strict=True):
            figure.savefig(path, metadata={stamp: None})
    return paths


def _inches(panel: Panel | Heat) -> tuple[float, float]:
    """Width and height; a map's grow with its squares and its names."""
    if isinstance(panel, Panel):
        return _PANEL_INCHES
    names = max(map(len, panel.y))
    width = _SQUARE_INCHES[0] * len(panel.x) + _LETTER_INCHES * names + _MARGIN_INCHES
    return width, _SQUARE_INCHES[1] * len(panel.y) + _MARGIN_INCHES


def _draw_panel(axes: Any, panel: Panel) -> None:
    if any(isinstance(place, str) for series in panel.series for place in series.x):
        _bars(axes, panel.series)
    else:
        _lines(axes, panel.series)
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Any) -> None:
    """Below all panels where they show the same things, else in each."""
    keys = [axes.get_legend_handles_labels() for axes in figure.axes]
    keys = [(handles, labels) for handles, labels in keys if labels]
    if keys and all(labels == keys[0][1] for _, labels in keys):
        columns = min(len(keys[0][1]), _LEGEND_COLUMNS * len(figure.axes))
        figure.legend(*keys[0], loc="outside lower center", ncols=columns, fontsize=7, frameon=False)
        return
    for axes in figure.axes:
        if axes.get_legend_handles_labels()[1]:
            axes.legend(fontsize=7, frameon=False)


def _draw_heat(axes: Any, heat: Heat) -> None:
    least = min(min(row) for row in heat.values)
    darkness = [[_share(value, least, heat.most) for value in row] for row in heat.values]
    axes.imshow(darkness, cmap="YlOrRd", vmin=0.0, vmax=1.0, aspect="auto")
    for row, values in enumerate(heat.values):
        for column, value in enumerate(values):
            colour = "white" if darkness[row][column] > _DARK else "black"
            text = f"{value:.2f}" if value < _COARSE else f"{value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(len(heat.x)), heat.x, fontsize=7)
    axes.set_yticks(range(len(heat.y)), heat.y, fontsize=7)
    axes.set_title(heat.title, fontsize=10)
    axes.set_xlabel(heat.x_label)
    axes.set_ylabel(heat.y_label)


def _share(value: float, least: float, most: float) -> float:
    """How far `value` lies between the two, by the logarithm, in 0..1."""
    return min(1.0, math.log(value / least) / math.log(most / least)) if most > least else 0.0


def _lines(axes: Any, lines: Sequence[Series]) -> None:
    for line, colour in zip(lines, _colours(lines), strict=True):
        style = "o" if line.points else "--" if line.role == "bound" else "-"
        axes.plot(line.x, line.y, style, color=colour, label=line.label, markersize=4)
        if line.error:
            low = [value - error for value, error in zip(line.y, line.error, strict=True)]
            high = [value + error for value, error in zip(line.y, line.error, strict=True)]
            axes.fill_between(line.x, low, high, color=colour, alpha=0.2, linewidth=0)


def _bars(axes: Any, groups: Sequence[Series]) -> None:
    """Beside one another at each name of the first series."""
    names, width = groups[0].x, _ALL_BARS / len(groups)
    place_of = {name: place for place, name in enumerate(names)}
    for place, (group, colour) in enumerate(zip(groups, _colours(groups), strict=True)):
        shift = (place - (len(groups) - 1) / 2) * width
        at = [place_of[name] + shift for name in group.x]
        axes.bar(at, group.y, width, yerr=group.error or None, color=colour, label=group.label)
    axes.set_xticks(range(len(names)), names, fontsize=8)


def _colours(all_series: Sequence[Series]) -> list[str]:
    """One a series, the same for the same role and place."""
    seen: dict[Role, int] = {}
    colours = []
    for series in all_series:
        nth = seen[series.role] = seen.get(series.role, -1) + 1
        shades = _COLOURS[series.role]
        colours.append(shades[nth % len(shades)])
    return colours
