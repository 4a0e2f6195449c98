"""Where generations run: each on a thread of its own, or some at a time while the others wait in a queue."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from lecmux._fork import renew
from lecmux.errors import QueueFullError

_LOGGER = logging.getLogger("lecmux")


class Job:
    """One piece of work, waited for like a thread.

    Args:
        name: of the model it works for.
        work: what is done, once.
        stop: set by whoever wants it no longer; `work` looks at it.
        abandon: called instead of `work` if that never runs.
    """

    def __init__(
        self, name: str, work: Callable[[], None], stop: threading.Event, abandon: Callable[[], None]
    ) -> None:
        self.name = name
        self.work = work
        self.stop = stop
        self.abandon = abandon
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Does the work, or abandons it where nobody wants it any more."""
        self._thread = threading.current_thread()
        if not threading.main_thread().is_alive():  # the program ends and waits for this thread
            self.stop.set()
        try:
            (self.abandon if self.stop.is_set() else self.work)()
        finally:
            self.end()

    def end(self) -> None:
        """Lets those go on who wait for it, and frees what it holds."""
        self.work = self.abandon = _nothing
        self._ended.set()

    def join(self, timeout_seconds: float | None = None) -> None:
        """Waits for its end; returns at once on the thread that runs it."""
        if self._thread is not threading.current_thread():
            self._ended.wait(timeout_seconds)

    def is_alive(self) -> bool:
        """Whether it waits or runs."""
        return not self._ended.is_set()


class Runner(Protocol):
    """Where jobs run."""

    def submit(self, job: Job) -> None:
        """Sees to it that the job runs, or raises."""

    def withdraw(self, job: Job) -> None:
        """Stops the job, and takes it back if it has not begun."""


class _OwnThread:
    """Runs each job at once, on a thread of its own."""

    def submit(self, job: Job) -> None:
        threading.Thread(target=job.run, name=f"lecmux-{job.name}").start()

    def withdraw(self, job: Job) -> None:
        job.stop.set()


OWN_THREAD = _OwnThread()


class Jobs:
    """Runs jobs in the order they came, so many at a time.

    A thread ends when nothing waits, so none is left over at the end of the program or after a fork, and an
    idle model costs none.

    Args:
        name: of the threads, and in errors.
        at_most: how many jobs may wait beside those that run; None sets no bound.
        at_once: how many run at a time.
    """

    def __init__(self, name: str, at_most: int | None, *, at_once: int = 1) -> None:
        self._name = name
        self._at_most = at_most
        self._at_once = at_once
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._lock = threading.Lock()
        renew(self)

    def submit(self, job: Job) -> None:
        """Puts a job at the end of the queue.

        Raises:
            QueueFullError: as many jobs wait already as may, each of them still wanted.
        """
        unwanted: list[Job] = []
        with self._lock:
            starts = len(self._running) < self._at_once
            if starts:
                self._running.append(job)
            elif self._full:
                unwanted = self._take_stopped()
            full = not starts and self._full
            if not starts and not full:
                self._waiting.append(job)
        if starts:
            self._start(job)
        for each in unwanted:
            _drop(each)
        if full:
            raise QueueFullError(
                f"{self._name} answers one call at a time and {self._at_most:,} wait already; try again "
                "later, send fewer at once, or load it with a larger queue_size"
            )

    def withdraw(self, job: Job) -> None:
        """Takes a job out of the queue if it has not begun; one that runs is stopped by its own event."""
        job.stop.set()
        with self._lock:
            found = job in self._waiting
            if found:
                self._waiting.remove(job)
        if found:
            _drop(job)

    def stop_all(self) -> list[Job]:
        """Withdraws what waits and asks what runs to stop; returns what runs, to be waited for."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
            running = list(self._running)
        for job in waiting:
            job.stop.set()
            _drop(job)
        for job in running:
            job.stop.set()
        return running

    @property
    def _full(self) -> bool:
        return self._at_most is not None and len(self._waiting) >= self._at_most

    def _start(self, job: Job) -> None:
        thread = threading.Thread(target=self._work, args=(job,), name=f"lecmux-{self._name}")
        try:
            thread.start()
        except BaseException:  # no thread to be had: leave the queue as it was
            with self._lock:
                self._running.remove(job)
            raise

    def _work(self, first: Job) -> None:
        job: Job | None = first
        while job is not None:
            try:
                job.run()
            except Exception:  # a defect: work hands its errors to its reader; the next job runs all the same
                _LOGGER.exception("a generation of %s failed", self._name)
            job = self._next(job)

    def _next(self, ended: Job) -> Job | None:
        with self._lock:
            self._running.remove(ended)
            if not self._waiting:
                return None
            job = self._waiting.popleft()
            self._running.append(job)
        return job

    def _take_stopped(self) -> list[Job]:
        stopped = [job for job in self._waiting if job.stop.is_set()]
        self._waiting = deque(job for job in self._waiting if not job.stop.is_set())
        return stopped

    def _after_fork(self) -> None:
        """The threads stayed behind in the parent, and so did their work."""
        self._lock = threading.Lock()
        self._waiting = deque()
        self._running = []


def _drop(job: Job) -> None:
    job.abandon()
    job.end()


def _nothing() -> None:
    """What an ended job does."""
