"""The picture of a report: what was spent and saved, by model and by day."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lecmux.costs.ledger import NANO, Account
from lecmux.errors import MissingExtraError

if TYPE_CHECKING:
    from lecmux.report import Report

_PARTS: tuple[tuple[str, str, Callable[[Account], int]], ...] = (
    ("spent", "#1b7f5c", lambda account: account.spent),
    ("saved by hits", "#8ecae6", lambda account: account.saved_by_hits),
    ("saved by routing", "#c9d6df", lambda account: account.saved_by_routing),
    ("price of errors", "#d1495b", lambda account: account.price_of_errors),
)
_INCHES = (10.0, 4.0)
_DOTS_PER_INCH = 150
_MOST_MODELS = 12
_MOST_DAYS = 31
_LONGEST_NAME = 24


def draw(report: "Report", path: str | os.PathLike[str]) -> None:
    """Writes the PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError("the picture of a report needs: pip install 'lecmux[report]'") from error
    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    models, days = figure.subplots(1, 2)
    _bars(models, *_models(report))
    _columns(days, *_days(report))
    unit = "US dollars" if report.unit == "usd" else "seconds of model time"
    models.set_xlabel(unit)
    days.set_ylabel(unit)
    for axes in (models, days):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*models.get_legend_handles_labels(), loc="outside lower center", ncols=len(_PARTS))
    figure.suptitle(_title(report), fontsize=11)
    figure.savefig(path, format="png")


def _models(report: "Report") -> tuple[list[str], list[Account]]:
    """The whole, and the models with the largest sums."""
    groups = sorted(report.by_model.items(), key=lambda item: abs(item[1].baseline))[-_MOST_MODELS:]
    names = [_short("several" if model is None else model or "by hand") for model, _ in groups]
    return [*names, "in all"], [*(account for _, account in groups), report.total]


def _days(report: "Report") -> tuple[list[str], list[Account]]:
    groups = sorted((day, account) for day, account in report.by_day.items() if day is not None)
    shown = groups[-_MOST_DAYS:]
    return [f"{day:%d %b}" for day, _ in shown], [account for _, account in shown]


def _bars(axes: Any, names: Sequence[str], accounts: Sequence[Account]) -> None:
    """Stacks the parts; the price of errors lies on its own row of the stack, since nobody paid it."""
    left = [0.0] * len(names)
    for label, colour, part in _PARTS:
        sizes = _sizes(accounts, part)
        axes.barh(range(len(names)), sizes, left=left, color=colour, label=label)
        left = [start + size for start, size in zip(left, sizes, strict=True)]
    axes.set_yticks(range(len(names)), names)


def _columns(axes: Any, names: Sequence[str], accounts: Sequence[Account]) -> None:
    bottom = [0.0] * len(names)
    for _, colour, part in _PARTS:
        sizes = _sizes(accounts, part)
        axes.bar(range(len(names)), sizes, bottom=bottom, color=colour)
        bottom = [start + size for start, size in zip(bottom, sizes, strict=True)]
    axes.set_xticks(range(len(names)), names, rotation=90 if len(names) > _MOST_MODELS else 0)


def _sizes(accounts: Sequence[Account], part: Callable[[Account], int]) -> list[float]:
    """Unusually dear calls can leave a saving below 0, which no bar can show."""
    return [max(0, part(account)) / NANO for account in accounts]


def _title(report: "Report") -> str:
    total = report.total
    answers = f"{total.calls + total.hits:,} answers, {total.hits:,} of them stored ones"
    if total.baseline <= 0:
        return answers
    against = f"everything to {_short(report.baseline)}" if report.baseline else "no cache"
    return f"{answers}; {100 * total.saved / total.baseline:.0f} % saved against {against}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
