"""Prices of models, as plain objects."""

import math
from dataclasses import dataclass

from lecmux.errors import CostError
from lecmux.query import Usage

__all__ = ["Price", "check_amount"]

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """What one model charges; the three parts add up. All are US dollars.

    Raises:
        CostError: for a part that is NaN, negative or infinite.
    """

    input_usd_per_million: float = 0.0
    output_usd_per_million: float = 0.0
    usd_per_second: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_amount(f"Price.{name}", getattr(self, name))

    @classmethod
    def free(cls) -> "Price":
        """A price of nothing: said out loud, where leaving a price out would be an oversight."""
        return cls()

    @property
    def per_token(self) -> bool:
        """True where tokens are charged, so that a cost needs their count."""
        return self.input_usd_per_million > 0 or self.output_usd_per_million > 0

    def cost_usd(self, usage: Usage) -> float:
        """Dollars for one call."""
        given = usage.input_tokens * self.input_usd_per_million
        made = usage.output_tokens * self.output_usd_per_million
        return (given + made) / _MILLION + usage.seconds * self.usd_per_second


def check_amount(name: str, amount: float) -> None:
    """Refuses an amount that is no finite number of at least 0.

    Raises:
        CostError: naming the amount.
    """
    good = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if not good or not math.isfinite(amount) or amount < 0:
        raise CostError(f"{name} must be a finite number of at least 0, not {amount!r}")
