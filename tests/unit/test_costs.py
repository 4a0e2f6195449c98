"""Prices, the objective, and the ledgers."""

import logging
from threading import Thread

import pytest

from lecmux import Price, Usage
from lecmux.costs import Account, Ledger, Objective
from lecmux.errors import CostError, PriceError

PRICES = {"small": Price(1.0, 2.0), "large": Price(10.0, 20.0)}


def test_a_price_adds_up_tokens_and_seconds() -> None:
    price = Price(input_usd_per_million=3.0, output_usd_per_million=15.0, usd_per_second=0.01)

    assert price.cost_usd(Usage(1_000_000, 200_000, 5.0)) == pytest.approx(3.0 + 3.0 + 0.05)
    assert Price.free().cost_usd(Usage(10, 10, 10.0)) == 0.0


@pytest.mark.parametrize("amount", [float("nan"), -0.1, float("inf"), True, "1"])
def test_an_impossible_price_is_refused(amount: float) -> None:
    with pytest.raises(CostError, match="usd_per_second"):
        Price(usd_per_second=amount)


def test_a_ledger_is_exact_in_any_order() -> None:
    amounts = [0.1, 0.2, 0.3, 1e-9, 123.456789] * 200
    one, other = Ledger(), Ledger()
    for amount in amounts:
        one.add("usd", spent=amount)
    for amount in reversed(amounts):
        other.add("usd", spent=amount)

    assert one.account("usd") == other.account("usd") == Account(spent=200 * 124_056_789_001)


def test_a_ledger_loses_nothing_among_threads() -> None:
    ledger = Ledger()

    def work() -> None:
        for _ in range(2000):
            ledger.add("seconds", spent=0.001, price_of_errors=0.002)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ledger.account("seconds") == Account(spent=8 * 10**9, price_of_errors=16 * 10**9)
    assert ledger.account("usd") == Account()


def test_dollars_where_every_model_has_a_price() -> None:
    objective = Objective.resolve(
        ["small", "large"], prices=PRICES, price_of_wrong_usd=0.5, price_per_second_usd=0.1
    )

    assert objective.unit == "usd"
    assert objective.spend("large", Usage(100_000, 0, 2.0)) == pytest.approx(1.0 + 0.2)
    assert objective.error(None) == 0.0
    assert objective.error(1.0) == 0.0
    assert objective.error(0.25) == pytest.approx(0.375)


def test_seconds_where_a_price_is_missing_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "lecmux"):
        objective = Objective.resolve(
            ["small", "large"], prices={"small": Price.free()}, price_of_wrong_seconds=9
        )

    assert objective.unit == "seconds"
    assert objective.spend("small", Usage(10, 10, 2.5)) == 2.5
    assert objective.error(0.0) == 9
    assert [record.getMessage() for record in caplog.records] == [
        "no price for 'large': costs are counted in seconds, not dollars"
    ]


@pytest.mark.parametrize("name", ["price_of_wrong_usd", "price_per_second_usd"])
def test_dollars_are_refused_while_costs_are_seconds(name: str) -> None:
    with pytest.raises(PriceError, match="no price for 'large'"):
        Objective.resolve(["small", "large"], prices={"small": Price(1.0)}, **{name: 0.1})


def test_seconds_are_refused_while_costs_are_dollars() -> None:
    with pytest.raises(PriceError, match="price_of_wrong_usd"):
        Objective.resolve(["small", "large"], prices=PRICES, price_of_wrong_seconds=5)


def test_the_price_of_an_unknown_model_is_refused() -> None:
    with pytest.raises(PriceError, match="'larg'"):
        Objective.resolve(["large"], prices={"larg": Price()})


@pytest.mark.parametrize("amount", [float("nan"), -1.0, float("inf")])
def test_an_impossible_price_of_errors_is_refused(amount: float) -> None:
    with pytest.raises(CostError):
        Objective.resolve(["large"], price_of_wrong_seconds=amount)


def test_tokens_that_were_not_counted_are_never_a_silent_zero() -> None:
    objective = Objective.resolve(["large"], prices={"large": Price(1.0)})

    with pytest.raises(PriceError, match="counts none"):
        objective.spend("large", Usage(seconds=3.0))
