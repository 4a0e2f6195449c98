"""An embedder without a model: texts of one topic, their first word, lie near each other."""

import math
import random
from collections.abc import Sequence

DIM = 64


class Topics:
    """Vectors of unit norm: the direction of the topic, and a share `noise` that the whole text decides.

    Attributes:
        texts: all that it was asked for, in order.
    """

    name = "topics"

    def __init__(self, *, noise: float = 0.15, dim: int = DIM) -> None:
        self.texts: list[str] = []
        self._noise = noise
        self._dim = dim

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return [self._one(text) for text in texts]

    async def aembed(self, texts: Sequence[str]) -> list[list[float]]:
        return self.embed(texts)

    def _one(self, text: str) -> list[float]:
        topic, own = _direction(text.split(maxsplit=1)[0], self._dim), _direction(text, self._dim)
        return _unit([a + self._noise * b for a, b in zip(topic, own, strict=True)])


def _direction(seed: str, dim: int) -> list[float]:
    draw = random.Random(seed)
    return _unit([draw.gauss(0.0, 1.0) for _ in range(dim)])


def _unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(sum(value * value for value in vector))
    return [value / norm for value in vector]
