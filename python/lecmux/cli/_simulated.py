"""What `lecmux simulate` found: as tables, as a chart, as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from lecmux.cli.progress import steps
from lecmux.costs import PriceList
from lecmux.errors import ConfigError
from lecmux.reproduce.chart import draw
from lecmux.reproduce.results import Chart, Panel, Role, Series
from lecmux.sim._compare import NO_CACHE, Table, bounds, compare
from lecmux.sim._sizing import Sizing, everything, sizing
from lecmux.sim.traces import Log, Tokens

__all__ = ["Simulated", "run", "show", "tokens", "write"]

_PIPE_WIDTH = 120
_SHARE = 10


@dataclass(frozen=True, slots=True)
class Simulated:
    """All that was found. `unit` is that of sizes; `price` that of one of them over the log."""

    name: str
    requests: int
    queries: int
    days: float | None
    unit: str
    everything: int
    capacity: int
    price: float | None
    policies: Table
    bounds: Table
    sizing: Sizing
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Nested dictionaries of names and numbers."""
        return asdict(self)


def tokens(models: list[str], prices: Path | None, input_tokens: str, output_tokens: str) -> Tokens:
    """The models' prices, looked up by their names."""
    if prices is None:
        found = PriceList()
    else:
        try:
            found = PriceList.load(prices)
        except OSError as error:
            raise ConfigError(f"{prices} cannot be read: {error.strerror or error}") from error
    return Tokens({name: found.price(name) for name in models}, input_tokens, output_tokens)


def run(name: str, log: Log, *, capacity: int | None, price: float | None, unit: str, seed: int) -> Simulated:
    """Replays the log; without a capacity at the best one for the price, or at a tenth of all answers."""
    with steps("capacities") as progress:
        sized = sizing(log, price or 0.0, seed=seed, progress=progress)
    whole = everything(log.trace)
    if capacity is None:
        bought = sized.best if price is not None else None
        capacity = bought.capacity if bought else max(1, whole // _SHARE)
    with steps("policies") as progress:
        policies = compare(log, capacity, seed=seed, progress=progress)
    return Simulated(
        name=name,
        requests=log.trace.requests,
        queries=int(log.trace.queries.max()) + 1,
        days=log.days,
        unit=unit,
        everything=whole,
        capacity=capacity,
        price=price,
        policies=policies,
        bounds=bounds(log, capacity),
        sizing=sized,
        seed=seed,
    )


def show(found: Simulated) -> None:
    """Prints tables on a terminal, or for a pipe."""
    console = Console()
    console = console if console.is_terminal else Console(width=_PIPE_WIDTH)
    span = "" if found.days is None else f" over {found.days:,.1f} days"
    console.print(
        f"{found.name}: {found.requests:,} requests for {found.queries:,} queries{span}; "
        f"all answers together take {found.everything:,} {found.unit}; seed {found.seed}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(_policies(found))
    console.print(_curve(found))
    console.print(advice(found), highlight=False, soft_wrap=True)


def advice(found: Simulated) -> str:
    """Which size to buy, in a sentence."""
    sized, best = found.sizing, found.sizing.best
    if found.price is None:
        return "Give --price-per-byte or --usd-per-gb-month, and this says which size to buy."
    if best is None:
        return f"No cache pays at this price: the log costs {_amount(sized.uncached)} without one."
    return (
        f"Buy {best.capacity:,} {found.unit}, with {best.policy}: calls for "
        f"{_amount(best.policies[best.policy].cost)} and room for {_amount(best.storage)}, where the log "
        f"costs {_amount(sized.uncached)} without a cache."
    )


def write(found: Simulated, folder: Path) -> list[Path]:
    """Writes the figures and the chart; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "simulate.json"
    data.write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    return [data, *draw(_chart(found), folder)]


def _policies(found: Simulated) -> RichTable:
    models = list(found.policies[NO_CACHE])
    title = (
        f"cost with room for {found.capacity:,} {found.unit}, and the share of requests served from the cache"
    )
    table = _plain(title, ["", *models])
    for name, row in found.policies.items():
        cells = [_amount(row[model].cost) + _share(row[model].hits, found.requests) for model in models]
        table.add_row(name, *cells)
    for name, row in found.bounds.items():
        cells = [_amount(row[model].cost) if model in row else "too hard" for model in models]
        table.add_row(f"in hindsight: {name}", *cells, style="dim")
    return table


def _curve(found: Simulated) -> RichTable:
    curve = found.sizing.curve
    head = [found.unit, *curve[0].policies, "no policy below"]
    priced = found.price is not None
    model = list(found.policies[NO_CACHE])[-1]
    title = f"cost over the size of the cache, {model}"
    table = _plain(title, [*head, "room", "together"] if priced else head)
    for point in curve:
        row = [f"{point.capacity:,}", *(_amount(outcome.cost) for outcome in point.policies.values())]
        row.append(_amount(point.bound))
        if priced:
            row += [_amount(point.storage), _amount(point.total)]
        table.add_row(*row, style="bold" if priced and point == found.sizing.best else "")
    return table


def _plain(title: str, head: list[str]) -> RichTable:
    table = RichTable(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place or head[0] else "left")
    return table


def _chart(found: Simulated) -> Chart:
    curve = found.sizing.curve
    at = tuple(float(point.capacity) for point in curve)
    lines = [
        Series(name, at, tuple(point.policies[name].cost for point in curve), role=_role(name))
        for name in curve[0].policies
    ]
    bound = tuple(point.bound for point in curve)
    lines.append(Series("no policy goes below", at, bound, role="bound"))
    if found.price is not None:
        totals = tuple(point.total for point in curve)
        lines.append(Series("the best, and its room", at, totals, role="paper"))
    panel = Panel("", f"room ({found.unit})", "cost of the log", tuple(lines), log_x=True)
    return Chart("simulate", f"{found.name}: cost over the size of the cache", (panel,))


def _role(policy: str) -> Role:
    return "ours" if policy == "Lec" else "other"


def _amount(value: float) -> str:
    """Five figures or more, whatever the unit."""
    return f"{value:,.2f}" if value >= 1000 else f"{value:,.5g}"  # noqa: PLR2004  where two digits are enough


def _share(hits: int | None, requests: int) -> str:
    return "" if hits is None else f" ({hits / requests:.1%})"
