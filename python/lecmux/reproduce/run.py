"""Runs experiments: one task a seed, over the cores, with progress."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol, TypeVar

from lecmux.errors import ConfigError
from lecmux.reproduce.results import Results

__all__ = ["Experiment", "Progress", "over_seeds", "silent"]

_Found = TypeVar("_Found")


Progress = Callable[[int, int], None]
"""Called after each piece of work with how many are done, and of how many."""


def silent(done: int, total: int) -> None:
    """Shows no progress."""


class Experiment(Protocol):
    """A question, with streams and policies that answer it."""

    @property
    def name(self) -> str:
        """What `lecmux reproduce` calls it."""

    @property
    def seeds(self) -> int:
        """How many streams of each law it takes unless told otherwise."""

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Answers it on the seeds 0..seeds-1; the same seeds give the same results."""


def over_seeds(
    task: Callable[[int], _Found], seeds: int | Iterable[int], progress: Progress = silent
) -> list[_Found]:
    """What `task` finds for each seed, in the order of the seeds.

    A replay releases the interpreter, so that threads use all cores.

    Args:
        task: takes a seed.
        seeds: how many, from 0 on, or which.
        progress: called in the caller's thread.

    Raises:
        ConfigError: there is no seed.
    """
    which = list(range(seeds) if isinstance(seeds, int) else seeds)
    if not which:
        raise ConfigError("an experiment needs at least one seed")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [pool.submit(task, seed) for seed in which]
        try:
            for done, finished in enumerate(as_completed(tasks), start=1):
                finished.result()
                progress(done, len(which))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [finished.result() for finished in tasks]
