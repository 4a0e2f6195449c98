"""The semantic decision on labelled pairs, each judged alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from lecmux import _core
from lecmux.embedders import Embedder
from lecmux.errors import ConfigError

__all__ = ["PairsEvaluation", "evaluate_pairs"]


@dataclass(frozen=True, slots=True)
class PairsEvaluation:
    """What was served."""

    max_error: float
    embedder: str
    hits: int
    """Pairs whose answer may be reused."""
    served_hits: int
    misses: int
    """Pairs whose answer must not be reused."""
    served_misses: int
    unlabelled: int
    """Pairs that are neither; judged by nobody."""
    refused: dict[str, int]
    """Pairs by the facet that forbade a hit."""

    @property
    def recall(self) -> float | None:
        """Share served of the pairs whose answer may be reused; None without such pairs."""
        return self.served_hits / self.hits if self.hits else None

    @property
    def false_reuse(self) -> float | None:
        """Share served of the pairs whose answer must not be reused; None without such pairs."""
        return self.served_misses / self.misses if self.misses else None


def evaluate_pairs(
    cached: Sequence[str],
    queries: Sequence[str],
    labels: Sequence[bool | None],
    *,
    embedder: Embedder,
    max_error: float,
) -> PairsEvaluation:
    """Judges whether each cached text's answer would be served for its query, nothing else being known.

    Args:
        cached: Texts whose answers are stored.
        queries: What is asked, one a cached text.
        labels: Whether the answer may be reused; None: not said.
        embedder: Embeds the texts.
        max_error: Wrong hits that are tolerable, as a share.

    Raises:
        ConfigError: when they are not as many, or `max_error` is out of [0, 0.5].
    """
    if not len(cached) == len(queries) == len(labels) or not cached:
        raise ConfigError(
            f"{len(cached)} cached texts, {len(queries)} queries and {len(labels)} labels: one each"
        )
    if not 0 <= max_error <= 0.5:  # noqa: PLR2004  as the core has it
        raise ConfigError(f"max_error must lie in [0, 0.5], got {max_error}")
    texts = list(dict.fromkeys([*cached, *queries]))
    rows: Any = memoryview(embedder.embed(texts)).tolist()
    vectors = dict(zip(texts, rows, strict=True))
    served = {True: 0, False: 0}
    refused: dict[str, int] = {}
    for stored, query, label in zip(cached, queries, labels, strict=True):
        if label is None:
            continue
        similarity = sum(map(mul, vectors[stored], vectors[query]))
        serve, _, facet = _core.judge_pair(stored, query, similarity, max_error=max_error)
        served[label] += serve
        if facet:
            refused[facet] = refused.get(facet, 0) + 1
    return PairsEvaluation(
        max_error,
        embedder.name,
        labels.count(True),
        served[True],
        labels.count(False),
        served[False],
        labels.count(None),
        dict(sorted(refused.items())),
    )
