"""Eviction by a score of your own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from lecmux.errors import ConfigError
from lecmux.query import Key

__all__ = ["EntryView", "ScoreHook", "Scored"]


@dataclass(frozen=True, slots=True)
class EntryView:
    """What is known of an entry when it is scored.

    Attributes:
        key: text, scope and fingerprint.
        count: requests for it so far, at least this one.
        cost: of a miss, in the unit of the cache; None where nobody said.
        size_bytes: it is charged for, its key and overhead included.
        age_seconds: since the answer was made; 0.0 while it is put, None later for a value put by hand.
        ttl_seconds: time left to live; None for ever.
        hit_cost: price of serving it: of the error it is known to hold.
        model: that gave the answer; None for a value put by hand.
    """

    key: Key
    count: float
    cost: float | None
    size_bytes: int
    age_seconds: float | None = None
    ttl_seconds: float | None = None
    hit_cost: float = 0.0
    model: str | None = None

    @property
    def scope(self) -> str:
        """The tenant."""
        return self.key.scope

    @property
    def saving_per_byte(self) -> float | None:
        """The score of `Lec` for a certain cost: count x (cost - hit_cost) / size_bytes; None without one."""
        if self.cost is None:
            return None
        return self.count * max(0.0, self.cost - self.hit_cost) / self.size_bytes


@runtime_checkable
class ScoreHook(Protocol):
    """Says how much an entry is worth keeping."""

    def score(self, entry: EntryView, /) -> float | None:
        """Any finite number, below 0 too; the lowest leaves first. None leaves it to the score of `Lec`."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """The lowest score leaves first, and the score is yours.

    `score` is asked while an entry is put, when the cost or quality of its answer is learnt later, and for
    each entry that comes back from a file: never while an entry is evicted, and with no lock held. So a score
    stays as it is while its entry is asked for.

    `score` is a hook, under the rules of `lecmux.hooks`: where it returns None, fails, or is switched off,
    the entry has the score of `Lec`, which rises with each request. Scores that agree in their first 50 bits
    are equal. Requests do not fade with time under this policy.

    Attributes:
        score: an object with `score(entry)`, or a callable of the same shape; not async.
        bypass: a newcomer whose score is no higher than the lowest is not stored.
    """

    score: ScoreHook | Callable[[EntryView], float | None]
    bypass: bool = True

    def __post_init__(self) -> None:
        from lecmux._asked_hook import ways_into  # noqa: PLC0415  hooks are checked by what imports this

        way = ways_into(self.score, "score")
        if way is None:
            raise ConfigError("Scored takes a callable or an object with score(entry), not None")
        if way.plain is None:
            raise ConfigError(
                "a score is asked for inside of put: it must not be async; Threaded(...) takes it"
            )

    def _spec(self) -> dict[str, Any]:
        return {"policy": "given", "bypass": self.bypass}
