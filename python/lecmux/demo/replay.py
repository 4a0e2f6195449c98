"""Further streams, through the same cache and router, with the measured answers in the models' place."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import fmean, stdev

from langchain_core.language_models import BaseChatModel

from lecmux.demo.outcomes import Outcomes, TableChat
from lecmux.demo.play import Tally, play, stream_of
from lecmux.demo.strategies import STRATEGIES, Terms, router

__all__ = ["Replay", "Spread", "replay", "replayed", "stand_ins"]

Tallies = Mapping[str, Tally]

_WORTH_A_PROCESS = 10


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation over the streams; the latter is 0.0 for a single one."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of at least one value."""
        listed = list(values)
        return cls(fmean(listed), stdev(listed) if len(listed) > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """What one strategy costs more than another, errors included, stream by stream."""

    usd: Spread
    share: float
    losing_streams: int

    @classmethod
    def of(cls, more_usd: Sequence[float], against_usd: float) -> "Change":
        """Of the differences, and the mean of what they are a share of."""
        usd = Spread.of(more_usd)
        share = usd.mean / against_usd if against_usd else 0.0
        return cls(usd, share, sum(more > 0 for more in more_usd))

    def as_json(self) -> dict[str, float | int]:
        """Mean, deviation, and on how many streams it cost more."""
        return {
            "usd": self.usd.mean,
            "deviation_usd": self.usd.deviation,
            "losing_streams": self.losing_streams,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """The tallies of each stream, by strategy."""

    streams: tuple[Tallies, ...]

    def spread(self, strategy: str, figure: Callable[[Tally], float]) -> Spread:
        """Of one figure of one strategy."""
        return Spread.of(figure(tallies[strategy]) for tallies in self.streams)

    @property
    def losing_streams(self) -> int:
        """Streams on which dollars and wrong answers together cost more than with an LFU cache + large."""
        return sum(each["lecmux"].total_usd > each["lfu_large"].total_usd for each in self.streams)

    def change(self, strategy: str, against: str) -> Change:
        """Dollars and wrong answers together, of one strategy less those of another, stream by stream."""
        return Change.of(
            [each[strategy].total_usd - each[against].total_usd for each in self.streams],
            self.spread(against, lambda tally: tally.total_usd).mean,
        )

    @property
    def prior(self) -> Change:
        """What the multiplexer's prior changes."""
        return self.change("lecmux_multiplexer", "lecmux")

    @property
    def semantic(self) -> Change:
        """What hits by meaning change."""
        return self.change("lecmux", "lecmux_exact")

    def as_json(self) -> dict[str, object]:
        """Means by strategy, how many streams were lost, what prior and hits by meaning are worth, paired."""
        names = next(iter(self.streams[0].values())).as_json()
        means = {
            strategy: {name: fmean(each[strategy].as_json()[name] for each in self.streams) for name in names}
            for strategy in STRATEGIES
        }
        return {
            **means,
            "losing_streams": self.losing_streams,
            "prior_against_none": self.prior.as_json(),
            "semantic_against_exact": self.semantic.as_json(),
        }


def stand_ins(outcomes: Outcomes) -> dict[str, BaseChatModel]:
    """A table of the measured answers in place of each model."""
    return {name: TableChat.of(outcomes, name) for name in outcomes.by_model}


def replayed(name: str, stream: list[int], outcomes: Outcomes, terms: Terms, *, seed: int) -> Tally:
    """One stream under one strategy."""
    tally = Tally(outcomes.price_of_wrong_usd)
    if STRATEGIES[name].evict is None:
        return _summed(STRATEGIES[name].models[0], stream, outcomes, tally)
    chat = router(name, stand_ins(outcomes), outcomes, terms, seed=seed)
    play(stream, chat, outcomes, tally, after_each=_nothing)
    return tally


def _summed(model: str, stream: list[int], outcomes: Outcomes, tally: Tally) -> Tally:
    """Without a cache and a choice every request is a call: nothing needs to be played."""
    asked = [outcomes.by_model[model][question] for question in stream]
    tally.requests = tally.calls[model] = len(stream)
    tally.right = sum(each.right for each in asked)
    tally.usd = sum(outcomes.usd(model, question) for question in stream)
    tally.seconds = sum(each.usage.seconds for each in asked)
    return tally


def replay(
    outcomes: Outcomes,
    seeds: Sequence[int],
    terms: Terms,
    *,
    requests: int,
    after_each: Callable[[], None],
) -> Iterator[Tallies]:
    """Yields, for each seed in turn, the tallies of all strategies on its stream; uses all processors."""
    play_seed = partial(_all_strategies, outcomes=outcomes, requests=requests, terms=terms)
    workers = min(os.cpu_count() or 1, len(seeds) // _WORTH_A_PROCESS)
    if workers < 2:  # noqa: PLR2004  one worker is this process
        for seed in seeds:
            yield play_seed(seed)
            after_each()
        return
    # Started afresh, not forked: llama.cpp's threads were in this process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_leave_ctrl_c_to_the_parent) as pool:
        try:
            for tallies in pool.map(play_seed, seeds):
                yield tallies
                after_each()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _all_strategies(seed: int, *, outcomes: Outcomes, requests: int, terms: Terms) -> Tallies:
    stream = stream_of(seed, requests)
    return {name: replayed(name, stream, outcomes, terms, seed=seed) for name in STRATEGIES}


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    """No progress within a stream that takes less than a second."""
