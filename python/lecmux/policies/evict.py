"""Eviction policies: who leaves when the byte budget is full.

Each is a frozen record of settings; the algorithm runs in the core.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lecmux.errors import ConfigError
from lecmux.policies._check import fraction, positive
from lecmux.policies.scored import Scored

__all__ = ["Eviction", "Gdsf", "HalfLife", "Lec", "Lfu", "Lru", "S3Fifo", "SelfTuned", "eviction_from_spec"]


@dataclass(frozen=True, slots=True)
class SelfTuned:
    """Decay chosen online: shadow caches with several half-lives compete on a sample of the keys."""


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Counts lose half their weight in this many requests."""

    requests: float

    def __post_init__(self) -> None:
        positive("HalfLife.requests", self.requests)


@dataclass(frozen=True, slots=True)
class Lec:
    """Least expected cost: keeps what has the highest count x (cost of a miss - cost of a hit) / bytes.

    Attributes:
        decay: how old requests fade; None counts for ever.
        rescore: scores every entry at each decision, O(n), instead of at its last touch.
        bypass: a newcomer worth less than every entry is not stored; one worth as much as the lowest is
            stored under `ValueOfInformation` and not under the other estimators.
    """

    decay: SelfTuned | HalfLife | None = SelfTuned()
    rescore: bool = False
    bypass: bool = True

    def _spec(self) -> dict[str, Any]:
        decay: str | float | None = None
        if self.decay is not None:
            decay = self.decay.requests if isinstance(self.decay, HalfLife) else "self_tuned"
        return {"policy": "lec", "decay": decay, "rescore": self.rescore, "bypass": self.bypass}


@dataclass(frozen=True, slots=True)
class Gdsf:
    """Greedy dual size frequency: age + count x cost / bytes; the age rises with each victim.

    Attributes:
        keep_counts: remembers the counts of entries that left.
        bypass: a newcomer that would be the next victim is not stored.
    """

    keep_counts: bool = True
    bypass: bool = False

    def _spec(self) -> dict[str, Any]:
        return {"policy": "gdsf", "keep_counts": self.keep_counts, "bypass": self.bypass}


@dataclass(frozen=True, slots=True)
class Lfu:
    """Least frequently used, counts remembered. With `bypass` only a higher count replaces."""

    bypass: bool = True

    def _spec(self) -> dict[str, Any]:
        return {"policy": "lfu", "bypass": self.bypass}


@dataclass(frozen=True, slots=True)
class Lru:
    """Least recently used."""

    def _spec(self) -> dict[str, Any]:
        return {"policy": "lru"}


@dataclass(frozen=True, slots=True)
class S3Fifo:
    """Three queues, first in first out: newcomers prove themselves in a small one of `small_share` bytes."""

    small_share: float = 0.1

    def __post_init__(self) -> None:
        fraction("S3Fifo.small_share", self.small_share)

    def _spec(self) -> dict[str, Any]:
        return {"policy": "s3_fifo", "small_share": self.small_share}


Eviction = Lec | Gdsf | Lfu | Lru | S3Fifo | Scored
"""What `Cache(evict=)` takes."""


def eviction_from_spec(spec: Mapping[str, Any]) -> Eviction:
    """The policy that `_spec` described; a snapshot keeps its settings so.

    A function is not kept: for `Scored` this is the policy that decides where the function says nothing.

    Raises:
        ConfigError: when `spec` describes no policy of this version.
    """
    settings = dict(spec)
    kind = settings.pop("policy", None)
    try:
        if kind == "lec":
            decay = settings.pop("decay")
            return Lec(decay=_decay_from_spec(decay), **settings)
        if kind == "given":
            return Lec(decay=None, **settings)
        known: dict[Any, type[Gdsf] | type[Lfu] | type[Lru] | type[S3Fifo]]
        known = {"gdsf": Gdsf, "lfu": Lfu, "lru": Lru, "s3_fifo": S3Fifo}
        return known[kind](**settings)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"no eviction policy of this version: {dict(spec)!r}") from error


def _decay_from_spec(decay: str | float | None) -> SelfTuned | HalfLife | None:
    if decay is None:
        return None
    return SelfTuned() if decay == "self_tuned" else HalfLife(float(decay))
