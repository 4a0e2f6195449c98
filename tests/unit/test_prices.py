"""Prices with parts, with dates, and of known models."""

import json
import math
import random
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecmux import Price, Router, Usage
from lecmux.costs import DatedPrice, Objective, PriceHistory, PriceList
from lecmux.costs.history import any_price_from_spec
from lecmux.errors import ConfigError, CostError, MissingExtraError, PriceError

PARTS = Price(
    input_usd_per_million=10.0,
    output_usd_per_million=40.0,
    cached_input_usd_per_million=1.0,
    cache_write_usd_per_million=12.5,
    reasoning_usd_per_million=60.0,
    image_input_usd_per_million=5.0,
    image_output_usd_per_million=80.0,
    audio_input_usd_per_million=20.0,
    audio_output_usd_per_million=100.0,
)
M = 1_000_000
OLD, NEW = Price(3.0, 15.0), Price(2.0, 10.0)
HISTORY = PriceHistory.of({date(2026, 12, 1): NEW, date(2026, 1, 1): OLD})


def test_each_part_of_the_tokens_has_its_price_and_the_rest_the_usual_one() -> None:
    usage = Usage(
        input_tokens=10 * M,
        output_tokens=10 * M,
        cached_input_tokens=1 * M,
        cache_write_tokens=2 * M,
        image_input_tokens=3 * M,
        audio_input_tokens=1 * M,
        reasoning_tokens=4 * M,
        image_output_tokens=1 * M,
        audio_output_tokens=2 * M,
    )

    rest_in, rest_out = 10 - 1 - 2 - 3 - 1, 10 - 4 - 1 - 2
    assert PARTS.cost_usd(usage) == pytest.approx(
        1 * 1 + 2 * 12.5 + 3 * 5 + 1 * 20 + rest_in * 10 + 4 * 60 + 1 * 80 + 2 * 100 + rest_out * 40
    )


def test_a_part_without_a_price_costs_what_the_rest_does() -> None:
    usage = Usage(M, M, cached_input_tokens=M // 2, reasoning_tokens=M // 4, image_input_tokens=M // 8)

    assert Price(10.0, 40.0).cost_usd(usage) == pytest.approx(50.0)


def test_what_is_kept_for_an_hour_and_what_is_searched_have_prices_of_their_own() -> None:
    price = Price(
        3.0, cache_write_usd_per_million=3.75, cache_write_1h_usd_per_million=6.0, usd_per_web_search=0.01
    )
    used = Usage(1_000_000, cache_write_tokens=200_000, cache_write_1h_tokens=300_000, web_searches=2)

    assert price.cost_usd(used) == pytest.approx(0.5 * 3.0 + 0.2 * 3.75 + 0.3 * 6.0 + 0.02)
    assert Price(usd_per_storage_search=0.0025).cost_usd(Usage(storage_searches=4)) == pytest.approx(0.01)


def test_what_is_kept_for_an_hour_costs_what_is_written_where_it_has_no_price() -> None:
    used = Usage(1_000, cache_write_1h_tokens=1_000)

    assert Price(3.0, cache_write_usd_per_million=3.75).cost_usd(used) == pytest.approx(0.00375)
    assert Price(3.0).cost_usd(used) == pytest.approx(0.003)


def test_the_list_knows_caches_of_an_hour_and_searches() -> None:
    genai = pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    price = PriceList().price("anthropic:claude-sonnet-4-5")
    ours = Usage(100_000, 1_000, cache_write_tokens=20_000, cache_write_1h_tokens=30_000, web_searches=3)
    theirs = genai.Usage(
        input_tokens=100_000,
        output_tokens=1_000,
        cache_write_tokens=50_000,
        cache_write_1h_tokens=30_000,
        web_searches=3,
    )

    expected = genai.calc_price(theirs, "claude-sonnet-4-5", provider_id="anthropic").total_price

    assert price.cost_usd(ours) == pytest.approx(float(expected))


def test_a_part_priced_at_nothing_is_free() -> None:
    assert Price(10.0, cached_input_usd_per_million=0.0).cost_usd(Usage(M, cached_input_tokens=M)) == 0.0


def test_parts_beyond_the_total_are_charged_and_nothing_is_paid_back() -> None:
    usage = Usage(input_tokens=M, cached_input_tokens=3 * M)

    assert Price(10.0, cached_input_usd_per_million=1.0).cost_usd(usage) == pytest.approx(3.0)


def test_a_long_input_changes_the_price_of_the_whole_call() -> None:
    longest = Price(4.0, 4.0)
    price = Price(
        1.0, 1.0, long_input_tokens=100, long_input=Price(2.0, 2.0, long_input_tokens=200, long_input=longest)
    )

    costs = [price.cost_usd(Usage(tokens, 50)) * M for tokens in (100, 101, 200, 201)]

    assert costs == pytest.approx([150, 302, 500, 1004])


def test_local_models_are_priced_by_seconds_operations_or_joules() -> None:
    assert Price.per_hour(3.6).cost_usd(Usage(seconds=10.0)) == pytest.approx(0.01)
    assert Price(usd_per_petaflop=0.5).cost_usd(Usage(flops=4e15)) == pytest.approx(2.0)
    assert Price(usd_per_kilowatt_hour=0.30).cost_usd(Usage(joules=7.2e6)) == pytest.approx(0.60)
    assert Price(usd_per_request=0.01).cost_usd(Usage()) == 0.01


def test_what_a_local_model_does_not_count_follows_from_its_size_or_its_power() -> None:
    by_size = Price.from_flops(0.5e9, usd_per_petaflop=2.0)
    by_power = Price.from_watts(300.0, usd_per_kilowatt_hour=0.40)
    counted = Usage(600, 400, seconds=60.0, flops=2 * 0.5e9 * 1000, joules=300.0 * 60)

    assert by_size.cost_usd(counted) == pytest.approx(Price(usd_per_petaflop=2.0).cost_usd(counted))
    assert by_power.cost_usd(counted) == pytest.approx(Price(usd_per_kilowatt_hour=0.40).cost_usd(counted))


@pytest.mark.parametrize(
    ("price", "lacking"),
    [
        (Price(1.0), "tokens"),
        (Price(reasoning_usd_per_million=1.0), "tokens"),
        (Price(usd_per_petaflop=1.0), "flops"),
        (Price(usd_per_kilowatt_hour=1.0), "joules"),
        (PriceHistory.of({date(2020, 1, 1): Price(1.0)}), "tokens"),
    ],
)
def test_a_count_that_is_charged_and_missing_is_never_a_silent_zero(price: Any, lacking: str) -> None:
    objective = Objective.resolve(["m"], prices={"m": price})

    with pytest.raises(PriceError, match=f"priced by {lacking}"):
        objective.spend("m", Usage(seconds=2.0))
    assert price.lacking(Usage(1, 1, flops=1.0, joules=1.0)) is None


@pytest.mark.parametrize("amount", [float("nan"), -0.1, float("inf"), True, "1"])
@pytest.mark.parametrize("name", ["cached_input_usd_per_million", "usd_per_petaflop", "long_input_tokens"])
def test_an_impossible_part_is_refused(name: str, amount: Any) -> None:
    with pytest.raises(CostError, match=name):
        Price(**{name: amount})


def test_half_a_long_price_is_refused() -> None:
    with pytest.raises(CostError, match="both or neither"):
        Price(1.0, long_input_tokens=5)
    with pytest.raises(CostError, match="must be a Price"):
        Price(1.0, long_input_tokens=5, long_input=2.0)  # type: ignore[arg-type]


# over time


def test_a_dated_price_holds_from_its_day_in_utc() -> None:
    last_evening = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    elsewhere = timezone(timedelta(hours=2))

    assert HISTORY.at(last_evening) is OLD
    assert HISTORY.at(last_evening + timedelta(seconds=1)) is NEW
    assert HISTORY.at(datetime(2026, 12, 1, 1, 30, tzinfo=elsewhere)) is OLD
    assert HISTORY.at(datetime(2026, 12, 1)) is NEW
    assert HISTORY.cost_usd(Usage(M, 0), last_evening) == 3.0


def test_before_the_first_price_there_is_none() -> None:
    with pytest.raises(PriceError, match="first is from 2026-01-01"):
        HISTORY.at(datetime(2025, 12, 31, tzinfo=UTC))


def test_a_call_now_is_charged_by_the_price_of_now() -> None:
    past, future = Price(1.0), Price(5.0)
    history = PriceHistory.of({date(1999, 1, 1): past, date(9999, 1, 1): future})
    router = Router(["m"], prices={"m": history})

    assert router.unit == "usd"
    assert router.objective.spend("m", Usage(M, 0)) == 1.0


def test_hours_of_the_day_may_run_past_midnight() -> None:
    night = DatedPrice(NEW, hours=(time(22), time(6)))
    history = PriceHistory((DatedPrice(OLD), night))

    prices = {hour: history.at(datetime(2026, 5, 5, hour, tzinfo=UTC)) for hour in (21, 22, 0, 5, 6)}

    assert prices == {21: OLD, 22: NEW, 0: NEW, 5: NEW, 6: OLD}


@pytest.mark.parametrize(
    "steps",
    [{}, {date(2026, 1, 1): 3.0}, {"2026-01-01": OLD}, {datetime(2026, 1, 1): OLD}],
    ids=["none", "no price", "no date", "a time"],
)
def test_a_history_that_says_nothing_is_refused(steps: Any) -> None:
    with pytest.raises(CostError):
        PriceHistory.of(steps)


def test_a_router_keeps_its_histories(tmp_path: Path) -> None:
    prices = {"a": HISTORY, "b": PARTS, "c": Price(1.0, long_input_tokens=9, long_input=Price(2.0))}
    Router(list(prices), prices=prices).save(tmp_path / "router")

    assert Router.load(tmp_path / "router").objective.prices == prices


amounts = st.floats(0, 1e6)
plain_prices = st.builds(
    Price, amounts, amounts, amounts, st.none() | amounts, usd_per_request=amounts, source=st.text()
)
prices = st.builds(
    lambda price, start, above: Price(
        price.input_usd_per_million, long_input_tokens=start, long_input=above, source=price.source
    ),
    plain_prices,
    st.integers(0, 10**6),
    plain_prices,
)
steps = st.builds(
    DatedPrice, plain_prices | prices, st.none() | st.dates(), st.none() | st.tuples(st.times(), st.times())
)


@given(prices | st.builds(PriceHistory, st.lists(steps, min_size=1).map(tuple)))
def test_every_price_survives_being_written(price: Any) -> None:
    assert any_price_from_spec(json.loads(json.dumps(price._spec()))) == price


# of known models


def test_known_models_are_looked_up() -> None:
    pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    price = PriceList().price("gpt-4o-mini")

    assert isinstance(price, Price)
    assert (price.input_usd_per_million, price.output_usd_per_million) == (0.15, 0.6)
    assert price.cached_input_usd_per_million == 0.075
    assert price.source.startswith("genai-prices ")
    assert price.source.endswith("openai/gpt-4o-mini")


def test_the_list_agrees_with_the_package_on_every_model_it_can_price() -> None:
    genai = pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    from genai_prices.data import providers

    chance = random.Random(5)
    priced, refused = 0, 0
    for provider in providers:
        for model in chance.sample(provider.models, min(8, len(provider.models))):
            name = f"{provider.id}:{model.id}"
            try:
                found = genai.calc_price(genai.Usage(), model.id, provider_id=provider.id)
                price = PriceList().price(name)
            except (LookupError, PriceError):
                refused += 1
                continue
            if found.model is not model:
                continue
            when = datetime(2026, chance.randrange(1, 12), 15, chance.randrange(24), 10, tzinfo=UTC)
            for tokens in (1_000, 150_000, 300_000):
                theirs = genai.Usage(
                    input_tokens=tokens, cache_read_tokens=tokens // 3, output_tokens=tokens // 10
                )
                ours = Usage(tokens, tokens // 10, cached_input_tokens=tokens // 3)
                expected = genai.calc_price(
                    theirs, model.id, provider_id=provider.id, genai_request_timestamp=when
                ).total_price
                assert math.isclose(price.cost_usd(ours, when), expected, rel_tol=1e-9, abs_tol=1e-15), name
            priced += 1

    assert priced > 150
    assert refused < priced / 5


def test_an_unknown_model_is_an_error_that_says_what_to_do() -> None:
    pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    prices = PriceList()

    assert prices.get("no such model at all") is None
    with pytest.raises(PriceError, match=r"Price\.free\(\)"):
        prices.price("no such model at all")


def test_a_model_charged_by_something_uncounted_is_an_error() -> None:
    pytest.importorskip("genai_prices", reason="needs lecmux[prices]")

    with pytest.raises(PriceError, match="which no usage counts"):
        PriceList().price("groq:whisper-large-v3")


def test_a_provider_may_be_named() -> None:
    pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    price = PriceList().price("azure:gpt-4o-mini")

    assert "azure/" in price.at().source


def test_an_override_stands_before_the_list() -> None:
    prices = PriceList({"gpt-4o-mini": Price.free(), "mine": Price(1.0)})

    assert prices.price("gpt-4o-mini") == Price.free()
    assert prices.prices({"small": "mine", "large": "gpt-4o-mini"}) == {
        "small": Price(1.0),
        "large": Price.free(),
    }


def test_a_dated_override_holds_from_its_day_and_the_list_before() -> None:
    pytest.importorskip("genai_prices", reason="needs lecmux[prices]")
    agreed = PriceHistory.of({date(2026, 12, 1): Price(0.05, 0.2)})

    price = PriceList({"gpt-4o-mini": agreed}).price("gpt-4o-mini")

    assert price.at(datetime(2026, 11, 30, tzinfo=UTC)).input_usd_per_million == 0.15
    assert price.at(datetime(2026, 12, 1, tzinfo=UTC)).input_usd_per_million == 0.05


def test_overrides_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    steps = [
        {"input_usd_per_million": 1},
        {"since": "2026-12-01", "input_usd_per_million": 2, "hours": ["00:00", "08:00"]},
    ]
    path.write_text(json.dumps({"one": {"usd_per_second": 0.5}, "two": steps}))

    prices = PriceList.load(path)

    assert prices.price("one") == Price(usd_per_second=0.5)
    assert prices.price("two").at(datetime(2026, 12, 2, 7, tzinfo=UTC)) == Price(2)
    assert prices.price("two").at(datetime(2026, 12, 2, 9, tzinfo=UTC)) == Price(1)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "not json",
        '{"m": 3}',
        '{"m": {"inputs": 3}}',
        '{"m": [{"since": "soon"}]}',
        '{"m": {"usd_per_second": -1}}',
        '{"m": [{"hours": ["08:00"]}]}',
        '{"m": []}',
    ],
)
def test_a_file_that_is_no_price_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"prices\.json"):
        PriceList.load(path)


def test_without_the_package_the_extra_is_named_and_overrides_work(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "genai_prices", None)
    prices = PriceList({"mine": Price(1.0), "dated": HISTORY})

    assert prices.price("mine") == Price(1.0)
    assert prices.price("dated") is HISTORY
    with pytest.raises(MissingExtraError, match=r"lecmux\[prices\]"):
        prices.price("gpt-4o-mini")


def test_an_override_that_is_no_price_is_refused() -> None:
    with pytest.raises(ConfigError, match="'m'"):
        PriceList({"m": 3.0})  # type: ignore[dict-item]
