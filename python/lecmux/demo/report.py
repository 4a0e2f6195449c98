"""The demo's outcome as a table for people and as one object for programs."""

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from lecmux.demo.notes import notes
from lecmux.demo.play import Tally
from lecmux.demo.replay import Change, Replay
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
        console.print(_semantic_verdict(result.tallies["lecmux"]), highlight=False, soft_wrap=True)
    if result.replay:
        console.print(_replay_table(result.replay))
        console.print(_replay_verdict(result.replay), highlight=False, soft_wrap=True)
    console.print(notes(result, result.outcomes), highlight=False, soft_wrap=True)


def _table(title: str, gap: int) -> Table:
    """Without frames, and with one space and `gap` between columns."""
    return Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, gap, 0, 0), pad_edge=False)


def _stream_table(result: Result) -> Table:
    served = result.tallies["lecmux"].requests
    table = _table(f"{served:,} requests, seed {result.settings.seed}", gap=0)  # fits into a terminal of 80
    table.add_column("strategy", no_wrap=True)
    for heading in ("exact", "alike", "small", "large", "right %", "sec.", "¢ calls", "¢ wrong", "¢ both"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, strategy in STRATEGIES.items():
        tally = result.tallies[name]
        table.add_row(
            strategy.title,
            f"{tally.exact:,}",
            f"{tally.alike:,}",
            f"{tally.calls['small']:,}",
            f"{tally.calls['large']:,}",
            f"{_right_percent(tally):.1f}",
            f"{tally.seconds:,.0f}",
            *(f"{_CENTS * usd:.3f}" for usd in (tally.usd, tally.wrong_usd, tally.total_usd)),
            style=_style(name),
        )
    return table


def _replay_table(replay: Replay) -> Table:
    table = _table(f"{len(replay.streams):,} further streams, mean ± deviation", gap=1)
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


def _semantic_verdict(tally: Tally) -> str:
    if not tally.alike:
        return "No answer to other words was served."
    return (
        f"{tally.alike:,} hits by meaning saved {_CENTS * tally.alike_usd:.3f} cents of calls. "
        f"{tally.alike_wrong:,} gave a wrong answer, {_CENTS * tally.alike_wrong_usd:.3f} cents:\n"
        f"{tally.misled:,} where the model that gave it is right in these words."
    )


def _replay_verdict(replay: Replay) -> str:
    usd = {name: replay.spread(name, _usd).mean for name in STRATEGIES}
    right = {name: replay.spread(name, _right_percent).mean for name in STRATEGIES}
    verdict = (
        f"On average {_ratios(usd, right)}\nCalls and wrong answers together cost more than with "
        f"LFU + large on {replay.losing_streams} of {len(replay.streams)} streams."
    )
    changes = (
        _change("Hits by meaning change", replay.semantic, len(replay.streams)),
        _change("The prior changes", replay.prior, len(replay.streams)),
    )
    return "\n".join([verdict, _semantic_replay_verdict(replay), *changes])


def _semantic_replay_verdict(replay: Replay) -> str:
    wrong = replay.spread("lecmux", lambda tally: tally.alike_wrong)
    misled = replay.spread("lecmux", lambda tally: tally.misled)
    most = max(each["lecmux"].misled for each in replay.streams)
    return (
        f"Of the hits by meaning {wrong.mean:.1f} ±{wrong.deviation:.1f} a stream were wrong:\n"
        f"{misled.mean:.1f} ±{misled.deviation:.1f} (at most {most}) where the model that gave the answer is "
        "right in these words."
    )


def _change(what: str, change: Change, streams: int) -> str:
    """One strategy against another on the same streams."""
    return (
        f"{what} the two together by {_CENTS * change.usd.mean:+.3f} ±{_CENTS * change.usd.deviation:.3f} "
        f"cents ({change.share:+.1%}), stream by stream;\nmore on {change.losing_streams} of {streams}."
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


def _usd(tally: Tally) -> float:
    return tally.usd


def _right_percent(tally: Tally) -> float:
    return 100 * tally.right / max(tally.requests, 1)


def _style(name: str) -> str | None:
    return "bold green" if name == "lecmux" else None


_FIGURES: tuple[tuple[str, Callable[[Tally], float], int], ...] = (
    ("exact", lambda tally: tally.exact, 0),
    ("alike", lambda tally: tally.alike, 0),
    ("right %", _right_percent, 1),
    ("¢ calls", lambda tally: _CENTS * tally.usd, 2),
    ("¢ wrong", lambda tally: _CENTS * tally.wrong_usd, 2),
    ("¢ both", lambda tally: _CENTS * tally.total_usd, 2),
)
