"""Texts by topic for `TopicEmbedder`, which no facet tells apart."""

from collections.abc import Iterator
from string import ascii_lowercase

TOPICS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def topic(text: str) -> str:
    """What a model answers: texts of one topic have one answer."""
    return f"about {text.split(maxsplit=1)[0]}"


def wordings(each: int) -> Iterator[str]:
    """So many texts of every topic."""
    for number in range(each):
        for word in TOPICS:
            yield f"{word} {ascii_lowercase[number % 26]}{ascii_lowercase[number // 26]} please"
