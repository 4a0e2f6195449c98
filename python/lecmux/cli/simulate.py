"""`lecmux simulate`: what caches and models would have cost on a log of yours."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from lecmux.cli._folder import writable
from lecmux.errors import ConfigError, MissingExtraError

__all__ = ["simulate"]

_PREFIX_HELP = "Column with the cost of a model, as MODEL=COLUMN or COLUMN; else all that start with cost_."
_DAYS_A_MONTH = 365.25 / 12
_GIGA = 1e9


def simulate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A log: .csv, .jsonl (or .gz) or .parquet.")],
    *,
    query: Annotated[str, typer.Option(metavar="COLUMN", help="What was asked.")] = "query",
    cost: Annotated[list[str] | None, typer.Option(metavar="[MODEL=]COLUMN", help=_PREFIX_HELP)] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Prices tokens as this model; in place of --cost."),
    ] = None,
    input_tokens: Annotated[str, typer.Option(metavar="COLUMN", help="For --model.")] = "input_tokens",
    output_tokens: Annotated[str, typer.Option(metavar="COLUMN", help="For --model.")] = "output_tokens",
    prices: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Prices of yours, as PriceList.load reads them.")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="COLUMN", help="Bytes of the answer.")] = None,
    scope: Annotated[str | None, typer.Option(metavar="COLUMN", help="The tenant.")] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="When it was asked: seconds, or ISO 8601.")
    ] = None,
    capacity: Annotated[
        int | None,
        typer.Option(min=1, help="Room, in the unit of --size, else in answers. Else the best, or a tenth."),
    ] = None,
    price_per_byte: Annotated[
        float | None,
        typer.Option(min=0, help="What a byte of room costs over the log (without --size: an answer)."),
    ] = None,
    usd_per_gb_month: Annotated[
        float | None, typer.Option(min=0, help="What a GB of room costs a month; needs --time or --days.")
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long the log took, where it has no times.")] = None,
    answer_bytes: Annotated[
        int | None, typer.Option(min=1, help="For --usd-per-gb-month without --size.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the replays.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Takes the chart (PNG, SVG) and the figures (JSON).")
    ] = None,
) -> None:
    """Replays a log: each cache policy and model, the router, hindsight, and the size of cache to buy.

    Needs lecmux[cli,sim].
    """
    try:
        from lecmux.cli import _simulated  # noqa: PLC0415  an extra, loaded at first use
        from lecmux.sim.traces import read_log  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(f"a simulation needs: pip install 'lecmux[cli,sim]' ({error})") from error
    if out is not None:
        writable(out)
    if model and cost:
        raise ConfigError("--cost names columns of costs, --model prices tokens: give one of them")
    costs = _simulated.tokens(model, prices, input_tokens, output_tokens) if model else _columns(cost)
    try:
        log = read_log(file, query=query, costs=costs, size=size, scope=scope, time=time)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
    span = log.days if days is None else days
    price = _price(price_per_byte, usd_per_gb_month, span, 1 if size else answer_bytes)
    found = _simulated.run(
        file.name, log, capacity=capacity, price=price, unit="bytes" if size else "answers", seed=seed
    )
    if out is not None:
        try:
            written = _simulated.write(found, out)
        except OSError as error:
            raise ConfigError(f"{out} cannot be written: {error.strerror or error}") from error
        print(*written, sep="\n", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        _simulated.show(found)


def _columns(cost: list[str] | None) -> dict[str, str] | None:
    """Columns by model, from [MODEL=]COLUMN."""
    if not cost:
        return None
    named = [each.partition("=") if "=" in each else (each, "=", each) for each in cost]
    columns = {name.removeprefix("cost_"): column for name, _, column in named}
    if len(columns) < len(cost):
        raise ConfigError("--cost names a model twice")
    return columns


def _price(
    per_unit: float | None, per_gb_month: float | None, days: float | None, unit_bytes: int | None
) -> float | None:
    """What a unit of room costs over the log; None where nothing was said."""
    for price in (per_unit, per_gb_month, days):
        if price is not None and not math.isfinite(price):
            raise ConfigError(f"prices and days must be finite, not {price}")
    if per_gb_month is None:
        return per_unit
    if per_unit is not None:
        raise ConfigError("--price-per-byte and --usd-per-gb-month say the same: give one of them")
    if days is None or not days > 0:
        raise ConfigError("--usd-per-gb-month needs how long the log took: --time COLUMN or --days N above 0")
    if unit_bytes is None:
        raise ConfigError("--usd-per-gb-month needs the size of answers: --size COLUMN or --answer-bytes N")
    return per_gb_month / _GIGA * unit_bytes * days / _DAYS_A_MONTH
