"""A real model behind a real server, over HTTP: llama.cpp's listener, asked as any endpoint is."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs lecmux[openai]")

from lecmux import Cache, Query, Router
from lecmux.errors import ModelAccessError, ModelRequestError
from lecmux.models import Endpoint, OpenAICompatible, Timeouts

pytestmark = pytest.mark.model

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Tell a long story about the sea."}]
PATIENT = Timeouts(connect_seconds=20)


@pytest.fixture
def model(real_endpoint: Any) -> Iterator[OpenAICompatible]:
    with OpenAICompatible(
        "small", base_url=real_endpoint.base_url, api_key=real_endpoint.api_key, timeouts=PATIENT
    ) as model:
        yield model


def test_the_four_ways_give_the_same(model: OpenAICompatible) -> None:
    async def awaited() -> tuple[Any, str]:
        reply = await model.achat(CAPITAL, max_tokens=12)
        async with model.astream(CAPITAL, max_tokens=12) as stream:
            return reply.value, "".join([piece async for piece in stream])

    whole = model.chat(CAPITAL, max_tokens=12)
    with model.stream(CAPITAL, max_tokens=12) as stream:
        streamed = "".join(stream)

    assert whole.value
    assert asyncio.run(awaited()) == (whole.value, whole.value)
    assert streamed == whole.value
    assert stream.reply is not None
    assert stream.reply.usage.input_tokens == whole.usage.input_tokens > 0


def test_a_stream_that_was_closed_leaves_the_model_free(model: OpenAICompatible) -> None:
    with model.stream(STORY) as stream:
        next(stream)

    # The server computes one reply at a time: this one would wait for a story that has no end.
    assert model.chat(CAPITAL, max_tokens=2).usage.output_tokens == 2


async def test_a_call_that_was_cancelled_leaves_the_model_free(model: OpenAICompatible) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.achat(STORY), 0.3)

    assert (await model.achat(CAPITAL, max_tokens=2)).usage.output_tokens == 2


def test_a_wrong_key_and_a_prompt_that_is_too_long(model: OpenAICompatible) -> None:
    with (
        OpenAICompatible("small", base_url=model.endpoints[0].base_url, timeouts=PATIENT) as locked,
        pytest.raises(ModelAccessError, match="api_key"),
    ):
        locked.chat(CAPITAL)

    with pytest.raises(ModelRequestError, match="context"):
        model.chat([{"role": "user", "content": "word " * 2000}])


def test_an_answer_can_be_held_to_a_schema(model: OpenAICompatible) -> None:
    schema = {"type": "object", "properties": {"city": {"enum": ["Rome", "Paris"]}}, "required": ["city"]}
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}

    reply = model.chat(CAPITAL, max_tokens=40, body={"response_format": form})

    assert json.loads(str(reply.value))["city"] in {"Rome", "Paris"}


def test_a_pair_behind_a_router_and_a_cache(model: OpenAICompatible) -> None:
    cache = Cache(1_000_000)
    router = Router(["small", "large"], price_of_wrong_seconds=30)
    models = {"small": model, "large": model}
    query = Query("What is 2 + 2?", attributes={"chat": {"max_tokens": 12, "stop": ["."]}})

    first, again = (cache.answer(query, models=models, router=router) for _ in range(2))

    assert first.decision.kind == "call"
    assert isinstance(first.value, str)
    assert (again.decision.kind == "hit") is (first.reply is not None and first.reply.finish_reason == "stop")


def test_a_dead_endpoint_is_followed_by_a_real_one(model: OpenAICompatible) -> None:
    real = model.endpoints[0]
    with OpenAICompatible(
        "small", base_url="http://127.0.0.1:9/v1", fallbacks=[Endpoint(real.base_url, real.api_key)]
    ) as pair:
        assert pair.chat(CAPITAL, max_tokens=2).usage.output_tokens == 2
