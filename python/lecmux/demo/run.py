"""The demo from start to end: measure, serve the stream, replay, and collect what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from langchain_core.language_models import BaseChatModel

from langchain_lecmux import ChatGguf
from lecmux.demo.outcomes import Outcomes, measure
from lecmux.demo.play import Tally, play
from lecmux.demo.progress import Progress
from lecmux.demo.questions import MAX_TOKENS, QUESTIONS, STOP
from lecmux.demo.replay import Replay, Tallies, replay, replayed
from lecmux.demo.strategies import STRATEGIES, budget_bytes, router
from lecmux.demo.stream import deal
from lecmux.errors import ConfigError
from lecmux.models import Gguf

__all__ = ["Result", "Settings", "run"]

_CONTEXT_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for.

    Raises:
        ConfigError: for a count that cannot work.
    """

    seed: int = 0
    requests: int = 1000
    replays: int = 0

    def __post_init__(self) -> None:
        if self.requests < 1 or self.replays < 0:
            raise ConfigError("requests must be at least 1, and replay at least 0")


@dataclass
class Result:
    """Everything the report needs; what was not reached before Ctrl-C is left empty."""

    settings: Settings
    outcomes: Outcomes | None = None
    capacity_bytes: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    replay: Replay | None = None
    interrupted: bool = False


def run(settings: Settings, progress: Progress) -> Result:
    """Runs everything. Ctrl-C ends it with what was served by then.

    Raises:
        ModelNotFoundError: a model is not here; the message says how to fetch it.
        MissingExtraError: the extra `lecmux[demo]` is not installed.
    """
    result = Result(settings)
    try:
        with _models() as models:
            _serve(models, result, progress)
    except KeyboardInterrupt:
        result.interrupted = True
    if result.outcomes is not None and "lecmux" in result.tallies:
        _compare(result)
        if not result.interrupted:
            _replay(result, progress)
    return result


@contextmanager
def _models() -> Iterator[dict[str, BaseChatModel]]:
    """Both models, greedy, each call computed from nothing, so that equal questions get equal answers."""
    with (
        Gguf("small", context_tokens=_CONTEXT_TOKENS, reuse_prefix=False) as small,
        Gguf("large", context_tokens=_CONTEXT_TOKENS, reuse_prefix=False) as large,
    ):
        loaded = {"small": small, "large": large}
        yield {
            name: ChatGguf(gguf=model, max_tokens=MAX_TOKENS, stop=STOP, cache=False)
            for name, model in loaded.items()
        }


def _serve(models: dict[str, BaseChatModel], result: Result, progress: Progress) -> None:
    settings = result.settings
    with progress.phase("asking each model each question once", len(models) * len(QUESTIONS)) as step:
        outcomes = result.outcomes = measure(models, step)
    result.capacity_bytes = budget_bytes(outcomes)
    stream = deal(settings.seed, questions=len(QUESTIONS), requests=settings.requests)
    chat = router("lecmux", models, outcomes, capacity_bytes=result.capacity_bytes, seed=settings.seed)
    tally = result.tallies["lecmux"] = Tally(outcomes.price_of_wrong_usd)
    with progress.phase("serving requests", settings.requests) as step:
        play(stream, chat, tally, lambda: step(_so_far(tally)))


def _so_far(tally: Tally) -> str:
    calls = f"{tally.calls['small']} small, {tally.calls['large']} large"
    return f"{tally.hits} hits, {calls}, {tally.right} right, ${tally.usd:.4f}"


def _compare(result: Result) -> None:
    """The other strategies on the requests served, from the measured outcomes."""
    assert result.outcomes is not None
    served = result.tallies["lecmux"].requests
    stream = deal(result.settings.seed, questions=len(QUESTIONS), requests=result.settings.requests)[:served]
    for name in STRATEGIES:
        if name not in result.tallies:
            result.tallies[name] = replayed(
                name, stream, result.outcomes, capacity_bytes=result.capacity_bytes, seed=result.settings.seed
            )


def _replay(result: Result, progress: Progress) -> None:
    settings, outcomes, streams = result.settings, result.outcomes, list[Tallies]()
    if not settings.replays or outcomes is None:
        return
    seeds = range(settings.seed + 1, settings.seed + 1 + settings.replays)
    try:
        with progress.phase("replaying further streams", settings.replays) as step:
            further = replay(
                outcomes,
                seeds,
                requests=settings.requests,
                capacity_bytes=result.capacity_bytes,
                after_each=step,
            )
            for tallies in further:
                streams.append(tallies)
    except KeyboardInterrupt:
        result.interrupted = True
    if streams:
        result.replay = Replay(tuple(streams))
