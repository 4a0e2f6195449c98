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
from lecmux.demo.questions import ASKED, QUESTIONS, WORDINGS
from lecmux.demo.run import Result, Settings
from lecmux.errors import ConfigError

FIGURES = {
    "usd", "wrong_usd", "seconds", "right", "hits", "requests",
    "semantic_hits", "wrong_semantic_hits", "misled_semantic_hits", "semantic_saved_usd",
}  # fmt: skip
PAIRED = ["losing_streams", "prior_against_none", "semantic_against_exact"]
STRATEGIES = [
    "lecmux",
    "lecmux_multiplexer",
    "lecmux_exact",
    "always_large",
    "lfu_large",
    "lru_large",
    "lfu_small",
]


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
    assert told["questions"]["count"] == len(QUESTIONS)
    assert list(told["strategies"]) == STRATEGIES
    assert list(told["replay"]) == [*STRATEGIES, *PAIRED]
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
    settings = Settings(requests=300, replays=3)
    result = play(settings, interrupt_at=2 * len(settings.questions()) + 40)

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


@pytest.mark.parametrize("settings", [{"requests": 0}, {"replays": -1}, {"max_error": 0.6}])
def test_counts_and_shares_that_cannot_work(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"requests|max_error"):
        Settings(**settings)


def test_what_is_measured_is_what_occurs_and_every_first_wording() -> None:
    few = Settings(requests=30).questions()
    many = Settings(requests=300, replays=20).questions()

    assert set(range(0, len(ASKED), WORDINGS)) < set(few) < set(many) <= set(range(len(ASKED)))
    assert len(few) <= len(QUESTIONS) + 30


def test_kept_answers_are_not_asked_for_again(play: Callable[..., Result], tmp_path: Path) -> None:
    settings = Settings(requests=50, outcomes=tmp_path / "answers.json")
    first = play(settings)
    again = play(settings, interrupt_at=first.tallies["lecmux"].calls.total())

    assert not again.interrupted
    assert again.outcomes is not None
    assert first.outcomes is not None
    assert again.outcomes.shares() == first.outcomes.shares()


def test_what_was_measured_before_ctrl_c_is_kept(play: Callable[..., Result], tmp_path: Path) -> None:
    settings = Settings(requests=50, outcomes=tmp_path / "answers.json")
    play(settings, interrupt_at=20)
    again = play(settings, interrupt_at=2 * len(settings.questions()) - 21)

    assert again.interrupted
    assert again.outcomes is None
    assert not play(settings).interrupted


@pytest.mark.parametrize("text", ["", "[]", '{"terms": {}, "answers": {}}', '{"terms": 1, "answers": [2]}'])
def test_a_file_of_something_else_is_refused(play: Callable[..., Result], tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match="answers"):
        play(Settings(outcomes=path))
    assert path.read_text() == text


def test_where_answers_cannot_be_kept(play: Callable[..., Result], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be kept"):
        play(Settings(outcomes=tmp_path / "nowhere" / "answers.json"))


def test_the_table_says_when_hits_by_meaning_are_off(play: Callable[..., Result]) -> None:
    text = printed(play(Settings(requests=100, max_error=0.0)))

    assert "Hits by meaning are off" in text
