"""Small parts of a cache: counters, and the stop-watch between a miss and the answer that follows it."""

import asyncio
import os
import threading
import time
from collections import defaultdict
from typing import Final, NamedTuple
from weakref import WeakSet

from lecmux.flow import Core
from lecmux.query import Key

_MAX_WATCHES: Final = 4096
_counters: "WeakSet[Counters]" = WeakSet()


class Counters:
    """Named counters, exact under threads, usable in a forked child."""

    def __init__(self) -> None:
        self._values: defaultdict[str, int] = defaultdict(int)
        self._renew()
        _counters.add(self)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Counts one."""
        with self._lock:
            self._values[name] += 1

    def __getitem__(self, name: str) -> int:
        return self._values.get(name, 0)


def _in_child() -> None:
    # Another thread of the parent may have held a lock that nobody here will ever release.
    for counters in list(_counters):
        counters._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


class Miss(NamedTuple):
    """A lookup that found nothing: when, and what was alike."""

    at: float
    core: Core | None


class StopWatches:
    """Seconds from a miss to the update of the same key by the same thread or task.

    LangChain tells a cache nothing about a call but these two moments. No lock: every step is one atomic
    operation on a dictionary. Watches of calls that failed are dropped oldest first.
    """

    def __init__(self) -> None:
        self._started: dict[tuple[Key, int], Miss] = {}

    def start(self, key: Key, core: Core | None = None) -> None:
        """A lookup of `key` missed; `core` holds what was found that is alike."""
        self._started[(key, _caller())] = Miss(time.perf_counter(), core)
        if len(self._started) > _MAX_WATCHES:
            try:
                self._started.pop(next(iter(self._started)), None)
            except (
                RuntimeError,
                StopIteration,
            ):  # another thread changed it meanwhile; the next start drops one
                return

    def stop(self, key: Key) -> tuple[float | None, Core | None]:
        """Seconds since the miss, None when nobody saw one, and what was found that is alike."""
        miss = self._started.pop((key, _caller()), None)
        return (None, None) if miss is None else (time.perf_counter() - miss.at, miss.core)


def _caller() -> int:
    """The running task where there is one, else the thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident() if task is None else id(task)
