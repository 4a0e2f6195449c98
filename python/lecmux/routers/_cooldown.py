"""Models that fail rest: three failures in a row, and a model is left alone for 5 s, doubling to 60 s."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lecmux import _fork

_FAILURES = 3
_FIRST_SECONDS = 5.0
_LONGEST_SECONDS = 60.0


@dataclass(slots=True)
class _Streak:
    """Failures in a row. `until` is when the rest ends; meaningless while `seconds` is 0.0."""

    failures: int = 0
    seconds: float = 0.0
    until: float = 0.0


class Cooldown:
    """Which models of one router rest. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._streaks: dict[str, _Streak] = {}
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def calm(self) -> bool:
        """Nothing has failed since it last worked: the usual case, at no cost."""
        return not self._streaks

    def failed(self, model: str, now: float, *, rest_seconds: float | None = None) -> int:
        """Notes a failure; returns how many there were in a row.

        Args:
            model: that failed.
            now: time of the failure.
            rest_seconds: how long the model itself asks to be left alone, whatever was before.
        """
        with self._lock:
            streak = self._streaks.setdefault(model, _Streak())
            streak.failures += 1
            if streak.failures >= _FAILURES:
                streak.seconds = min(streak.seconds * 2 or _FIRST_SECONDS, _LONGEST_SECONDS)
            if rest_seconds is not None:
                streak.seconds = max(streak.seconds, min(rest_seconds, _LONGEST_SECONDS))
            streak.until = now + streak.seconds
            return streak.failures

    def worked(self, model: str) -> None:
        """Notes an answer: what was is forgotten."""
        if self._streaks:
            with self._lock:
                self._streaks.pop(model, None)

    def asked(self, model: str, now: float) -> None:
        """A call is on its way. The first after a rest is a probe: others keep off until it has told."""
        if self._streaks:
            with self._lock:
                streak = self._streaks.get(model)
                if streak and streak.seconds and now >= streak.until:
                    streak.until = now + streak.seconds

    def rested(self, models: Sequence[str], now: float) -> list[str]:
        """Those of `models` that may be asked; where all rest, the least bad of them."""
        with self._lock:
            awake = [model for model in models if self._awake(model, now)]
            if awake or not models:
                return awake
            return [
                min(models, key=lambda model: (self._streaks[model].failures, self._streaks[model].until))
            ]

    def _awake(self, model: str, now: float) -> bool:
        streak = self._streaks.get(model)
        return streak is None or not streak.seconds or now >= streak.until
