"""The stream of requests: Zipf's law over the questions, ranks dealt by the seed."""

import random

__all__ = ["deal"]


def deal(seed: int, *, questions: int, requests: int) -> list[int]:
    """Indices of questions, `requests` of them: rank r comes with a chance proportional to 1 / r."""
    dice = random.Random(seed)
    ranked = dice.sample(range(questions), questions)
    return dice.choices(ranked, weights=[1 / rank for rank in range(1, questions + 1)], k=requests)
