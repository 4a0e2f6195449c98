"""The demo's picture: what each strategy cost, how often it was right, and what the cache answered."""

from collections.abc import Sequence
from pathlib import Path

from lecmux.demo.play import Tally
from lecmux.demo.run import Result
from lecmux.demo.strategies import STRATEGIES
from lecmux.errors import MissingExtraError

__all__ = ["draw"]

_OURS, _OTHERS, _WRONG = "#1b7f5c", "#8a8f98", "#e0b4a8"
_EXACT, _ALIKE, _ALIKE_WRONG = "#4a6fa5", "#9dbbe3", "#c0392b"
_INCHES = (12.0, 3.8)
_DOTS_PER_INCH = 150
_CENTS = 100


def draw(result: Result, path: Path) -> None:
    """Writes a PNG: cents for calls and wrong answers, the share of right answers, and hits by their kind.

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
    money, right, hits = figure.subplots(1, 3, sharey=True, width_ratios=[3, 2, 3])
    money.barh(titles, calls, color=colours)
    money.barh(titles, wrong, left=calls, color=_WRONG)
    money.set_xlabel("US cents (darker: model calls, lighter: wrong answers)")
    right.barh(titles, shares, color=colours)
    right.bar_label(right.containers[0], fmt="%.0f %%", padding=3)
    right.set_xlim(0, 115)
    right.set_xlabel("right answers, %")
    left = [0] * len(tallies)
    for label, colour, counts in _kinds(tallies):
        hits.barh(titles, counts, left=left, color=colour, label=label)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    hits.set_xlabel("answers from the cache")
    hits.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3, frameon=False, fontsize=8)
    for axes in (money, right, hits):
        axes.spines[["top", "right"]].set_visible(False)
    requests = tallies[0].requests if tallies else 0
    figure.suptitle(f"{requests:,} requests over two local models, seed {result.settings.seed}", fontsize=11)
    figure.savefig(path, format="png")


def _kinds(tallies: Sequence[Tally]) -> tuple[tuple[str, str, list[int]], ...]:
    """Hits that add up to all of them: what they are called, their colour, and how many each strategy has."""
    return (
        ("word for word", _EXACT, [tally.exact for tally in tallies]),
        ("by meaning", _ALIKE, [tally.alike - tally.alike_wrong for tally in tallies]),
        ("by meaning, wrong", _ALIKE_WRONG, [tally.alike_wrong for tally in tallies]),
    )
