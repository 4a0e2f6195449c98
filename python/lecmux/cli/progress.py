"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from lecmux.models import Progress as DownloadProgress

_TENTHS = 10


@contextmanager
def download_progress(name: str) -> Iterator[DownloadProgress]:
    """What `lecmux.models.pull` reports to, shown while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(name)
        return
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), DownloadColumn()),
        *(TransferSpeedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def report(done_bytes: int, total_bytes: int, what: str) -> None:
            bar.update(task, completed=done_bytes, total=total_bytes, description=f"{name} from {what}")

        yield report


class _Lines:
    """One line a source and a tenth."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = ("", -1)

    def __call__(self, done_bytes: int, total_bytes: int, what: str) -> None:
        now = (what, _TENTHS * done_bytes // max(total_bytes, 1))
        if now != self._last:
            self._last = now
            print(f"{self._name}: {now[1] * _TENTHS} % ({what})", file=sys.stderr)


@contextmanager
def steps(name: str) -> Iterator[Callable[[int, int], None]]:
    """What takes (done, total) after each piece of work, shown while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = _Lines(name)
        yield lambda done, total: lines(done, total, f"{done} of {total}")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
