"""Prices in LangChain: parts of the tokens, dated prices, price lists."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration

from langchain_lecmux import ChatRouter, LECCache
from langchain_lecmux.generated import Generated, reply
from lecmux import Price, Usage
from lecmux.costs import PriceHistory, PriceList

USAGE: dict[str, Any] = {
    "input_tokens": 1000,
    "output_tokens": 500,
    "total_tokens": 1500,
    "input_token_details": {"cache_read": 600, "cache_creation": 100, "audio": 50},
    "output_token_details": {"reasoning": 300, "audio": 20},
}
MILLION = 1_000_000


def _answer(usage: Any = USAGE) -> AIMessage:
    return AIMessage("Paris", usage_metadata=usage, response_metadata={"model_name": "dear-1"})


def test_the_parts_of_the_tokens_are_read() -> None:
    generated = Generated((ChatGeneration(message=_answer()),))

    assert reply(generated, seconds=2.0).usage == Usage(
        1000,
        500,
        2.0,
        cached_input_tokens=600,
        cache_write_tokens=100,
        audio_input_tokens=50,
        reasoning_tokens=300,
        audio_output_tokens=20,
    )


def test_of_several_generations_the_input_is_paid_once() -> None:
    other = {**USAGE, "output_tokens": 100, "output_token_details": {"reasoning": 10}}
    generated = Generated(tuple(ChatGeneration(message=_answer(usage)) for usage in (USAGE, other)))

    usage = reply(generated, seconds=None).usage

    assert (usage.input_tokens, usage.cached_input_tokens) == (1000, 600)
    assert (usage.output_tokens, usage.reasoning_tokens) == (600, 310)


def test_a_router_charges_them_at_their_prices() -> None:
    price = Price(10.0, 40.0, cached_input_usd_per_million=1.0, reasoning_usd_per_million=80.0)
    dated = PriceHistory.of({date(2000, 1, 1): price})
    model = FakeMessagesListChatModel(responses=[_answer()])
    router = ChatRouter(models={"large": model}, prices={"large": dated}, cache=False)

    told = router.invoke("Capital of France?").response_metadata["lecmux"]

    assert told["unit"] == "usd"
    assert told["cost"] * MILLION == pytest.approx(600 * 1 + 400 * 10 + 300 * 80 + 200 * 40)


def test_a_cache_takes_a_price_list() -> None:
    cache = LECCache(prices=PriceList({"dear-1": Price(10.0, 40.0)}))
    model = FakeMessagesListChatModel(responses=[_answer()], cache=cache)

    model.invoke("Capital of France?")
    told = model.invoke("Capital of France?").response_metadata["lecmux"]

    assert told["saved"] * MILLION == pytest.approx(1000 * 10 + 500 * 40)
    assert cache.stats().unpriced == 0


@pytest.mark.parametrize(
    "price",
    [PriceHistory.of({date(9999, 1, 1): Price(1.0)}), Price(usd_per_petaflop=1.0)],
    ids=["not in force yet", "not counted"],
)
def test_an_answer_that_cannot_be_priced_is_stored_at_the_mean(price: Any) -> None:
    cache = LECCache(prices={"dear-1": price})
    model = FakeMessagesListChatModel(responses=[_answer()], cache=cache)

    model.invoke("Capital of France?")

    stats = cache.stats()
    assert (stats.stored, stats.unpriced, stats.incidents) == (1, 1, 0)


def test_a_cache_books_what_was_paid_and_what_its_hits_saved() -> None:
    cache = LECCache(prices={"dear-1": Price(10.0, 40.0)})
    model = FakeMessagesListChatModel(responses=[_answer()], cache=cache)
    cost = 1000 * 10_000 + 500 * 40_000  # nano-dollars

    for _ in range(3):
        model.invoke("Capital of France?")

    report = cache.report()
    assert (report.total.calls, report.total.hits) == (1, 2)
    assert (report.total.spent, report.total.saved_by_hits) == (cost, 2 * cost)
    assert set(report.by_model) == {"dear-1"}
    assert report.seconds.saved_by_hits == 2 * report.seconds.spent > 0
    assert cache.stats().store.spent_usd == cost / 10**9


def test_an_answer_that_is_refused_was_paid_all_the_same() -> None:
    cache = LECCache(prices={"dear-1": Price(10.0, 40.0)}, admit=lambda query, reply: False)
    model = FakeMessagesListChatModel(responses=[_answer()], cache=cache)

    for _ in range(2):
        model.invoke("Capital of France?")

    assert cache.report().total.calls == 2
    assert cache.report().total.spent == 2 * (1000 * 10_000 + 500 * 40_000)


def test_seconds_are_booked_where_there_are_no_prices() -> None:
    cache = LECCache()
    model = FakeMessagesListChatModel(responses=[_answer()], cache=cache)

    for _ in range(2):
        model.invoke("Capital of France?")

    report = cache.report()
    assert report.unit == "seconds"
    assert report.total.saved_by_hits == report.total.spent > 0
    assert (report.seconds.calls, report.seconds.hits) == (1, 1)


def test_how_long_a_call_took_does_not_decide_how_large_its_entry_is() -> None:
    from langchain_lecmux.booking import about_answer

    sizes = {
        len(str(about_answer(reply(Generated(()), seconds=seconds), "seconds", seconds)))
        for seconds in (0.0, 0.5, 1 / 3, 12.123456789, 4321.0)
    }

    assert len(sizes) == 1


def test_a_router_reports_with_and_without_a_cache() -> None:
    prices = {"small": Price(1.0, 4.0), "large": Price(10.0, 40.0)}
    small, large = (FakeMessagesListChatModel(responses=[_answer()]) for _ in prices)
    large_cost, small_cost = 1000 * 10_000 + 500 * 40_000, 1000 * 1_000 + 500 * 4_000
    for cache in (LECCache(), False):
        router = ChatRouter(models={"small": small, "large": large}, prices=prices, cache=cache)
        for _ in range(2):
            router.invoke("Capital of France?", config={"configurable": {"lecmux_route": "small"}})

        total = router.report().total

        assert router.report().baseline == "large"
        assert total.baseline == 2 * large_cost
        assert (total.calls, total.hits) == ((1, 1) if cache else (2, 0))
        assert total.spent == total.calls * small_cost


@pytest.mark.parametrize("cached", [True, False])
def test_the_sums_of_a_router_survive_a_restart(tmp_path: Path, cached: bool) -> None:
    prices = {"large": Price(10.0, 40.0)}
    model = FakeMessagesListChatModel(responses=[_answer()])
    settings: dict[str, Any] = {"models": {"large": model}, "prices": prices, "path": tmp_path / "state"}
    with ChatRouter(**settings, cache=LECCache() if cached else False) as first:
        first.invoke("Capital of France?")

    with ChatRouter(**settings, cache=LECCache() if cached else False) as second:
        second.invoke("Capital of France?")

    total = second.report().total
    assert total.spent == (1000 * 10_000 + 500 * 40_000) * (1 if cached else 2)
    assert (total.calls, total.hits) == ((1, 1) if cached else (2, 0))


@pytest.mark.parametrize(
    ("details", "minutes", "hour"),
    [
        ({"cache_creation": 50}, 50, 0),
        ({"cache_creation": 0, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}, 20, 30),
        ({"cache_creation": 50, "ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}, 20, 30),
        ({"ephemeral_1h_input_tokens": 30}, 0, 30),
    ],
)
def test_what_a_provider_keeps_for_an_hour_is_counted_apart(
    details: dict[str, int], minutes: int, hour: int
) -> None:
    told: Any = {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "input_token_details": details}
    message = AIMessage("x", usage_metadata=told)

    usage = reply(Generated((ChatGeneration(message=message),)), seconds=1.0).usage

    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (minutes, hour)


@pytest.mark.parametrize(
    ("message", "web", "storage"),
    [
        (AIMessage("x", response_metadata={"usage": {"server_tool_use": {"web_search_requests": 3}}}), 3, 0),
        (AIMessage([{"type": "server_tool_call", "name": "web_search", "id": "1", "args": {}}]), 1, 0),
        (AIMessage("x", additional_kwargs={"tool_outputs": [{"type": "file_search_call", "id": "1"}]}), 0, 1),
        (AIMessage([{"type": "text", "text": "web_search"}]), 0, 0),
    ],
)
def test_searches_of_the_providers_own_are_counted(message: AIMessage, web: int, storage: int) -> None:
    message.usage_metadata = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}

    usage = reply(Generated((ChatGeneration(message=message),)), seconds=1.0).usage

    assert (usage.web_searches, usage.storage_searches) == (web, storage)
