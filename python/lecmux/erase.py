"""Erasing by a predicate: what it is told of an entry."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from lecmux import _core
from lecmux._envelope import Entry, unseal, unsealed_but_value
from lecmux.errors import ConfigError

__all__ = ["StoredEntry"]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry that may be erased, expired or not.

    Attributes:
        text: of its key.
        scope: the tenant.
        fingerprint: what else changes the answer.
        model: that gave the answer; None for a value put by hand.
        stored_at: when, by the clock of the cache; None for a value put by hand.
        cost: paid for the answer, in the unit of the cache; for a value put by hand what a miss would cost.
        seconds: wall time of the call; 0.0 for a value put by hand.
        size_bytes: it is charged for.
        hit_id: as a `Decision` names it.
    """

    text: str
    scope: str
    fingerprint: str
    model: str | None
    stored_at: float | None
    cost: float
    seconds: float
    size_bytes: int
    hit_id: str
    _kept: object = field(repr=False, compare=False)

    @property
    def value(self) -> Any:
        """The answer as it is stored; decoded each time where it is neither str nor bytes."""
        return unseal(self._kept.data).value if isinstance(self._kept, _core.Encoded) else self._kept

    def _remove(self, store: _core.Store) -> bool:
        """Removes it, unless it was stored anew."""
        return _core.erase_entry(store, self.text, self.scope, self.fingerprint, self._kept)


def chosen(store: _core.Store, predicate: Callable[[StoredEntry], bool]) -> list[StoredEntry]:
    """The entries of which `predicate` says True.

    Raises:
        ConfigError: it says neither True nor False: a coroutine, taken for True, would erase everything.
    """
    if not callable(predicate):
        raise ConfigError(f"predicate must be a function of a StoredEntry, not {predicate!r}")
    found = []
    for (text, scope, fingerprint), hit_id, kept, miss_cost, size_bytes in _core.held_entries(store):
        about = unsealed_but_value(kept.data) if isinstance(kept, _core.Encoded) else Entry(None)
        cost = miss_cost if about.stored_at is None else about.cost
        known = (about.model, about.stored_at, cost, about.seconds, size_bytes, hit_id)
        entry = StoredEntry(text, scope, fingerprint, *known, kept)
        word: object = predicate(entry)
        if not isinstance(word, bool):
            if isinstance(word, Coroutine):
                word.close()
            raise ConfigError(f"predicate must return True or False, not {word!r}")
        if word:
            found.append(entry)
    return found
