"""The demo's outcome as a table for people and as one object for programs."""

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from lecmux.demo.cross_fit import FOLDS
from lecmux.demo.outcomes import PRICES, WRONG_IN_LARGE_CALLS, Outcomes
from lecmux.demo.play import Tally
from lecmux.demo.replay import Replay
from lecmux.demo.run import Result
from lecmux.demo.strategies import STRATEGIES

__all__ = ["as_json", "show"]

_CENTS = 100  # a stream of a thousand requests costs about one


def as_json(result: Result) -> dict[str, object]:
    """One object; `replay` is None where no stream was replayed.

    Shares are in 0..1, "right", "hits" and "requests" are counts, in `replay` means over the streams.
    """
    return {
        "questions": result.outcomes.shares() if result.outcomes else None,
        "strategies": {name: result.tallies[name].as_json() for name in STRATEGIES if name in result.tallies},
        "replay": result.replay.as_json() if result.replay else None,
    }


def show(result: Result, console: Console) -> None:
    """Prints what was reached: the stream's table, the replays', and what the figures rest on."""
    if result.interrupted:
        console.print("[yellow]interrupted: this is what was done by then[/yellow]")
    if result.outcomes is None:
        console.print("not every question was asked yet, so there is nothing to compare")
        return
    if result.tallies:
        console.print(_stream_table(result))
        console.print(_verdict(result.tallies), highlight=False, soft_wrap=True)
    if result.replay:
        console.print(_replay_table(result.replay))
        console.print(_replay_verdict(result.replay), highlight=False, soft_wrap=True)
    console.print(_notes(result, result.outcomes), highlight=False, soft_wrap=True)


def _table(title: str) -> Table:
    """Without frames: nine columns of figures fit into a terminal of 80."""
    return Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)


def _stream_table(result: Result) -> Table:
    served = result.tallies["lecmux"].requests
    table = _table(f"{served:,} requests, seed {result.settings.seed}")
    table.add_column("strategy", no_wrap=True)
    for heading in ("hits", "small", "large", "right %", "model s", "¢ calls", "¢ wrong", "¢ both"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, strategy in STRATEGIES.items():
        tally = result.tallies[name]
        table.add_row(
            strategy.title,
            f"{tally.hits:,}",
            f"{tally.calls['small']:,}",
            f"{tally.calls['large']:,}",
            f"{_right_percent(tally):.1f}",
            f"{tally.seconds:.1f}",
            *(f"{_CENTS * usd:.3f}" for usd in (tally.usd, tally.wrong_usd, tally.total_usd)),
            style=_style(name),
        )
    return table


def _replay_table(replay: Replay) -> Table:
    table = _table(f"{len(replay.streams):,} further streams, mean ± deviation")
    table.add_column("strategy", no_wrap=True)
    for heading, _, _ in _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, strategy in STRATEGIES.items():
        spreads = [(replay.spread(name, figure), digits) for _, figure, digits in _FIGURES]
        cells = [f"{spread.mean:,.{digits}f} ±{spread.deviation:,.{digits}f}" for spread, digits in spreads]
        table.add_row(strategy.title, *cells, style=_style(name))
    return table


def _verdict(tallies: Mapping[str, Tally]) -> str:
    usd = {name: tally.usd for name, tally in tallies.items()}
    right = {name: _right_percent(tally) for name, tally in tallies.items()}
    return _ratios(usd, right)


def _replay_verdict(replay: Replay) -> str:
    usd = {name: replay.spread(name, _usd).mean for name in STRATEGIES}
    right = {name: replay.spread(name, _right_percent).mean for name in STRATEGIES}
    return (
        f"On average {_ratios(usd, right)}\nCalls and wrong answers together cost more than with "
        f"LFU + large on {replay.losing_streams} of {len(replay.streams)} streams.\n{_prior_verdict(replay)}"
    )


def _prior_verdict(replay: Replay) -> str:
    """With the multiplexer's prior against without it, on the same streams."""
    without = replay.spread("lecmux", lambda tally: tally.total_usd).mean
    change = replay.prior_usd
    share = f" ({change.mean / without:+.1%})" if without else ""
    cents = f"{_CENTS * change.mean:+.3f} ±{_CENTS * change.deviation:.3f} cents{share}"
    return (
        f"With the prior the two together change by {cents},\nstream by stream, and cost more on "
        f"{replay.prior_losing_streams} of {len(replay.streams)}."
    )


def _ratios(usd: Mapping[str, float], right: Mapping[str, float]) -> str:
    if not usd["lecmux"]:
        return "no call was paid for"
    times = {name: usd[name] / usd["lecmux"] for name in ("always_large", "lfu_large")}
    points = right["lecmux"] - right["always_large"]
    return (
        f"calls cost {times['always_large']:.1f} times less than with always large and "
        f"{times['lfu_large']:.2f}\ntimes less than with LFU + large; "
        f"right answers {points:+.1f} points against always large."
    )


def _notes(result: Result, outcomes: Outcomes) -> str:
    shares = outcomes.shares()
    right = f"small gets {shares['right_small']:.1%} right, large {shares['right_large']:.1%}"
    wrong = f"{WRONG_IN_LARGE_CALLS:g} average large calls, {_CENTS * outcomes.price_of_wrong_usd:.4f} cents"
    return f"""
{shares["count"]} questions: {right}, only large {shares["only_large"]:.1%}.
US cents per million tokens, in and out: small {_price("small")}; large
{_price("large")}.
A wrong answer costs {wrong}, each time.
The prior expects costs of a question from its text. It was fitted to both
models' answers to the questions of {FOLDS - 1} other folds of {FOLDS}, never to the question's own.
Every cache has {result.capacity_bytes:,} bytes, which hold a quarter of the answers.
lecmux called the models. The other rows are computed from what each model
answers to each question, measured once before the stream (greedy decoding, so
it repeats). The quality hook knows the answer key, as a user's test or thumb
would: after each call lecmux learns whether the answer was right."""


def _price(model: str) -> str:
    price = PRICES[model]
    return f"{_CENTS * price.input_usd_per_million:g}, {_CENTS * price.output_usd_per_million:g}"


def _usd(tally: Tally) -> float:
    return tally.usd


def _right_percent(tally: Tally) -> float:
    return 100 * tally.right / max(tally.requests, 1)


def _style(name: str) -> str | None:
    return "bold green" if name == "lecmux" else None


_FIGURES: tuple[tuple[str, Callable[[Tally], float], int], ...] = (
    ("hits", lambda tally: tally.hits, 0),
    ("right %", _right_percent, 1),
    ("model s", lambda tally: tally.seconds, 0),
    ("¢ calls", lambda tally: _CENTS * tally.usd, 2),
    ("¢ wrong", lambda tally: _CENTS * tally.wrong_usd, 2),
    ("¢ both", lambda tally: _CENTS * tally.total_usd, 2),
)
