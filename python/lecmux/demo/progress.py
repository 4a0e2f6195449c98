"""What the demo shows while it works: a bar on a terminal, a line a tenth elsewhere; always on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

__all__ = ["Progress", "Step"]

_TENTHS = 10


class Step(Protocol):
    """Called after each unit of work, with what to show beside the bar."""

    def __call__(self, note: str = "") -> None:
        """One more is done."""


class Progress:
    """Opens a phase at a time."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)

    @contextmanager
    def phase(self, title: str, total: int) -> Iterator[Step]:
        """Shows progress while the block runs."""
        if not self._console.is_terminal:
            yield _Lines(title, total)
            return
        columns = (
            *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
            TextColumn("{task.fields[note]}"),
        )
        with Bar(*columns, console=self._console) as bar:
            task = bar.add_task(title, total=total, note="")

            def step(note: str = "") -> None:
                bar.update(task, advance=1, note=note)

            yield step


class _Lines:
    """A line a tenth of the way."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0

    def __call__(self, note: str = "") -> None:
        before, self._done = self._done, self._done + 1
        if _TENTHS * before // self._total != _TENTHS * self._done // self._total:
            print(f"{self._title}: {self._done}/{self._total} {note}".rstrip(), file=sys.stderr, flush=True)
