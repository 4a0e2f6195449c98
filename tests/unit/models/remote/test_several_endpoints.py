"""A model behind several endpoints: who is asked, in which order, and who is passed over."""

from typing import Any

import pytest

from lecmux.errors import (
    ModelAccessError,
    ModelBusyError,
    ModelRequestError,
)
from lecmux.models import Endpoint, OpenAICompatible, Retries, Timeouts
from lecmux.testing import Drop, Hang, Refuse, Send
from lecmux.testing.endpoint import Line

ASK = [{"role": "user", "content": "What is the capital of France?"}]


def test_the_next_endpoint_is_asked_at_once(remotes: Any) -> None:
    first, second = remotes.serve(Refuse(500)), remotes.serve("Paris")

    assert remotes.ask(first, second).chat(ASK).value == "Paris"
    assert (len(first.requests), len(second.requests)) == (1, 1)
    assert remotes.sleeps.seconds == []


@pytest.mark.parametrize(
    "line",
    [Refuse(401), Refuse(404), Send(b"<p>", "text/html"), Drop(), Send(b"data: {\n\n")],
    ids=["key", "model", "page", "drop", "garbage"],
)
def test_what_is_wrong_with_one_endpoint_is_not_wrong_with_another(remotes: Any, line: Line) -> None:
    model = remotes.ask(remotes.serve(line), remotes.serve("Paris"))

    assert list(model.stream(ASK)) == ["Paris"]


def test_a_slow_endpoint_is_followed_by_the_next(remotes: Any) -> None:
    slow, fast = remotes.serve(Hang()), remotes.serve("Paris")
    model = remotes.ask(slow, fast, timeouts=Timeouts(connect_seconds=20, first_token_seconds=0.2))

    assert model.chat(ASK).value == "Paris"


def test_a_request_that_is_refused_is_not_taken_elsewhere(remotes: Any) -> None:
    first, second = remotes.serve(Refuse(400, "too long")), remotes.serve("Paris")

    with pytest.raises(ModelRequestError, match="too long"):
        remotes.ask(first, second).chat(ASK)

    assert second.requests == []


def test_when_all_fail_the_first_error_is_raised_with_the_others_as_notes(remotes: Any) -> None:
    model = remotes.ask(remotes.serve(Refuse(401, "no key")), remotes.serve(Refuse(404, "no model")))

    with pytest.raises(ModelAccessError, match="no key") as caught:
        model.chat(ASK)

    assert ["no model" in note for note in caught.value.__notes__] == [True]


def test_each_endpoint_has_its_own_key_headers_and_name_of_the_model(remotes: Any) -> None:
    first, second = (
        remotes.serve("never", api_key="one"),
        remotes.serve("Paris", api_key="two", models=["m2"]),
    )
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


def test_an_endpoint_that_fails_three_times_is_passed_over_for_a_while(remotes: Any) -> None:
    first, second = remotes.serve(*[Refuse(500)] * 3, "from the first"), remotes.serve("from the second")
    model = remotes.ask(first, second)

    for _ in range(6):
        assert model.chat(ASK).value == "from the second"
    assert len(first.requests) == 3

    remotes.clock.advance(4.9)
    assert model.chat(ASK).value == "from the second"
    remotes.clock.advance(0.2)
    assert model.chat(ASK).value == "from the first"
    assert len(second.requests) == 7


def test_one_429_is_enough_and_its_retry_after_counts(remotes: Any) -> None:
    first = remotes.serve(Refuse(429, headers={"Retry-After": "40"}), "from the first")
    model = remotes.ask(first, remotes.serve("from the second"))

    said = []
    for seconds in (0, 39, 2):
        remotes.clock.advance(seconds)
        said.append(model.chat(ASK).value)

    assert said == ["from the second", "from the second", "from the first"]


def test_a_wrong_key_is_no_reason_to_cool_down(remotes: Any) -> None:
    first = remotes.serve(*[Refuse(401)] * 4, "from the first")
    model = remotes.ask(first, remotes.serve("from the second"))

    said = [model.chat(ASK).value for _ in range(5)]

    assert said == ["from the second"] * 4 + ["from the first"]


def test_when_all_cool_down_the_one_that_is_ready_first_is_asked(remotes: Any) -> None:
    first = remotes.serve(Refuse(429, headers={"Retry-After": "60"}), "from the first")
    second = remotes.serve(Refuse(429, headers={"Retry-After": "30"}), "from the second")
    model = remotes.ask(first, second, retries=Retries(times=0))
    with pytest.raises(ModelBusyError):
        model.chat(ASK)

    assert model.chat(ASK).value == "from the second"
    assert len(first.requests) == 1
