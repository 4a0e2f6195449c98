"""The stream of requests: Zipf's law over the questions, ranks dealt by the seed, in words that differ."""

import random

__all__ = ["deal"]


def deal(seed: int, *, questions: int, requests: int, wordings: int = 1) -> list[int]:
    """Places in the list of all wordings, `requests` of them.

    Those of question i begin at i times `wordings`. The question of rank r comes with a chance proportional
    to 1 / r, and all its wordings alike.
    """
    dice = random.Random(seed)
    ranked = dice.sample(range(questions), questions)
    asked = dice.choices(ranked, weights=[1 / rank for rank in range(1, questions + 1)], k=requests)
    worded = random.Random(f"wordings {seed}").choices(range(wordings), k=requests)
    return [question * wordings + wording for question, wording in zip(asked, worded, strict=True)]
