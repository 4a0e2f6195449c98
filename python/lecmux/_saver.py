"""One daemon thread that runs what is due now and then, and everything once more at exit."""

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lecmux import _fork

Save = Callable[[], None]


@dataclass(slots=True)
class _Due:
    """When a save is next due, by the monotonic clock."""

    at: float
    every_seconds: float


class Saver:
    """Runs saves in turn. They must not raise.

    The thread starts with the first save that is added and ends with the last that is removed. A forked child
    inherits none: what was added belongs to the parent.
    """

    def __init__(self) -> None:
        self._renew()
        _fork.renew(self)

    def _renew(self) -> None:
        self._saves: dict[Save, _Due] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    _after_fork = _renew

    def add(self, save: Save, every_seconds: float) -> None:
        """Has `save` run every so many seconds, and at exit."""
        with self._changed:
            self._saves[save] = _Due(time.monotonic() + every_seconds, every_seconds)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lecmux-saver", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def remove(self, save: Save) -> None:
        """Forgets `save`; one that runs at this moment runs to its end."""
        with self._changed:
            self._saves.pop(save, None)
            self._changed.notify_all()

    def finish(self) -> None:
        """Runs every save once, now."""
        with self._changed:
            saves = list(self._saves)
        for save in saves:
            save()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._saves:
                    self._thread = None
                    return
                wait = min(due.at for due in self._saves.values()) - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                now = time.monotonic()
                ready = [(save, due) for save, due in self._saves.items() if due.at <= now]
                for _, due in ready:
                    due.at = now + due.every_seconds
            for save, _ in ready:
                save()


SAVER = Saver()
atexit.register(SAVER.finish)
