"""The demo from start to end, on tables in the models' place, and interrupted."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.outputs import ChatResult
from rich.console import Console

from lecmux.demo import chart, report, run
from lecmux.demo.outcomes import Outcomes, TableChat
from lecmux.demo.progress import Progress
from lecmux.demo.questions import QUESTIONS
from lecmux.demo.run import Result, Settings
from lecmux.errors import ConfigError

FIGURES = {"usd", "wrong_usd", "seconds", "right", "hits", "requests"}
STRATEGIES = ["lecmux", "lecmux_multiplexer", "always_large", "lfu_large", "lru_large", "lfu_small"]


class Interrupting(TableChat):
    """A table that is interrupted at a certain call."""

    before: Any

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        self.before()
        return super()._generate(*args, **kwargs)


@pytest.fixture
def play(outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the demo; `interrupt_at` is the number of the model call at which Ctrl-C comes."""

    def go(settings: Settings, interrupt_at: int = -1) -> Result:
        calls = iter(range(1_000_000))

        def before() -> None:
            if next(calls) == interrupt_at:
                raise KeyboardInterrupt

        @contextmanager
        def models() -> Iterator[dict[str, BaseChatModel]]:
            tables = {name: TableChat.of(outcomes, name) for name in ("small", "large")}
            yield {n: Interrupting(table=t.table, label=n, before=before) for n, t in tables.items()}

        monkeypatch.setattr(run, "_models", models)
        return run.run(settings, Progress(Console(file=io.StringIO())))

    return go


def printed(result: Result) -> str:
    console = Console(file=io.StringIO(), width=100)
    report.show(result, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_object_holds_what_was_measured(play: Callable[..., Result], outcomes: Outcomes) -> None:
    told: Any = json.loads(json.dumps(report.as_json(play(Settings(requests=200, replays=2)))))

    assert told.keys() == {"questions", "strategies", "replay"}
    assert told["questions"] == outcomes.shares()
    assert list(told["strategies"]) == STRATEGIES
    assert list(told["replay"]) == [*STRATEGIES, "losing_streams", "prior_against_none"]
    for figures in (*told["strategies"].values(), *(told["replay"][name] for name in STRATEGIES)):
        assert figures.keys() == FIGURES
        assert figures["requests"] == 200
    assert isinstance(told["replay"]["losing_streams"], int)


def test_live_and_replayed_requests_come_to_the_same(play: Callable[..., Result]) -> None:
    live = play(Settings(seed=5, requests=300))
    further = play(Settings(seed=4, requests=300, replays=1))

    assert further.replay is not None
    replayed = further.replay.streams[0]
    for name in STRATEGIES:
        ours, theirs = live.tallies[name], replayed[name]
        assert ours.requests == theirs.requests
        assert ours.hits == pytest.approx(theirs.hits, abs=25)
        assert ours.usd == pytest.approx(theirs.usd, rel=0.15)


def test_the_table_names_every_strategy_and_its_terms(play: Callable[..., Result]) -> None:
    text = printed(play(Settings(requests=100, replays=2)))

    for words in ("100 requests, seed 0", "LFU + large", "times less", "2 further streams", "of 2 streams"):
        assert words in text
    for words in ("answer key", "greedy", "5 average large calls", "per million tokens"):
        assert words in text


def test_ctrl_c_while_serving_shows_the_table_so_far(play: Callable[..., Result]) -> None:
    result = play(Settings(requests=300, replays=3), interrupt_at=2 * len(QUESTIONS) + 40)

    assert result.interrupted
    served = result.tallies["lecmux"].requests
    assert 40 <= served < 300
    assert [tally.requests for tally in result.tallies.values()] == [served] * len(STRATEGIES)
    assert result.replay is None
    assert "interrupted" in printed(result)
    assert f"{served} requests" in printed(result)


def test_ctrl_c_before_the_first_request(play: Callable[..., Result]) -> None:
    result = play(Settings(requests=30), interrupt_at=10)

    assert result.interrupted
    assert "nothing to compare" in printed(result)
    assert report.as_json(result) == {"questions": None, "strategies": {}, "replay": None}


def test_the_picture_is_a_png(play: Callable[..., Result], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    chart.draw(play(Settings(requests=50)), tmp_path / "demo.png")

    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("settings", [{"requests": 0}, {"replays": -1}])
def test_counts_that_cannot_work(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="requests"):
        Settings(**settings)
