"""Models behind an endpoint: what is asked, what is given, and what happens on bad days."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs lecmux[openai]")

from lecmux import Cache, Query, Reply, Usage
from lecmux.errors import (
    ConfigError,
    ModelAccessError,
    ModelBusyError,
    ModelClosedError,
    ModelError,
    ModelNotFoundError,
    ModelReplyError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from lecmux.models import AsyncModel, Cooldown, Endpoint, OpenAICompatible, Retries, Timeouts
from lecmux.testing import Drop, FakeClock, Hang, Refuse, ScriptedEndpoint, Send
from lecmux.testing.endpoint import Line

ASK = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
    ],
}


class Sleeps:
    """Stands in for waiting: notes how long, and lets the clock run."""

    def __init__(self, clock: FakeClock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.advance(seconds)


class Setup:
    """Endpoints that follow scripts and the clients that ask them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sleeps = Sleeps(self.clock)
        self._open: list[Any] = []

    def serve(self, *lines: Line, **settings: Any) -> ScriptedEndpoint:
        endpoint = ScriptedEndpoint(lines, **settings)
        self._open.append(endpoint)
        return endpoint

    def ask(self, *endpoints: ScriptedEndpoint, **settings: Any) -> OpenAICompatible:
        first, *others = endpoints
        made = OpenAICompatible(
            "m",
            base_url=first.base_url,
            fallbacks=[Endpoint(other.base_url) for other in others],
            **{
                "timeouts": Timeouts(connect_seconds=20),
                "clock": self.clock,
                "sleep": self.sleeps,
                "draw": lambda: 0.5,
                **settings,
            },
        )
        self._open.insert(0, made)
        return made

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def setup() -> Iterator[Setup]:
    made = Setup()
    yield made
    made.close()


WAYS = ("chat", "achat", "stream", "astream")


def answered(model: OpenAICompatible, way: str, **settings: Any) -> Reply:
    """The whole reply, come by in one of four ways."""

    async def awaited() -> Reply:
        if way == "achat":
            return await model.achat(ASK, **settings)
        async with model.astream(ASK, **settings) as stream:
            text = "".join([piece async for piece in stream])
        assert stream.reply is not None
        assert text == (stream.reply.value if isinstance(stream.reply.value, str) else "")
        return stream.reply

    if way == "chat":
        return model.chat(ASK, **settings)
    if way in {"achat", "astream"}:
        return asyncio.run(awaited())
    with model.stream(ASK, **settings) as stream:
        text = "".join(stream)
    assert stream.reply is not None
    assert text == (stream.reply.value if isinstance(stream.reply.value, str) else "")
    return stream.reply


# ---------------------------------------------------------------- what is asked and what is given


@pytest.mark.parametrize("way", WAYS)
def test_text_usage_and_the_models_own_name_in_every_way(setup: Setup, way: str) -> None:
    usage = Usage(12, 7, cached_input_tokens=8, reasoning_tokens=3)
    model = setup.ask(setup.serve(Reply("It is Paris.", usage, "stop", "m-2026", "France, so Paris.")))

    reply = answered(model, way)

    assert (reply.value, reply.finish_reason, reply.model) == ("It is Paris.", "stop", "m-2026")
    assert reply.reasoning == "France, so Paris."
    assert reply.usage.seconds > 0
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (12, 7)
    assert (reply.usage.cached_input_tokens, reply.usage.reasoning_tokens) == (8, 3)


@pytest.mark.parametrize("way", WAYS)
def test_tool_calls_in_every_way(setup: Setup, way: str) -> None:
    served = setup.serve(Reply(CALL))

    reply = answered(setup.ask(served), way, tools=[TOOL], body={"tool_choice": "required"})

    assert reply.value == CALL
    assert reply.finish_reason == "tool_calls"
    assert served.requests[0]["tools"] == [TOOL]
    assert served.requests[0]["tool_choice"] == "required"


def test_the_settings_of_a_call_are_sent_and_nothing_else(setup: Setup) -> None:
    served = setup.serve("yes")
    model = setup.ask(served, body={"top_p": 0.5, "temperature": None}, headers={"X-Team": "blue"})

    model.chat(ASK, max_tokens=5, stop=["a", "b"], seed=3, body={"top_p": 0.6})

    assert served.requests == [
        {
            "model": "m",
            "messages": ASK,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 5,
            "stop": ["a", "b"],
            "seed": 3,
            "top_p": 0.6,
        }
    ]
    assert served.headers[0]["X-Team"] == "blue"


def test_an_endpoint_that_does_not_stream_is_understood(setup: Setup) -> None:
    whole = {
        "model": "plain",
        "choices": [{"message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    model = setup.ask(setup.serve(Send(json.dumps(whole).encode(), "application/json")))

    assert list(model.stream(ASK)) == ["Paris"]
    assert model.chat(ASK).usage.input_tokens == 3


def test_calls_that_come_whole_and_without_a_count_stay_apart(setup: Setup) -> None:
    deltas: list[dict[str, Any]] = [
        {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]},
    ]
    chunks = [{"choices": [{"delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    body = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)

    reply = setup.ask(setup.serve(Send(body))).chat(ASK, tools=[TOOL])

    assert [call["function"]["name"] for call in reply.value["tool_calls"]] == ["f", "g"]


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_answer_is_given_and_marked(setup: Setup, way: str) -> None:
    reply = answered(setup.ask(setup.serve("")), way)

    assert (reply.value, reply.finish_reason) == ("", "empty")


def test_an_empty_answer_is_not_stored(setup: Setup) -> None:
    served = setup.serve("", "Paris")
    model = setup.ask(served)
    cache = Cache(1_000_000)

    answers = [cache.answer("q", models={"m": model}) for _ in range(3)]

    assert [answer.value for answer in answers] == ["", "Paris", "Paris"]
    assert len(served.requests) == 2


async def test_it_serves_an_async_cache(setup: Setup) -> None:
    model = setup.ask(setup.serve("Paris"))

    reply = await model.acall(Query("q", attributes={"chat": {"max_tokens": 3}}))

    assert reply.value == "Paris"
    assert isinstance(model, AsyncModel)


# ---------------------------------------------------------------- bad days: typed errors with a next step

HELLO = b'data: {"choices": [{"delta": {"content": "He"}}]}\n\n'

REFUSALS: list[tuple[Line, type[ModelError], str]] = [
    (Refuse(401, "who are you"), ModelAccessError, "wants an api_key"),
    (Refuse(403, "not you"), ModelAccessError, "not you"),
    (Refuse(404, "no model 'm'"), ModelNotFoundError, "serve a model 'm'"),
    (Refuse(400, "too many tokens: 9000"), ModelRequestError, "too many tokens: 9000"),
    (Refuse(422, "no such field"), ModelRequestError, "must be changed"),
    (Refuse(429, "spent", "insufficient_quota"), ModelAccessError, "credit"),
    (Refuse(302, headers={"Location": "http://169.254.169.254/"}), ModelReplyError, "redirects to"),
]


def _status(each: Any) -> str:
    return str(getattr(each, "status", ""))


NO_ANSWERS: list[tuple[Line, str]] = [
    (Send(b"<html>It works!</html>", "text/html"), "text/html"),
    (Send(b"", "text/plain"), "nothing in it"),
    (Send(b"{not json", "application/json"), "cannot be read"),
    (Send(b'"a string"', "application/json"), "no chat completion"),
    (Send(b"data: {not json\n\n"), "cannot be read"),
    (Send(b"data: [1, 2]\n\n"), "no chat completion"),
    (Send(b'data: {"choices": 7}\n\n'), "no chat completion"),
    (Send(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "no chat completion"),
    (Send(b"data: \xff\xfe\n\n"), "cannot be read"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("line", "kind", "hint"), REFUSALS, ids=lambda each: str(getattr(each, "status", ""))
)
def test_what_would_be_refused_again_is_asked_once(
    setup: Setup, way: str, line: Line, kind: type[ModelError], hint: str
) -> None:
    served = setup.serve(line)

    with pytest.raises(kind, match=hint):
        answered(setup.ask(served), way)

    assert len(served.requests) == 1
    assert setup.sleeps.seconds == []


@pytest.mark.parametrize("way", ["chat", "astream"])
@pytest.mark.parametrize(("line", "hint"), NO_ANSWERS, ids=lambda each: repr(getattr(each, "body", ""))[:40])
def test_what_is_no_answer_is_a_typed_error(setup: Setup, way: str, line: Line, hint: str) -> None:
    with pytest.raises(ModelReplyError, match=hint):
        answered(setup.ask(setup.serve(line)), way)


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_is_not_there(setup: Setup, way: str) -> None:
    gone = ScriptedEndpoint(["never"])
    gone.close()

    with pytest.raises(ModelUnavailableError, match="does the server run"):
        answered(setup.ask(gone), way)

    assert len(setup.sleeps.seconds) == 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(setup: Setup, way: str, status: int) -> None:
    served = setup.serve(Refuse(status), Refuse(status), "Paris")

    assert answered(setup.ask(served), way).value == "Paris"
    assert len(served.requests) == 3
    assert setup.sleeps.seconds == [0.25, 0.5]  # half of what may be drawn, which doubles


@pytest.mark.parametrize("way", WAYS)
def test_after_two_retries_the_error_is_raised(setup: Setup, way: str) -> None:
    served = setup.serve(Refuse(503, "still down"))

    with pytest.raises(ModelUnavailableError, match="still down"):
        answered(setup.ask(served), way)

    assert len(served.requests) == 3


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "3600"}, 120.0),
        ({"Retry-After": "soon"}, 0.25),
        ({"Retry-After": "-5"}, 0.25),
        ({"Retry-After": "nan"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
    ids=str,
)
def test_retry_after_is_obeyed(setup: Setup, headers: Mapping[str, str], waited: float) -> None:
    served = setup.serve(Refuse(429, headers=headers), "Paris")

    assert setup.ask(served).chat(ASK).value == "Paris"
    assert setup.sleeps.seconds == [waited]


def test_a_wait_longer_than_the_call_may_take_is_not_begun(setup: Setup) -> None:
    served = setup.serve(Refuse(429, headers={"Retry-After": "60"}))
    model = setup.ask(served, timeouts=Timeouts(connect_seconds=20, total_seconds=30))

    with pytest.raises(ModelBusyError, match="again in 60 s") as caught:
        model.chat(ASK)

    assert caught.value.retry_after_seconds == 60
    assert setup.sleeps.seconds == []


def test_retries_stop_when_their_budget_is_spent(setup: Setup) -> None:
    served = setup.serve(Refuse(500))
    model = setup.ask(served, retries=Retries(times=1, burst=2))

    for _ in range(12):
        with pytest.raises(ModelUnavailableError):
            model.chat(ASK)

    # Two at once, and one more for ten calls.
    assert len(served.requests) == 12 + 3


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_drops_before_the_first_token_is_tried_again(setup: Setup, way: str) -> None:
    served = setup.serve(Drop(), Drop(0), "Paris")

    assert answered(setup.ask(served), way).value == "Paris"


@pytest.mark.parametrize("quietly", [False, True])
@pytest.mark.parametrize("way", ["stream", "astream"])
def test_after_the_first_token_a_stream_is_not_tried_again(setup: Setup, way: str, quietly: bool) -> None:
    served = setup.serve(Drop(2, quietly=quietly), "Paris")

    with pytest.raises(ModelUnavailableError):
        answered(setup.ask(served), way)

    assert len(served.requests) == 1


@pytest.mark.parametrize("quietly", [False, True])
@pytest.mark.parametrize("way", ["chat", "achat"])
def test_a_whole_reply_that_drops_in_the_middle_is_asked_for_again(
    setup: Setup, way: str, quietly: bool
) -> None:
    served = setup.serve(Drop(2, quietly=quietly), "Paris")

    assert answered(setup.ask(served), way).value == "Paris"
    assert len(served.requests) == 2


def test_a_stream_that_broke_off_gives_its_pieces_and_no_reply(setup: Setup) -> None:
    stream = setup.ask(setup.serve(Drop(3, "one two three"))).stream(ASK)
    got = []

    with pytest.raises(ModelUnavailableError):
        for piece in stream:
            got.append(piece)

    assert got == ["one ", "two "]
    assert stream.reply is None
    assert list(stream) == []


def test_an_error_in_the_middle_of_a_stream(setup: Setup) -> None:
    body = HELLO + b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'

    with pytest.raises(ModelUnavailableError, match="out of memory"):
        list(setup.ask(setup.serve(Send(body))).stream(ASK))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "line",
    [
        Hang(),
        Hang(0),
        Hang(drip=b"HTTP/1.1 200 OK\r\nX-A: b\r\n"[:1]),
        Hang(0, drip=b": still here\n\n"),
        Hang(0, drip=b"d"),
    ],
    ids=["no status", "no token", "slow status", "comments for ever", "a line for ever"],
)
def test_no_first_token_in_time(setup: Setup, way: str, line: Line) -> None:
    served = setup.serve(line)
    model = setup.ask(served, timeouts=Timeouts(connect_seconds=20, first_token_seconds=0.2))

    with pytest.raises(ModelTimeoutError, match="first_token_seconds"):
        answered(model, way)

    assert served.wait_for_hang_up()
    assert len(served.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drip", [b"", b": still here\n\n"], ids=["silence", "comments"])
def test_a_stream_that_never_ends_ends_with_the_call(setup: Setup, way: str, drip: bytes) -> None:
    served = setup.serve(Hang(2, drip=drip))
    model = setup.ask(served, timeouts=Timeouts(connect_seconds=20, total_seconds=0.5))

    with pytest.raises(ModelTimeoutError, match="total_seconds"):
        answered(model, way)

    assert served.wait_for_hang_up()


# ---------------------------------------------------------------- several endpoints


def test_the_next_endpoint_is_asked_at_once(setup: Setup) -> None:
    first, second = setup.serve(Refuse(500)), setup.serve("Paris")

    assert setup.ask(first, second).chat(ASK).value == "Paris"
    assert (len(first.requests), len(second.requests)) == (1, 1)
    assert setup.sleeps.seconds == []


@pytest.mark.parametrize(
    "line",
    [Refuse(401), Refuse(404), Send(b"<p>", "text/html"), Drop(), Send(b"data: {\n\n")],
    ids=["key", "model", "page", "drop", "garbage"],
)
def test_what_is_wrong_with_one_endpoint_is_not_wrong_with_another(setup: Setup, line: Line) -> None:
    model = setup.ask(setup.serve(line), setup.serve("Paris"))

    assert list(model.stream(ASK)) == ["Paris"]


def test_a_slow_endpoint_is_followed_by_the_next(setup: Setup) -> None:
    slow, fast = setup.serve(Hang()), setup.serve("Paris")
    model = setup.ask(slow, fast, timeouts=Timeouts(connect_seconds=20, first_token_seconds=0.2))

    assert model.chat(ASK).value == "Paris"


def test_a_request_that_is_refused_is_not_taken_elsewhere(setup: Setup) -> None:
    first, second = setup.serve(Refuse(400, "too long")), setup.serve("Paris")

    with pytest.raises(ModelRequestError, match="too long"):
        setup.ask(first, second).chat(ASK)

    assert second.requests == []


def test_when_all_fail_the_first_error_is_raised_with_the_others_as_notes(setup: Setup) -> None:
    model = setup.ask(setup.serve(Refuse(401, "no key")), setup.serve(Refuse(404, "no model")))

    with pytest.raises(ModelAccessError, match="no key") as caught:
        model.chat(ASK)

    assert ["no model" in note for note in caught.value.__notes__] == [True]


def test_each_endpoint_has_its_own_key_headers_and_name_of_the_model(setup: Setup) -> None:
    first, second = setup.serve("never", api_key="one"), setup.serve("Paris", api_key="two", models=["m2"])
    model = OpenAICompatible(
        "m",
        base_url=first.base_url,
        api_key="wrong",
        fallbacks=[Endpoint(second.base_url, "two", model="m2", headers={"X-Team": "blue"})],
        timeouts=Timeouts(connect_seconds=20),
    )

    with model:
        assert model.chat(ASK).value == "Paris"
    assert second.requests[0]["model"] == "m2"
    assert second.headers[0]["X-Team"] == "blue"


def test_an_endpoint_that_fails_three_times_is_passed_over_for_a_while(setup: Setup) -> None:
    first, second = setup.serve(*[Refuse(500)] * 3, "from the first"), setup.serve("from the second")
    model = setup.ask(first, second)

    for _ in range(6):
        assert model.chat(ASK).value == "from the second"
    assert len(first.requests) == 3

    setup.clock.advance(4.9)
    assert model.chat(ASK).value == "from the second"
    setup.clock.advance(0.2)
    assert model.chat(ASK).value == "from the first"
    assert len(second.requests) == 7


def test_one_429_is_enough_and_its_retry_after_counts(setup: Setup) -> None:
    first = setup.serve(Refuse(429, headers={"Retry-After": "40"}), "from the first")
    model = setup.ask(first, setup.serve("from the second"))

    said = []
    for seconds in (0, 39, 2):
        setup.clock.advance(seconds)
        said.append(model.chat(ASK).value)

    assert said == ["from the second", "from the second", "from the first"]


def test_a_wrong_key_is_no_reason_to_cool_down(setup: Setup) -> None:
    first = setup.serve(*[Refuse(401)] * 4, "from the first")
    model = setup.ask(first, setup.serve("from the second"))

    said = [model.chat(ASK).value for _ in range(5)]

    assert said == ["from the second"] * 4 + ["from the first"]


def test_when_all_cool_down_the_one_that_is_ready_first_is_asked(setup: Setup) -> None:
    first = setup.serve(Refuse(429, headers={"Retry-After": "60"}), "from the first")
    second = setup.serve(Refuse(429, headers={"Retry-After": "30"}), "from the second")
    model = setup.ask(first, second, retries=Retries(times=0))
    with pytest.raises(ModelBusyError):
        model.chat(ASK)

    assert model.chat(ASK).value == "from the second"
    assert len(first.requests) == 1


# ---------------------------------------------------------------- ends: cancelling, closing, forgetting


@pytest.mark.parametrize("way", ["achat", "astream"])
async def test_cancelling_hangs_up(setup: Setup, way: str) -> None:
    served = setup.serve(Hang(2))
    model = setup.ask(served)
    begun = asyncio.Event()

    async def read() -> None:
        if way == "achat":
            begun.set()
            await model.achat(ASK)
        async for _ in model.astream(ASK):
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    while not served.requests:
        await asyncio.sleep(0.01)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.to_thread(served.wait_for_hang_up)


async def test_a_deadline_of_the_caller_hangs_up(setup: Setup) -> None:
    served = setup.serve(Hang())

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(setup.ask(served).achat(ASK), 0.2)

    assert await asyncio.to_thread(served.wait_for_hang_up)


def test_closing_a_stream_hangs_up(setup: Setup) -> None:
    served = setup.serve(Hang(2))
    stream = setup.ask(served).stream(ASK)
    assert next(stream) == "one "

    stream.close()
    stream.close()

    assert served.wait_for_hang_up()
    assert list(stream) == []
    assert stream.reply is None


async def test_closing_an_async_stream_hangs_up(setup: Setup) -> None:
    served = setup.serve(Hang(2))
    async with setup.ask(served).astream(ASK) as stream:
        assert await anext(stream) == "one "
    await stream.aclose()

    assert await asyncio.to_thread(served.wait_for_hang_up)
    assert [piece async for piece in stream] == []
    assert stream.reply is None


def test_a_stream_that_nobody_reads_any_more_hangs_up(setup: Setup) -> None:
    served = setup.serve(Hang(2))
    next(setup.ask(served).stream(ASK))

    assert served.wait_for_hang_up()


def test_closing_a_stream_from_another_thread_ends_its_reader(setup: Setup) -> None:
    served = setup.serve(Hang(2))
    stream = setup.ask(served).stream(ASK)
    next(stream)
    threading.Timer(0.1, stream.close).start()

    with pytest.raises(ModelClosedError):
        next(stream)


async def test_closing_an_async_stream_from_another_task_ends_its_reader(setup: Setup) -> None:
    stream = setup.ask(setup.serve(Hang(2))).astream(ASK)
    await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)

    await stream.aclose()

    with pytest.raises(ModelClosedError):
        await reading


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_closing_the_model_ends_what_runs(setup: Setup, way: str) -> None:
    served = setup.serve(Hang(2))
    model = setup.ask(served)

    def close_once_asked() -> None:
        while not served.requests:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)
        model.close()

    threading.Thread(target=close_once_asked).start()
    with pytest.raises(ModelClosedError):
        answered(model, way)
    assert served.wait_for_hang_up()


async def test_closing_twice_and_calling_after(setup: Setup) -> None:
    model = setup.ask(setup.serve("Paris"))
    idle = model.stream(ASK)
    model.close()
    model.close()
    await model.aclose()

    for ask in (model.chat, model.stream, model.astream, lambda _: next(idle)):
        with pytest.raises(ModelClosedError):
            ask(ASK)
    with pytest.raises(ModelClosedError):
        await model.achat(ASK)
    assert model.closed


def test_many_event_loops_share_its_connections(setup: Setup) -> None:
    model = setup.ask(setup.serve("Paris"))

    for _ in range(3):
        assert asyncio.run(model.achat(ASK)).value == "Paris"
    assert model.chat(ASK).value == "Paris"


def test_an_event_loop_that_is_closed_under_a_stream(setup: Setup) -> None:
    served = setup.serve(Hang(2))
    model = setup.ask(served)

    async def leave() -> Any:
        stream = model.astream(ASK)
        await anext(stream)
        return stream

    stream = asyncio.run(leave())
    asyncio.run(stream.aclose())

    assert served.wait_for_hang_up()


# ---------------------------------------------------------------- settings and secrets

UNFIT: list[Callable[[], Any]] = [
    lambda: OpenAICompatible("", base_url="http://a/v1"),
    lambda: OpenAICompatible("m", base_url="localhost:8000/v1"),
    lambda: OpenAICompatible("m", base_url=""),
    lambda: OpenAICompatible("m", base_url=None),  # type: ignore[arg-type]
    lambda: OpenAICompatible("m", base_url="http://user:secret@host/v1"),
    lambda: Timeouts(total_seconds=0),
    lambda: Timeouts(connect_seconds=float("nan")),
    lambda: Timeouts(first_token_seconds=-1),
    lambda: Retries(times=-1),
    lambda: Retries(budget=float("inf")),
    lambda: Cooldown(failures=0),
    lambda: Cooldown(first_seconds=-1),
]


@pytest.mark.parametrize("make", UNFIT)
def test_settings_that_cannot_work(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        make()

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://vllm:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
    ],
)
def test_an_endpoint_nearby_answers_sooner(base_url: str, local: bool) -> None:
    endpoint = Endpoint(base_url)

    assert endpoint.local is local
    assert endpoint.timeouts.first_token_seconds == (30 if local else 60)
    assert (endpoint.timeouts.connect_seconds, endpoint.timeouts.total_seconds) == (2, 300)


def test_no_secret_leaks(
    setup: Setup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-the-environment")
    caplog.set_level(logging.DEBUG)
    served = setup.serve("never", api_key="another")
    model = setup.ask(served, api_key="sk-canary")

    with pytest.raises(ModelAccessError) as caught:
        model.chat(ASK)
    with pytest.raises(ModelAccessError):
        setup.ask(served).chat(ASK)

    told = "".join((str(caught.value), repr(model), repr(model.endpoints), caplog.text))
    assert "sk-canary" not in told
    assert served.headers[0]["Authorization"] == "Bearer sk-canary"
    assert "Authorization" not in served.headers[1]
    assert "of-the-environment" not in str(served.headers)


def test_openais_own_service_gets_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")

    with OpenAICompatible("gpt", base_url="https://api.openai.com/v1") as model:
        assert model.endpoints[0].api_key == "sk-of-the-environment"


def test_an_unknown_setting_is_named(setup: Setup) -> None:
    model = setup.ask(setup.serve("never"))

    with pytest.raises(TypeError, match="top_k"):
        model.chat(ASK, top_k=3)  # type: ignore[call-arg]
