"""The demo's picture: what each strategy cost, and how often it was right."""

from pathlib import Path

from lecmux.demo.run import Result
from lecmux.demo.strategies import STRATEGIES
from lecmux.errors import MissingExtraError

__all__ = ["draw"]

_OURS, _OTHERS, _WRONG = "#1b7f5c", "#8a8f98", "#e0b4a8"
_INCHES = (9.0, 3.6)
_DOTS_PER_INCH = 150
_CENTS = 100


def draw(result: Result, path: Path) -> None:
    """Writes a PNG: bars of cents, for calls and for wrong answers, beside the share of right answers.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError("the demo's picture needs: pip install 'lecmux[demo]'") from error
    names = [name for name in STRATEGIES if name in result.tallies][::-1]
    tallies = [result.tallies[name] for name in names]
    titles = [STRATEGIES[name].title for name in names]
    colours = [_OURS if name == "lecmux" else _OTHERS for name in names]
    calls = [_CENTS * tally.usd for tally in tallies]
    wrong = [_CENTS * tally.wrong_usd for tally in tallies]
    shares = [100 * tally.right / max(tally.requests, 1) for tally in tallies]

    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    money, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    money.barh(titles, calls, color=colours)
    money.barh(titles, wrong, left=calls, color=_WRONG)
    money.set_xlabel("US cents (darker: model calls, lighter: wrong answers)")
    right.barh(titles, shares, color=colours)
    right.bar_label(right.containers[0], fmt="%.0f %%", padding=3)
    right.set_xlim(0, 115)
    right.set_xlabel("right answers, %")
    for axes in (money, right):
        axes.spines[["top", "right"]].set_visible(False)
    requests = tallies[0].requests if tallies else 0
    figure.suptitle(f"{requests:,} requests over two local models, seed {result.settings.seed}", fontsize=11)
    figure.savefig(path, format="png")
