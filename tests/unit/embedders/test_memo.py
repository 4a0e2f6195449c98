"""`Remembered`: each text embedded once, within its bytes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lecmux.embedders import FromFunction, Remembered, Static
from lecmux.errors import ConfigError


def counted() -> tuple[FromFunction, list[str]]:
    seen: list[str] = []

    def embed(texts: Sequence[str]) -> Any:
        seen.extend(texts)
        return [[1.0, float(len(text))] for text in texts]

    return FromFunction(embed, name="counted", dim=2), seen


def test_a_text_is_embedded_once() -> None:
    inner, seen = counted()
    memo = Remembered(inner)

    first = memo.embed(["a", "bb", "a"]).tolist()
    again = memo.embed(["bb", "ccc", "a"]).tolist()

    assert seen == ["a", "bb", "ccc"]
    assert first[0] == first[2] == again[2]
    assert first[1] == again[0]
    assert (memo.hits, memo.misses) == (2, 3)


def test_texts_are_told_apart_letter_for_letter() -> None:
    inner, seen = counted()
    Remembered(inner).embed(["a", "A", "a ", "a\n"])

    assert len(seen) == 4


def test_the_async_twin_shares_the_memory() -> None:
    inner, seen = counted()
    memo = Remembered(inner)
    memo.embed(["a"])

    assert asyncio.run(memo.aembed(["a", "b"])).shape == (2, 2)
    assert seen == ["a", "b"]


def test_the_oldest_asked_leaves_first() -> None:
    inner, seen = counted()
    memo = Remembered(inner, max_bytes=3 * 300)
    for text in ("a", "b", "c"):
        memo.embed([text])
    memo.embed(["a"])
    memo.embed(["d"])
    seen.clear()

    memo.embed(["a", "c", "d"])

    assert seen == []
    memo.embed(["b"])
    assert seen == ["b"]


@pytest.mark.parametrize("max_bytes", [0, 1000, 100_000])
def test_keeps_to_its_bytes(max_bytes: int) -> None:
    memo = Remembered(Static(), max_bytes=max_bytes)
    memo.embed([f"question {number}" * (number % 50) for number in range(300)])

    assert memo.memory_bytes <= max_bytes


def test_clear_forgets() -> None:
    inner, seen = counted()
    memo = Remembered(inner)
    memo.embed(["a"])
    memo.clear()
    memo.embed(["a"])

    assert seen == ["a", "a"]
    assert memo.memory_bytes > 0


def test_an_error_is_not_remembered() -> None:
    answers = iter([RuntimeError("down"), [[1.0, 2.0]]])

    def embed(texts: Sequence[str]) -> Any:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    memo = Remembered(FromFunction(embed, name="flaky"))
    with pytest.raises(RuntimeError, match="down"):
        memo.embed(["a"])

    assert memo.embed(["a"]).shape == (1, 2)


def test_threads_share_it() -> None:
    memo = Remembered(Static(), max_bytes=20_000)
    texts = [f"question {number}" for number in range(50)]
    wanted = dict(zip(texts, Static().embed(texts).tolist(), strict=True))

    with ThreadPoolExecutor(8) as pool:
        for text, rows in pool.map(lambda text: (text, memo.embed([text]).tolist()), texts * 20):
            assert rows[0] == pytest.approx(wanted[text], abs=1e-6)
    assert memo.memory_bytes <= 20_000


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_bytes"):
        Remembered(Static(), max_bytes=-1)
