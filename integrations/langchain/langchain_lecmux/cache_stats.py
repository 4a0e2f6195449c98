"""What a `LECCache` counts."""

from dataclasses import dataclass
from typing import Final

from lecmux import Stats

__all__ = ["COUNTED", "LECCacheStats"]


@dataclass(frozen=True, slots=True)
class LECCacheStats:
    """What one `LECCache` did since it was made. What a `ChatRouter` stored is counted in `store` alone.

    Attributes:
        hits: lookups that were answered, those of a `ChatRouter` too.
        misses: lookups that found nothing to serve, likewise.
        stored: answers kept.
        bypassed: answers worth less than what they would have displaced.
        refused: answers that were truncated, refused or failed, or that a hook vetoed.
        unserved: lookups the `serve` hook turned away.
        unstable: calls whose model string or prompt holds something without a stable form.
        unstorable: answers outside the closed schema.
        unpriced: answers of models that `prices` does not name, or that count no tokens.
        incidents: troubles contained in the cache and its hooks.
        store: the cache underneath.
    """

    hits: int
    misses: int
    stored: int
    bypassed: int
    refused: int
    unserved: int
    unstable: int
    unstorable: int
    unpriced: int
    incidents: int
    store: Stats


COUNTED: Final = tuple(
    name for name in LECCacheStats.__dataclass_fields__ if name not in {"incidents", "store"}
)
