"""Charts of a stream's evaluation: hits against error, the live rate with its interval, calibration."""

from pathlib import Path

from lecmux.reproduce.chart import draw
from lecmux.reproduce.results import Chart, Panel, Series
from lecmux.semantic._stream import Order, StreamEvaluation

__all__ = ["write"]

_FEWEST_LABELS = 30
_BINS_A_POINT = 4


def write(found: StreamEvaluation, name: str, folder: Path) -> list[Path]:
    """Writes `semantic.png` and `semantic.svg` into `folder`.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    panels = (_hits(found), _rate(found.orders[0], found.max_error), _calibration(found))
    return draw(Chart("semantic", f"{name}, max_error {found.max_error}", panels), folder)


def _hits(found: StreamEvaluation) -> Panel:
    orders = sorted(found.orders, key=lambda order: order.wrong_hits)
    wrong = tuple(100 * order.wrong_hits / order.requests for order in orders)
    hits = tuple(100 * order.hits / order.requests for order in orders)
    best = tuple(100 * order.hindsight_hits / order.requests for order in orders)
    budget = (100 * found.max_error,)
    ends = (min(*hits, *best), max(*hits, *best))
    return Panel(
        "Hits against error, an order a point",
        "wrong hits, % of requests",
        "hits, % of requests",
        (
            Series("lecmux", wrong, hits, role="ours", points=True),
            Series("static threshold, in hindsight", budget * len(best), best, role="other", points=True),
            Series("budget", budget * 2, ends, role="bound"),
        ),
    )


def _rate(order: Order, max_error: float) -> Panel:
    asked = tuple(float(told.requests) for told in order.told)
    truth = tuple(100 * told.wrong_hits / told.requests for told in order.told)
    middle = tuple(50 * (told.rate.high + told.rate.low) for told in order.told)
    half = tuple(50 * (told.rate.high - told.rate.low) for told in order.told)
    return Panel(
        "Live rate of wrong hits, first order",
        "requests",
        "% of requests",
        (
            Series("lecmux: measured", asked, truth, role="ours"),
            Series("told by audits: interval", asked, middle, half, role="other"),
            Series("budget", asked, (100 * max_error,) * len(asked), role="bound"),
        ),
    )


def _calibration(found: StreamEvaluation) -> Panel:
    told, seen = [], []
    rows = list(zip(*(order.calibration for order in found.orders), strict=True))
    for first in range(0, len(rows) - _BINS_A_POINT, _BINS_A_POINT):
        cells = [cell for row in rows[first : first + _BINS_A_POINT] for cell in row]
        labels = sum(cell[1] for cell in cells)
        if labels >= _FEWEST_LABELS:
            told.append(rows[first + _BINS_A_POINT // 2][0][0])
            seen.append(sum(cell[2] for cell in cells) / labels)
    return Panel(
        "Calibration, before it is corrected",
        "predicted chance of a wrong answer",
        "share of wrong answers",
        (
            Series("lecmux: seen", tuple(told), tuple(seen), role="ours", points=True),
            Series("as predicted", tuple(told), tuple(told), role="bound"),
        ),
    )
