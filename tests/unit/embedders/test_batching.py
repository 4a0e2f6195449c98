"""`Batched`: what threads ask at the same time is one call, and everybody gets their own."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lecmux.embedders import Batched, FromFunction, Static
from lecmux.errors import ConfigError


class Held:
    """Embeds by length; the first call waits until it is let go."""

    name = "held"
    dim = 2

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def embed(self, texts: Sequence[str]) -> Any:
        self.calls.append(list(texts))
        self.entered.set()
        assert self.let_go.wait(30)
        return FromFunction(lambda found: [[1.0, float(len(text))] for text in found], name="x").embed(texts)

    async def aembed(self, texts: Sequence[str]) -> Any:
        return self.embed(texts)


def asked_together(batched: Batched, inner: Held, count: int) -> dict[str, Any]:
    """`count` texts of different length, all but the first asked while the first call runs."""
    texts = ["x" * (length + 1) for length in range(count)]
    with ThreadPoolExecutor(count) as pool:
        first = pool.submit(batched.embed, texts[:1])
        assert inner.entered.wait(30)
        rest = [pool.submit(batched.embed, [text]) for text in texts[1:]]
        while len(batched._asked) < count - 1:
            threading.Event().wait(0.001)
        inner.let_go.set()
        rows = [each.result(30).tolist()[0] for each in [first, *rest]]
    return dict(zip(texts, rows, strict=True))


def test_those_who_ask_meanwhile_share_the_next_call() -> None:
    inner = Held()
    batched = Batched(inner)

    found = asked_together(batched, inner, 9)

    assert [len(call) for call in inner.calls] == [1, 8]
    assert batched.calls == 2
    for text, row in found.items():
        assert row[1] / row[0] == pytest.approx(len(text))


def test_a_call_takes_no_more_than_its_share() -> None:
    inner = Held()

    asked_together(Batched(inner, max_texts=3), inner, 9)

    assert [len(call) for call in inner.calls] == [1, 3, 3, 2]


def test_one_caller_with_more_than_that_is_one_call() -> None:
    inner = Held()
    inner.let_go.set()

    assert Batched(inner, max_texts=3).embed(["a", "b", "c", "d", "e"]).shape == (5, 2)
    assert [len(call) for call in inner.calls] == [5]


def test_waits_for_others_no_longer_than_told() -> None:
    inner = Held()
    inner.let_go.set()
    batched = Batched(inner, wait_seconds=30, max_texts=2)

    with ThreadPoolExecutor(2) as pool:  # the second fills the call, so that nobody waits on
        assert len(list(pool.map(batched.embed, [["a"], ["b"]]))) == 2

    assert [sorted(call) for call in inner.calls] == [["a", "b"]]


def test_an_error_reaches_all_of_the_call_and_nobody_else() -> None:
    def embed(texts: Sequence[str]) -> Any:
        if "bad" in texts:
            raise RuntimeError("down")
        return [[1.0, 2.0] for _ in texts]

    batched = Batched(FromFunction(embed, name="flaky"))
    with pytest.raises(RuntimeError, match="down"):
        batched.embed(["bad"])

    assert batched.embed(["good"]).shape == (1, 2)


def test_many_threads_each_get_their_own() -> None:
    batched = Batched(Static(), max_texts=5)
    texts = [f"question {number}" for number in range(40)]
    wanted = dict(zip(texts, Static().embed(texts).tolist(), strict=True))

    with ThreadPoolExecutor(16) as pool:
        for text, rows in pool.map(lambda text: (text, batched.embed([text]).tolist()), texts * 25):
            assert rows[0] == pytest.approx(wanted[text], abs=1e-6)


@pytest.mark.parametrize("settings", [{"wait_seconds": -1}, {"max_texts": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="wait_seconds must be at least 0"):
        Batched(Static(), **settings)
