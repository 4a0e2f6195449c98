"""The demo from start to end: measure, serve the stream, replay, and collect what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from langchain_lecmux import ChatGguf
from lecmux.demo.kept import Kept
from lecmux.demo.outcomes import FIRST, Outcomes, measure
from lecmux.demo.play import Tally, play, stream_of
from lecmux.demo.progress import Progress
from lecmux.demo.questions import MAX_TOKENS, STOP
from lecmux.demo.replay import Replay, Tallies, replay, replayed
from lecmux.demo.strategies import MAX_ERROR, STRATEGIES, Terms, budget_bytes, router
from lecmux.errors import ConfigError
from lecmux.models import Gguf

__all__ = ["Result", "Settings", "run"]

_CONTEXT_TOKENS = 512
_MOST_ERROR = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for.

    Raises:
        ConfigError: for a count or a share that cannot work.
    """

    seed: int = 0
    requests: int = 1000
    replays: int = 0
    max_error: float = MAX_ERROR
    outcomes: Path | None = None

    def __post_init__(self) -> None:
        if self.requests < 1 or self.replays < 0:
            raise ConfigError("requests must be at least 1, and replay at least 0")
        if not 0.0 <= self.max_error <= _MOST_ERROR:
            raise ConfigError(f"max_error must lie in [0, {_MOST_ERROR}], not {self.max_error!r}")

    @property
    def replay_seeds(self) -> range:
        """The seeds of the further streams."""
        return range(self.seed + 1, self.seed + 1 + self.replays)

    def questions(self) -> list[int]:
        """What has to be measured: every question as first worded, and the wordings of all streams."""
        streams = (stream_of(seed, self.requests) for seed in (self.seed, *self.replay_seeds))
        return sorted(set(FIRST).union(*streams))


@dataclass
class Result:
    """Everything the report needs; what was not reached before Ctrl-C is left empty."""

    settings: Settings
    outcomes: Outcomes | None = None
    capacity_bytes: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    replay: Replay | None = None
    interrupted: bool = False

    @property
    def terms(self) -> Terms:
        """What all strategies have in common."""
        return Terms(self.capacity_bytes, self.settings.max_error)


def run(settings: Settings, progress: Progress) -> Result:
    """Runs everything. Ctrl-C ends it with what was served by then.

    Raises:
        ModelNotFoundError: a model is not here; the message says how to fetch it.
        MissingExtraError: the extra `lecmux[demo]` is not installed.
        ConfigError: the file of kept answers is no such file.
    """
    result = Result(settings)
    kept = Kept(settings.outcomes)
    try:
        with _models() as models:
            _serve(models, kept, result, progress)
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


def _serve(models: dict[str, BaseChatModel], kept: Kept, result: Result, progress: Progress) -> None:
    settings = result.settings
    questions = settings.questions()
    with progress.phase("asking each model each question once", len(models) * len(questions)) as step:
        outcomes = result.outcomes = measure(models, questions, step, kept)
    result.capacity_bytes = budget_bytes(outcomes, settings.max_error)
    stream = stream_of(settings.seed, settings.requests)
    chat = router("lecmux", models, outcomes, result.terms, seed=settings.seed)
    tally = result.tallies["lecmux"] = Tally(outcomes.price_of_wrong_usd)
    with progress.phase("serving requests", settings.requests) as step:
        play(stream, chat, outcomes, tally, lambda: step(_so_far(tally)))


def _so_far(tally: Tally) -> str:
    calls = f"{tally.calls['small']} small, {tally.calls['large']} large"
    return f"{tally.hits} hits ({tally.alike} by meaning), {calls}, {tally.right} right, ${tally.usd:.4f}"


def _compare(result: Result) -> None:
    """The other strategies on the requests served, from the measured outcomes."""
    assert result.outcomes is not None
    served = result.tallies["lecmux"].requests
    stream = stream_of(result.settings.seed, result.settings.requests)[:served]
    for name in STRATEGIES:
        if name not in result.tallies:
            result.tallies[name] = replayed(
                name, stream, result.outcomes, result.terms, seed=result.settings.seed
            )


def _replay(result: Result, progress: Progress) -> None:
    settings, outcomes, streams = result.settings, result.outcomes, list[Tallies]()
    if not settings.replays or outcomes is None:
        return
    try:
        with progress.phase("replaying further streams", settings.replays) as step:
            further = replay(
                outcomes,
                settings.replay_seeds,
                result.terms,
                requests=settings.requests,
                after_each=step,
            )
            for tallies in further:
                streams.append(tallies)
    except KeyboardInterrupt:
        result.interrupted = True
    if streams:
        result.replay = Replay(tuple(streams))
