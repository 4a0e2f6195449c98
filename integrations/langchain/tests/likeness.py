"""An embedder without a model: texts of one topic, their first word, lie near each other."""

import math
import random
from collections.abc import Iterator, Sequence

DIM = 64
TOPICS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


class Topics:
    """Vectors of length 1: the direction of the topic, and a little that the whole text decides.

    Attributes:
        texts: all that it was asked for, in order.
        broken: raised by every call, where there is one.
    """

    name = "topics"
    dim = DIM

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.broken: Exception | None = None

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.broken:
            raise self.broken
        self.texts += texts
        return [_one(text) for text in texts]

    async def aembed(self, texts: Sequence[str]) -> list[list[float]]:
        return self.embed(texts)


def topic(text: str) -> str:
    """What a model answers: texts of one topic have one answer."""
    return f"about {text.split(maxsplit=1)[0]}"


def wordings(each: int) -> Iterator[str]:
    """So many texts of every topic, which no facet tells apart."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(each):
        for word in TOPICS:
            yield f"{word} {letters[number % 26]}{letters[number // 26]} please"


def _one(text: str) -> list[float]:
    about, own = _direction(text.split(maxsplit=1)[0]), _direction(text)
    return _unit([a + 0.15 * b for a, b in zip(about, own, strict=True)])


def _direction(seed: str) -> list[float]:
    draw = random.Random(seed)
    return _unit([draw.gauss(0.0, 1.0) for _ in range(DIM)])


def _unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(sum(value * value for value in vector))
    return [value / norm for value in vector]
