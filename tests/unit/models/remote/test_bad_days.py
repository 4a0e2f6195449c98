"""Models behind an endpoint that fails: typed errors with a next step, and no more tries than may be."""

from collections.abc import Mapping
from typing import Any

import pytest

from lecmux.errors import (
    ModelAccessError,
    ModelBusyError,
    ModelError,
    ModelNotFoundError,
    ModelReplyError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from lecmux.models import Retries, Timeouts
from lecmux.testing import Drop, Hang, Refuse, ScriptedEndpoint, Send
from lecmux.testing.endpoint import Line

ASK = [{"role": "user", "content": "What is the capital of France?"}]
WAYS = ("chat", "achat", "stream", "astream")

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
    (Send(b'{"error": {"message": "not loaded yet"}}', "application/json"), "not loaded yet"),
    (Send(b"data: {not json\n\n"), "cannot be read"),
    (Send(b"data: [1, 2]\n\n"), "no chat completion"),
    (Send(b'data: {"choices": 7}\n\n'), "no chat completion"),
    (Send(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "no chat completion"),
    (Send(b'data: {"choices": [{"delta": {"reasoning": 7}, "finish_reason": "stop"}]}\n\n'), "no chat"),
    (Send(b'data: {"choices": [{"delta": {}, "finish_reason": 7}]}\n\n'), "no chat completion"),
    (Send(b"data: \xff\xfe\n\n"), "cannot be read"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("line", "kind", "hint"), REFUSALS, ids=lambda each: str(getattr(each, "status", ""))
)
def test_what_would_be_refused_again_is_asked_once(
    remotes: Any, way: str, line: Line, kind: type[ModelError], hint: str
) -> None:
    served = remotes.serve(line)

    with pytest.raises(kind, match=hint):
        remotes.answered(remotes.ask(served), way)

    assert len(served.requests) == 1
    assert remotes.sleeps.seconds == []


@pytest.mark.parametrize("way", ["chat", "astream"])
@pytest.mark.parametrize(("line", "hint"), NO_ANSWERS, ids=lambda each: repr(getattr(each, "body", ""))[:40])
def test_what_is_no_answer_is_a_typed_error(remotes: Any, way: str, line: Line, hint: str) -> None:
    with pytest.raises(ModelReplyError, match=hint):
        remotes.answered(remotes.ask(remotes.serve(line)), way)


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_is_not_there(remotes: Any, way: str) -> None:
    gone = ScriptedEndpoint(["never"])
    gone.close()

    with pytest.raises(ModelUnavailableError, match="does the server run"):
        remotes.answered(remotes.ask(gone), way)

    assert len(remotes.sleeps.seconds) == 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(remotes: Any, way: str, status: int) -> None:
    served = remotes.serve(Refuse(status), Refuse(status), "Paris")

    assert remotes.answered(remotes.ask(served), way).value == "Paris"
    assert len(served.requests) == 3
    assert remotes.sleeps.seconds == [0.25, 0.5]  # half of what may be drawn, which doubles


@pytest.mark.parametrize("way", WAYS)
def test_after_two_retries_the_error_is_raised(remotes: Any, way: str) -> None:
    served = remotes.serve(Refuse(503, "still down"))

    with pytest.raises(ModelUnavailableError, match="still down"):
        remotes.answered(remotes.ask(served), way)

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
def test_retry_after_is_obeyed(remotes: Any, headers: Mapping[str, str], waited: float) -> None:
    served = remotes.serve(Refuse(429, headers=headers), "Paris")

    assert remotes.ask(served).chat(ASK).value == "Paris"
    assert remotes.sleeps.seconds == [waited]


def test_a_wait_longer_than_the_call_may_take_is_not_begun(remotes: Any) -> None:
    served = remotes.serve(Refuse(429, headers={"Retry-After": "60"}))
    model = remotes.ask(served, timeouts=Timeouts(connect_seconds=20, total_seconds=30))

    with pytest.raises(ModelBusyError, match="again in 60 s") as caught:
        model.chat(ASK)

    assert caught.value.retry_after_seconds == 60
    assert remotes.sleeps.seconds == []


def test_retries_stop_when_their_budget_is_spent(remotes: Any) -> None:
    served = remotes.serve(Refuse(500))
    model = remotes.ask(served, retries=Retries(times=1, burst=2))

    for _ in range(12):
        with pytest.raises(ModelUnavailableError):
            model.chat(ASK)

    # Two at once, and one more for ten calls.
    assert len(served.requests) == 12 + 3


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_drops_before_the_first_token_is_tried_again(remotes: Any, way: str) -> None:
    served = remotes.serve(Drop(), Drop(0), "Paris")

    assert remotes.answered(remotes.ask(served), way).value == "Paris"


@pytest.mark.parametrize("quietly", [False, True])
@pytest.mark.parametrize("way", ["stream", "astream"])
def test_after_the_first_token_a_stream_is_not_tried_again(remotes: Any, way: str, quietly: bool) -> None:
    served = remotes.serve(Drop(2, quietly=quietly), "Paris")

    with pytest.raises(ModelUnavailableError):
        remotes.answered(remotes.ask(served), way)

    assert len(served.requests) == 1


@pytest.mark.parametrize("quietly", [False, True])
@pytest.mark.parametrize("way", ["chat", "achat"])
def test_a_whole_reply_that_drops_in_the_middle_is_asked_for_again(
    remotes: Any, way: str, quietly: bool
) -> None:
    served = remotes.serve(Drop(2, quietly=quietly), "Paris")

    assert remotes.answered(remotes.ask(served), way).value == "Paris"
    assert len(served.requests) == 2


def test_a_stream_that_broke_off_gives_its_pieces_and_no_reply(remotes: Any) -> None:
    stream = remotes.ask(remotes.serve(Drop(3, "one two three"))).stream(ASK)
    got = []

    with pytest.raises(ModelUnavailableError):
        for piece in stream:
            got.append(piece)

    assert got == ["one ", "two "]
    assert stream.reply is None
    assert list(stream) == []


def test_an_error_in_the_middle_of_a_stream(remotes: Any) -> None:
    body = HELLO + b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'

    with pytest.raises(ModelUnavailableError, match="out of memory"):
        list(remotes.ask(remotes.serve(Send(body))).stream(ASK))


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
def test_no_first_token_in_time(remotes: Any, way: str, line: Line) -> None:
    served = remotes.serve(line)
    model = remotes.ask(served, timeouts=Timeouts(connect_seconds=20, first_token_seconds=0.2))

    with pytest.raises(ModelTimeoutError, match="first_token_seconds"):
        remotes.answered(model, way)

    assert served.wait_for_hang_up()
    assert len(served.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drip", [b"", b": still here\n\n"], ids=["silence", "comments"])
def test_a_stream_that_never_ends_ends_with_the_call(remotes: Any, way: str, drip: bytes) -> None:
    served = remotes.serve(Hang(2, drip=drip))
    model = remotes.ask(served, timeouts=Timeouts(connect_seconds=20, total_seconds=0.5))

    with pytest.raises(ModelTimeoutError, match="total_seconds"):
        remotes.answered(model, way)

    assert served.wait_for_hang_up()
