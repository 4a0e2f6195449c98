"""An embedder without a model."""

import math
import random
from collections.abc import Sequence

__all__ = ["TopicEmbedder"]


class TopicEmbedder:
    """Texts of one topic, their first word, lie near each other.

    A vector has unit norm: the direction of the topic, and `noise` of one that the whole text decides. With
    the default, two texts of one topic have a cosine of about .98, two of different topics a small one.

    Attributes:
        texts: all that it was asked for, in order.
        broken: raised by every call, where there is one.
    """

    name = "topics"

    def __init__(self, *, noise: float = 0.15, dim: int = 64) -> None:
        self.texts: list[str] = []
        self.broken: Exception | None = None
        self.dim = dim
        self._noise = noise

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector a text, each of `dim` numbers."""
        if self.broken:
            raise self.broken
        self.texts += texts
        return [self._one(text) for text in texts]

    async def aembed(self, texts: Sequence[str]) -> list[list[float]]:
        """As `embed`."""
        return self.embed(texts)

    def _one(self, text: str) -> list[float]:
        topic = self._direction(next(iter(text.split()), ""))
        return _unit([a + self._noise * b for a, b in zip(topic, self._direction(text), strict=True)])

    def _direction(self, seed: str) -> list[float]:
        draw = random.Random(seed)
        return _unit([draw.gauss(0.0, 1.0) for _ in range(self.dim)])


def _unit(vector: list[float]) -> list[float]:
    norm = math.sqrt(sum(value * value for value in vector))
    return [value / norm for value in vector]
