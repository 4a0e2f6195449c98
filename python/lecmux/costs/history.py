"""Prices that change: from a day on, or by the hour of the day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from lecmux.costs.prices import Price, price_from_spec
from lecmux.errors import CostError, PriceError
from lecmux.query import Usage

__all__ = ["AnyPrice", "DatedPrice", "PriceHistory"]


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """A price with the time when it is in force, in UTC.

    Attributes:
        price: the price.
        since: its first day; None: always.
        hours: its daily interval, the end left out; one that ends before it starts runs past midnight.
            None: all day.
    """

    price: Price
    since: date | None = None
    hours: tuple[time, time] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.price, Price):
            raise CostError(f"DatedPrice.price must be a Price, not {self.price!r}")
        if self.since is not None and (not isinstance(self.since, date) or isinstance(self.since, datetime)):
            raise CostError(f"DatedPrice.since must be a datetime.date, not {self.since!r}")

    def in_force(self, when: datetime) -> bool:
        """Whether it holds at `when`, given in UTC."""
        if self.since is not None and when.date() < self.since:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        now = when.time()
        return start <= now < end if start <= end else now >= start or now < end


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """The prices of one model over time. Of the steps in force, the last in order holds.

    >>> from datetime import date
    >>> history = PriceHistory.of({date(2026, 1, 1): Price(3.0, 15.0), date(2026, 12, 1): Price(2.0, 10.0)})
    >>> history.at(datetime(2026, 6, 1, tzinfo=UTC)).input_usd_per_million
    3.0
    """

    steps: tuple[DatedPrice, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise CostError(
                "a PriceHistory needs at least one step: PriceHistory.of({date(...): Price(...)})"
            )

    @classmethod
    def of(cls, prices: "Mapping[date, Price]") -> "PriceHistory":
        """Each price from its day on.

        Raises:
            CostError: for a key that is no date, a value that is no Price, or none at all.
        """
        steps = [DatedPrice(price, since) for since, price in prices.items()]
        return cls(tuple(sorted(steps, key=lambda step: step.since or date.min)))

    @property
    def per_token(self) -> bool:
        """True where tokens are charged at some time."""
        return any(step.price.per_token for step in self.steps)

    def at(self, when: datetime | None = None) -> Price:
        """The price in force at `when`; None: now. A time without a zone is taken as UTC.

        Raises:
            PriceError: before the first price.
        """
        utc = _utc(when)
        for step in reversed(self.steps):
            if step.in_force(utc):
                return step.price
        first = min((step.since for step in self.steps if step.since is not None), default="later hours")
        raise PriceError(
            f"no price is known for {utc.date()}: the first is from {first}; add a DatedPrice before"
        )

    def lacking(self, usage: Usage) -> str | None:
        """As `Price.lacking`, by the price in force now."""
        return self.at().lacking(usage)

    def cost_usd(self, usage: Usage, when: datetime | None = None) -> float:
        """Dollars for one call at `when`; None: now.

        Raises:
            PriceError: before the first price.
        """
        return self.at(when).cost_usd(usage)

    def _spec(self) -> dict[str, Any]:
        """As JSON."""
        return {"steps": [_step_spec(step) for step in self.steps]}


AnyPrice = Price | PriceHistory
"""What stands for a price wherever one is asked for."""


def any_price_from_spec(spec: Mapping[str, Any]) -> AnyPrice:
    """The price or history that `_spec` described.

    Raises:
        KeyError, TypeError, ValueError: for what no price describes itself as.
    """
    if "steps" not in spec:
        return price_from_spec(spec)
    return PriceHistory(tuple(_step_from_spec(step) for step in spec["steps"]))


def _step_spec(step: DatedPrice) -> dict[str, Any]:
    spec: dict[str, Any] = step.price._spec()
    if step.since is not None:
        spec["since"] = step.since.isoformat()
    if step.hours is not None:
        spec["hours"] = [each.isoformat() for each in step.hours]
    return spec


def _step_from_spec(spec: Mapping[str, Any]) -> DatedPrice:
    parts = dict(spec)
    since, hours = parts.pop("since", None), parts.pop("hours", None)
    start_end = None
    if hours is not None:
        start, end = hours
        start_end = time.fromisoformat(start), time.fromisoformat(end)
    return DatedPrice(price_from_spec(parts), None if since is None else date.fromisoformat(since), start_end)


def _utc(when: datetime | None) -> datetime:
    if when is None:
        return datetime.now(UTC)
    return when.astimezone(UTC) if when.tzinfo else when
