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
from lecmux.demo.play import Tally, play
from lecmux.demo.questions import QUESTIONS
from lecmux.demo.strategies import STRATEGIES, router
from lecmux.demo.stream import deal

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

    @property
    def prior_usd(self) -> Spread:
        """Dollars and wrong answers together, with the multiplexer's prior less without it, paired."""
        return Spread.of(self._prior_usd())

    @property
    def prior_losing_streams(self) -> int:
        """Streams on which they cost more with the prior than without it."""
        return sum(more > 0 for more in self._prior_usd())

    def _prior_usd(self) -> list[float]:
        return [each["lecmux_multiplexer"].total_usd - each["lecmux"].total_usd for each in self.streams]

    def as_json(self) -> dict[str, object]:
        """Means by strategy, how many streams were lost, and what the prior is worth, paired."""
        names = next(iter(self.streams[0].values())).as_json()
        means = {
            strategy: {name: fmean(each[strategy].as_json()[name] for each in self.streams) for name in names}
            for strategy in STRATEGIES
        }
        prior = {
            "usd": self.prior_usd.mean,
            "deviation_usd": self.prior_usd.deviation,
            "losing_streams": self.prior_losing_streams,
        }
        return {**means, "losing_streams": self.losing_streams, "prior_against_none": prior}


def stand_ins(outcomes: Outcomes) -> dict[str, BaseChatModel]:
    """A table of the measured answers in place of each model."""
    return {name: TableChat.of(outcomes, name) for name in outcomes.by_model}


def replayed(name: str, stream: list[int], outcomes: Outcomes, *, capacity_bytes: int, seed: int) -> Tally:
    """One stream under one strategy."""
    tally = Tally(outcomes.price_of_wrong_usd)
    if STRATEGIES[name].evict is None:
        return _summed(STRATEGIES[name].models[0], stream, outcomes, tally)
    chat = router(name, stand_ins(outcomes), outcomes, capacity_bytes=capacity_bytes, seed=seed)
    play(stream, chat, tally, after_each=_nothing)
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
    *,
    requests: int,
    capacity_bytes: int,
    after_each: Callable[[], None],
) -> Iterator[Tallies]:
    """Yields, for each seed in turn, the tallies of all strategies on its stream; uses all processors."""
    play_seed = partial(_all_strategies, outcomes=outcomes, requests=requests, capacity_bytes=capacity_bytes)
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


def _all_strategies(seed: int, *, outcomes: Outcomes, requests: int, capacity_bytes: int) -> Tallies:
    stream = deal(seed, questions=len(QUESTIONS), requests=requests)
    return {
        name: replayed(name, stream, outcomes, capacity_bytes=capacity_bytes, seed=seed)
        for name in STRATEGIES
    }


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    """No progress within a stream that takes less than a second."""
