"""The prices of known models, with your own before them."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lecmux.costs import _genai
from lecmux.costs.history import AnyPrice, DatedPrice, PriceHistory, any_price_from_spec
from lecmux.costs.prices import Price
from lecmux.errors import ConfigError, MissingExtraError, PriceError

__all__ = ["PriceList"]

_MOST_NAMES = 1024


class PriceList:
    """Finds the price of a model by its name: in `overrides`, else in the package `genai-prices`.

    >>> prices = PriceList({"my-model": Price(1.0, 4.0)})
    >>> prices.price("my-model").output_usd_per_million
    4.0

    `Price.source` says where a price comes from. The package is read as it is installed; it can fetch newer
    prices itself (`genai_prices.UpdatePrices`). It knows a model by any name its providers use; write
    "provider:model" where several sell it.

    Args:
        overrides: by the name you look up. A `Price` stands alone. A `PriceHistory` goes before the list from
            its first day on: before that day the list holds, where it knows the model.

    Raises:
        ConfigError: for an override that is no price.
    """

    def __init__(self, overrides: Mapping[str, AnyPrice] | None = None) -> None:
        self._overrides = dict(overrides or {})
        for name, price in self._overrides.items():
            if not isinstance(price, (Price, PriceHistory)):
                raise ConfigError(f"the price of {name!r} must be a Price or a PriceHistory, not {price!r}")
        self._found: dict[str, AnyPrice | None] = {}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PriceList":
        """A list with the overrides of a JSON file.

        The file maps a model's name to one price, or to a list of prices with the day each holds from:

            {"my-model": [{"since": "2026-12-01", "input_usd_per_million": 2, "output_usd_per_million": 8}]}

        Raises:
            ConfigError: for a file that is no such list, naming the model.
            OSError: when it cannot be read.
        """
        try:
            written = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls({str(name): _written(path, name, spec) for name, spec in written.items()})
        except (AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ConfigError(f"{path} must hold a JSON object of prices by model: {error}") from error

    def price(self, model: str) -> AnyPrice:
        """The price of a model.

        Raises:
            PriceError: nobody knows it, or it is charged by something that is not counted.
            MissingExtraError: the package is needed and not installed.
        """
        if not isinstance(model, str):
            raise PriceError(f"a price is found by the name of a model, a str, not {model!r}")
        price = self.get(model)
        if price is None:
            raise PriceError(
                f"no price is known for {model!r}: give PriceList({{{model!r}: Price(...)}}), with "
                "Price.free() for a model that costs nothing"
            )
        return price

    def prices(self, models: Mapping[str, str] | Sequence[str]) -> dict[str, AnyPrice]:
        """Prices for `Router(prices=)` and the like.

        Args:
            models: names as the list knows them; or your names, each with the one the list knows.

        Raises:
            PriceError: for a model without a price.
        """
        named = models if isinstance(models, Mapping) else {name: name for name in models}
        return {name: self.price(known) for name, known in named.items()}

    def get(self, model: str) -> AnyPrice | None:
        """The price of a model, or None where nobody knows it.

        Raises:
            PriceError: it is charged by something that is not counted.
            MissingExtraError: the package is needed and not installed.
        """
        try:
            return self._found[model]
        except KeyError:
            price = self._find(model)
        if len(self._found) < _MOST_NAMES:
            self._found[model] = price
        return price

    def _find(self, model: str) -> AnyPrice | None:
        own = self._overrides.get(model)
        if isinstance(own, Price):
            return own
        try:
            known = _listed(model)
        except MissingExtraError:
            if own is None:
                raise
            known = None
        if own is None or known is None:
            return own or known
        earlier = known.steps if isinstance(known, PriceHistory) else (DatedPrice(known),)
        return PriceHistory((*earlier, *own.steps))


def _listed(model: str) -> AnyPrice | None:
    """What the package knows, of the named provider where one is named."""
    provider, colon, name = model.partition(":")
    return (_genai.find(name, provider) if colon else None) or _genai.find(model, None)


def _written(path: str | os.PathLike[str], name: str, spec: Any) -> AnyPrice:
    try:
        return any_price_from_spec({"steps": spec} if isinstance(spec, list) else spec)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: the price of {name!r} cannot be used: {error}") from error
