"""What one answer costs, in one unit: the money rules.

cost = dollars + seconds x price per second + price of a wrong answer x (1 - quality), or, where not
every model has a price, seconds + price of a wrong answer in seconds x (1 - quality).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lecmux.costs.history import AnyPrice, PriceHistory
from lecmux.costs.prices import Price, check_amount
from lecmux.errors import PriceError
from lecmux.query import Unit, Usage

__all__ = ["Objective"]

_LOGGER = logging.getLogger("lecmux")


@dataclass(frozen=True, slots=True)
class Objective:
    """The unit of all costs of a router, and how to come by them."""

    unit: Unit
    prices: Mapping[str, AnyPrice]
    price_of_wrong: float = 0.0
    price_per_second_usd: float = 0.0

    @classmethod
    def resolve(
        cls,
        models: Sequence[str],
        *,
        prices: Mapping[str, AnyPrice] | None = None,
        price_of_wrong_usd: float = 0.0,
        price_of_wrong_seconds: float = 0.0,
        price_per_second_usd: float = 0.0,
    ) -> "Objective":
        """Dollars where every model has a price, else seconds, which is said once in the log.

        Raises:
            PriceError: for a price of a model that is not there, and for an amount that would not count.
            CostError: for an amount that is NaN, negative or infinite.
        """
        check_amount("price_of_wrong_usd", price_of_wrong_usd)
        check_amount("price_of_wrong_seconds", price_of_wrong_seconds)
        check_amount("price_per_second_usd", price_per_second_usd)
        if prices is not None and not isinstance(prices, Mapping):
            raise PriceError(f"prices must map models to prices, {{'small': Price(...)}}, not {prices!r}")
        given = dict(prices or {})
        _refuse_strangers(models, given)
        missing = [model for model in models if model not in given]
        if not missing:
            if price_of_wrong_seconds:
                raise PriceError(
                    "every model has a price, so costs are dollars: give price_of_wrong_usd, "
                    "not price_of_wrong_seconds"
                )
            return cls("usd", given, price_of_wrong_usd, price_per_second_usd)
        if price_of_wrong_usd or price_per_second_usd:
            raise PriceError(
                f"no price for {_names(missing)}, so costs are seconds: give these models a Price "
                "(Price.free() is one), or price_of_wrong_seconds in place of the dollar amounts"
            )
        _LOGGER.warning("no price for %s: costs are counted in seconds, not dollars", _names(missing))
        return cls("seconds", {}, price_of_wrong_seconds)

    def spend(self, model: str, usage: Usage) -> float:
        """Cost of one call, right or wrong.

        Raises:
            PriceError: when tokens, flops or joules are charged and the usage counts none (0 would be a
                lie), and before the first price of a history.
        """
        if self.unit == "seconds":
            return usage.seconds
        price = self.prices[model].at()
        if lacking := price.lacking(usage):
            raise PriceError(f"{model} is priced by {lacking}, and its reply counts none: give Reply(usage=)")
        return price.cost_usd(usage) + usage.seconds * self.price_per_second_usd

    def wasted(self, model: str, seconds: float) -> float:
        """Cost of a call that took `seconds` and brought no answer: its time, tokens being unknown."""
        if self.unit == "seconds":
            return seconds
        return self.prices[model].cost_usd(Usage(seconds=seconds)) + seconds * self.price_per_second_usd

    def error(self, quality: float | None) -> float:
        """Price of the error in an answer of `quality` in [0, 1]; 0.0 while it is unknown."""
        return 0.0 if quality is None else self.price_of_wrong * (1.0 - quality)


def _refuse_strangers(models: Sequence[str], prices: Mapping[str, AnyPrice]) -> None:
    strangers = [name for name in prices if name not in models]
    if strangers:
        raise PriceError(f"prices for {_names(strangers)}, but the models are {_names(models)}")
    for name, price in prices.items():
        if not isinstance(price, (Price, PriceHistory)):
            raise PriceError(
                f"the price of {name} must be a Price or a PriceHistory, not {type(price).__name__}"
            )


def _names(models: Sequence[str]) -> str:
    return ", ".join(repr(model) for model in models)
