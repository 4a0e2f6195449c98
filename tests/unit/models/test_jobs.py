"""One job after the other, a bounded number waiting, and every way for one to end."""

import threading
from collections.abc import Callable

import pytest

from lecmux.errors import ModelBusyError, QueueFullError
from lecmux.models._jobs import OWN_THREAD, Job, Jobs


class Held:
    """A job that runs until it is let go, and what became of it."""

    def __init__(self, name: str = "small") -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.fate = ""
        self.job = Job(name, self._work, threading.Event(), self._abandon)

    def _work(self) -> None:
        self.begun.set()
        self.let_go.wait(30)
        self.fate = "worked"

    def _abandon(self) -> None:
        self.fate = "abandoned"


def _job(work: Callable[[], None]) -> Job:
    return Job("small", work, threading.Event(), lambda: None)


def test_jobs_run_one_after_the_other_in_their_order() -> None:
    jobs, order, at_once, most = Jobs("small", 20), [], [0], [0]

    def work(number: int) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        order.append(number)
        at_once[0] -= 1

    first = Held()
    jobs.submit(first.job)
    waiting = [_job(lambda number=number: work(number)) for number in range(20)]  # type: ignore[misc]
    for job in waiting:
        jobs.submit(job)
    first.let_go.set()
    for job in waiting:
        job.join(30)

    assert order == list(range(20))
    assert most == [1]


def test_a_full_queue_refuses_and_says_what_to_do() -> None:
    jobs, running, waiting = Jobs("small", 1), Held(), Held()
    jobs.submit(running.job)
    jobs.submit(waiting.job)

    with pytest.raises(
        QueueFullError, match=r"small answers one call at a time and 1 wait.*queue_size"
    ) as caught:
        jobs.submit(Held().job)

    assert isinstance(caught.value, ModelBusyError)
    running.let_go.set()
    waiting.let_go.set()
    waiting.job.join(30)
    assert (running.fate, waiting.fate) == ("worked", "worked")


def test_a_place_that_nobody_wants_any_more_is_free() -> None:
    jobs, running, unwanted, wanted = Jobs("small", 1), Held(), Held(), Held()
    jobs.submit(running.job)
    jobs.submit(unwanted.job)
    unwanted.job.stop.set()

    jobs.submit(wanted.job)

    assert unwanted.fate == "abandoned"
    running.let_go.set()
    wanted.let_go.set()
    wanted.job.join(30)
    assert wanted.fate == "worked"


def test_withdrawing_one_that_waits_ends_it_at_once() -> None:
    jobs, running, waiting = Jobs("small", 5), Held(), Held()
    jobs.submit(running.job)
    jobs.submit(waiting.job)

    jobs.withdraw(waiting.job)

    assert not waiting.job.is_alive()
    assert waiting.fate == "abandoned"
    assert running.job.is_alive()
    running.let_go.set()
    running.job.join(30)


def test_withdrawing_one_that_runs_asks_it_to_stop() -> None:
    jobs, running = Jobs("small", 5), Held()
    jobs.submit(running.job)
    running.begun.wait(30)

    jobs.withdraw(running.job)

    assert running.job.stop.is_set()
    assert running.job.is_alive()
    running.let_go.set()
    running.job.join(30)


def test_stopping_all_drops_what_waits_and_returns_what_runs() -> None:
    jobs, running, waiting = Jobs("small", 5), Held(), Held()
    jobs.submit(running.job)
    jobs.submit(waiting.job)

    left = jobs.stop_all()

    assert left == [running.job]
    assert waiting.fate == "abandoned"
    running.let_go.set()
    running.job.join(30)
    assert jobs.stop_all() == []


def test_the_thread_ends_when_nothing_waits_and_the_next_job_gets_another() -> None:
    jobs, threads = Jobs("idle", 5), []
    for _ in range(2):
        job = _job(lambda: threads.append(threading.current_thread()))
        jobs.submit(job)
        job.join(30)
        threads[-1].join(30)

    assert [thread.is_alive() for thread in threads] == [False, False]
    assert threads[0].name == "lecmux-idle"


def test_a_job_that_raises_does_not_hold_up_the_next(caplog: pytest.LogCaptureFixture) -> None:
    jobs, running = Jobs("small", 5), Held()
    jobs.submit(running.job)

    def fail() -> None:
        raise RuntimeError("on purpose")

    failing, after = _job(fail), Held()
    jobs.submit(failing)
    jobs.submit(after.job)
    for held in (running, after):
        held.let_go.set()

    after.job.join(30)
    assert not failing.is_alive()
    assert "on purpose" in caplog.text
    assert after.fate == "worked"


def test_many_threads_submit_and_withdraw() -> None:
    jobs, done, refused = Jobs("small", 3), [], []

    def use() -> None:
        for _ in range(50):
            job = _job(lambda: done.append(1))
            try:
                jobs.submit(job)
            except QueueFullError:
                refused.append(1)
                continue
            jobs.withdraw(job)
            job.join(30)
            assert not job.is_alive()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(done) + len(refused) <= 400
    last = _job(lambda: done.append(2))
    jobs.submit(last)
    last.join(30)
    assert done[-1] == 2


def test_a_thread_of_its_own_runs_at_once() -> None:
    both = Held(), Held()
    for held in both:
        OWN_THREAD.submit(held.job)

    assert all(held.begun.wait(30) for held in both)
    for held in both:
        OWN_THREAD.withdraw(held.job)
        assert held.job.stop.is_set()
        held.let_go.set()
        held.job.join(30)
