"""Models behind an endpoint: how many calls are there at once, who waits, and what a full one does."""

import asyncio
import json
import threading
from typing import Any

import pytest

from lecmux.errors import ConfigError, ModelBusyError, ModelClosedError, ModelTimeoutError, QueueFullError
from lecmux.models import Concurrency, Endpoint, OpenAICompatible, Retries, Timeouts
from lecmux.testing import Hang, Refuse, Send

ASK = [{"role": "user", "content": "What is the capital of France?"}]
WAYS = ["chat", "achat", "stream", "astream"]


class Slow:
    """A script that answers when it is told to, and notes how many wait for it at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._here = self.most = 0

    def __call__(self, body: Any) -> str:
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        self.begun.release()
        assert self.go.wait(30)
        with self._lock:
            self._here -= 1
        return "Paris"


@pytest.fixture
def slow(remotes: Any) -> Any:
    script = Slow()
    served = remotes.serve(script)
    served.script = script
    yield served
    script.go.set()


@pytest.mark.parametrize("way", WAYS)
def test_no_more_calls_than_places_are_there_at_once(remotes: Any, slow: Any, way: str) -> None:
    model = remotes.ask(slow, concurrency=Concurrency(at_most=2))
    values: list[Any] = []
    threads = [
        threading.Thread(target=lambda: values.append(remotes.answered(model, way).value)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    assert slow.script.begun.acquire(timeout=30)
    assert slow.script.begun.acquire(timeout=30)
    slow.script.go.set()
    for thread in threads:
        thread.join(30)

    assert values == ["Paris"] * 6
    assert slow.script.most <= 2


async def test_one_more_than_may_wait_is_refused(remotes: Any, slow: Any) -> None:
    model = remotes.ask(slow, concurrency=Concurrency(at_most=1, queue_size=1))
    first = asyncio.create_task(model.achat(ASK))
    await asyncio.to_thread(slow.script.begun.acquire)
    second = asyncio.create_task(model.achat(ASK))
    await asyncio.sleep(0.1)

    with pytest.raises(QueueFullError, match=r"1 calls are at .* and 1 wait already.*Concurrency") as caught:
        await model.achat(ASK)
    slow.script.go.set()

    assert isinstance(caught.value, ModelBusyError)
    assert [(await first).value, (await second).value] == ["Paris", "Paris"]


@pytest.mark.parametrize("way", WAYS)
def test_waiting_for_a_place_is_bounded(remotes: Any, way: str) -> None:
    served = remotes.serve(Hang(2))
    model = remotes.ask(served, concurrency=Concurrency(at_most=1, wait_seconds=0.1))
    with model.stream(ASK) as stream:
        next(stream)

        with pytest.raises(ModelBusyError, match=r"no place at .* within wait_seconds=0\.1"):
            remotes.answered(model, way)

    assert len(served.requests) == 1


def test_the_wait_counts_towards_the_whole_time(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    model = remotes.ask(served, concurrency=Concurrency(at_most=1))
    with model.stream(ASK) as stream:
        next(stream)
        model._remote._total_seconds = 0.2  # a limit of this client's own would end the stream as well

        with pytest.raises(ModelTimeoutError, match="total_seconds"):
            model.chat(ASK)


def test_what_finds_no_place_goes_to_the_next_endpoint(remotes: Any) -> None:
    first, second = remotes.serve(Hang(2)), remotes.serve("Paris")
    model = remotes.ask(first, second, concurrency=Concurrency(at_most=1, queue_size=0))
    with model.stream(ASK) as stream:
        next(stream)

        assert model.chat(ASK).value == "Paris"

    assert (len(first.requests), len(second.requests)) == (1, 1)


def test_a_full_endpoint_is_no_ill_one(remotes: Any) -> None:
    served = remotes.serve(Hang(2), "Paris")
    model = remotes.ask(served, concurrency=Concurrency(at_most=1, queue_size=0))
    with model.stream(ASK) as stream:
        next(stream)
        for _ in range(5):
            with pytest.raises(QueueFullError):
                model.chat(ASK)

    assert model.chat(ASK).value == "Paris"
    assert model._remote._lanes[0].health.admits(0.0)


@pytest.mark.parametrize("end", ["read", "closed", "dropped", "failed"])
def test_every_end_of_a_call_gives_its_place_back(remotes: Any, end: str) -> None:
    line = {"read": "one two", "closed": Hang(2), "dropped": Hang(2), "failed": Refuse(400)}[end]
    model = remotes.ask(remotes.serve(line, "Paris"), concurrency=Concurrency(at_most=1, wait_seconds=20))
    stream = model.stream(ASK)
    if end == "read":
        assert "".join(stream) == "one two"
    elif end == "failed":
        with pytest.raises(Exception, match="400"):
            next(stream)
    else:
        next(stream)
        if end == "closed":
            stream.close()
        del stream

    assert model.chat(ASK).value == "Paris"


async def test_a_waiter_that_is_cancelled_leaves_the_queue(remotes: Any, slow: Any) -> None:
    model = remotes.ask(slow, concurrency=Concurrency(at_most=1, queue_size=1))
    first = asyncio.create_task(model.achat(ASK))
    await asyncio.to_thread(slow.script.begun.acquire)
    second = asyncio.create_task(model.achat(ASK))
    await asyncio.sleep(0.1)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second

    third = asyncio.create_task(model.achat(ASK))
    await asyncio.sleep(0.1)
    slow.script.go.set()

    assert [(await first).value, (await third).value] == ["Paris", "Paris"]
    assert len(slow.requests) == 2


def test_closing_the_model_ends_those_who_wait(remotes: Any) -> None:
    model = remotes.ask(remotes.serve(Hang(2)), concurrency=Concurrency(at_most=1))
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            model.chat(ASK)
        except BaseException as error:
            errors.append(error)

    stream = model.stream(ASK)
    next(stream)
    waiting = threading.Thread(target=ask)
    waiting.start()
    for _ in range(3000):
        if model._remote._lanes[0]._gate._waiting:
            break
        threading.Event().wait(0.01)
    model.close()
    waiting.join(30)

    assert [type(error) for error in errors] == [ModelClosedError]


def test_a_used_up_rate_limit_is_waited_for(remotes: Any) -> None:
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}
    served = remotes.serve(*[_sent(used_up)] * 2)
    model = remotes.ask(served)

    assert [model.chat(ASK).value, model.chat(ASK).value] == ["Paris", "Paris"]
    assert len(served.requests) == 2, "nothing was refused, and nothing was asked twice"


def test_a_rate_limit_that_outlasts_the_call_is_said_at_once(remotes: Any) -> None:
    used_up = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m40s"}
    model = remotes.ask(
        remotes.serve(_sent(used_up)), timeouts=Timeouts(connect_seconds=20, total_seconds=50)
    )
    model.chat(ASK)

    with pytest.raises(ModelBusyError, match="used up its rate limit") as caught:
        model.chat(ASK)

    assert caught.value.retry_after_seconds is not None
    assert 50 < caught.value.retry_after_seconds <= 100


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_endpoint_is_sent_fewer_calls(remotes: Any, status: int) -> None:
    served = remotes.serve(Refuse(status), "Paris")
    model = remotes.ask(served, concurrency=Concurrency(at_most=8), retries=Retries(times=1))
    gate = model._remote._lanes[0]._gate
    gate.limit = 4.0

    model.chat(ASK)

    assert gate.limit < 4.0


def test_each_endpoint_has_places_of_its_own() -> None:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    own = Concurrency(at_most=3)
    model = OpenAICompatible(
        "m",
        base_url="http://a/v1",
        concurrency=Concurrency(at_most=2),
        fallbacks=[Endpoint("http://b/v1", concurrency=own), Endpoint("http://c/v1")],
    )

    assert [each.concurrency.at_most for each in model.endpoints] == [2, 3, 1000]


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": 0},
        {"at_most": 2.5},
        {"at_most": True},
        {"at_most": None},
        {"queue_size": -1},
        {"wait_seconds": -1},
        {"wait_seconds": float("nan")},
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Concurrency(**wrong)


def _sent(headers: dict[str, str]) -> Send:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}
    return Send(json.dumps({"model": "m", "choices": [choice]}).encode(), "application/json", headers=headers)
