"""Prices of models, as plain objects."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from lecmux.errors import CostError
from lecmux.query import Usage

__all__ = ["Price", "check_amount"]

_MILLION = 1_000_000
_PETA = 1e15
_JOULES_PER_KILOWATT_HOUR = 3_600_000.0
_FOR_AN_HOUR = "cache_write_1h_usd_per_million"


class _Parts(NamedTuple):
    """Parts of the tokens of one direction: reads their counts off a usage, and names the price of each."""

    counts: Callable[[Usage], tuple[int, ...]]
    prices: tuple[str, ...]


_INPUT_PARTS = _Parts(
    attrgetter(
        "cached_input_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "image_input_tokens",
        "audio_input_tokens",
    ),
    (
        "cached_input_usd_per_million",
        "cache_write_usd_per_million",
        _FOR_AN_HOUR,
        "image_input_usd_per_million",
        "audio_input_usd_per_million",
    ),
)
_OUTPUT_PARTS = _Parts(
    attrgetter("reasoning_tokens", "image_output_tokens", "audio_output_tokens"),
    ("reasoning_usd_per_million", "image_output_usd_per_million", "audio_output_usd_per_million"),
)


@dataclass(frozen=True, slots=True)
class Price:
    """What one model charges, in US dollars; the parts add up.

    A part of the tokens whose price is None costs what the rest of the input or output costs.

    Attributes:
        input_usd_per_million: per million input tokens.
        output_usd_per_million: per million output tokens.
        usd_per_second: per second of the call.
        cached_input_usd_per_million: per million input tokens read from the provider's prompt cache.
        cache_write_usd_per_million: per million input tokens written to it.
        reasoning_usd_per_million: per million output tokens that are not shown.
        image_input_usd_per_million: per million input tokens of images.
        image_output_usd_per_million: per million output tokens of images.
        audio_input_usd_per_million: per million input tokens of sound.
        audio_output_usd_per_million: per million output tokens of sound.
        usd_per_request: per call.
        usd_per_petaflop: per 10^15 floating-point operations that the usage counts.
        usd_per_kilowatt_hour: per 3.6 million joules that the usage counts.
        long_input_tokens: a call with more input tokens than this is charged at `long_input`.
        long_input: the price of all of such a call.
        source: where the price comes from; no part of its value.
        cache_write_1h_usd_per_million: per million input tokens written to that cache for an hour; None takes
            `cache_write_usd_per_million`.
        usd_per_web_search: per search of the web that the provider makes.
        usd_per_storage_search: per search of the files that are stored with it.

    Raises:
        CostError: for a part that is NaN, negative or infinite.
    """

    input_usd_per_million: float = 0.0
    output_usd_per_million: float = 0.0
    usd_per_second: float = 0.0
    cached_input_usd_per_million: float | None = None
    cache_write_usd_per_million: float | None = None
    reasoning_usd_per_million: float | None = None
    image_input_usd_per_million: float | None = None
    image_output_usd_per_million: float | None = None
    audio_input_usd_per_million: float | None = None
    audio_output_usd_per_million: float | None = None
    usd_per_request: float = 0.0
    usd_per_petaflop: float = 0.0
    usd_per_kilowatt_hour: float = 0.0
    long_input_tokens: int | None = None
    long_input: "Price | None" = None
    source: str = field(default="", compare=False)
    cache_write_1h_usd_per_million: float | None = None
    usd_per_web_search: float = 0.0
    usd_per_storage_search: float = 0.0

    def __post_init__(self) -> None:
        for name in _AMOUNTS:
            amount = getattr(self, name)
            if amount is not None or name not in _OPTIONAL:
                check_amount(f"Price.{name}", amount)
        if (self.long_input_tokens is None) != (self.long_input is None):
            raise CostError("Price.long_input_tokens and Price.long_input go together: give both or neither")
        if self.long_input is not None and not isinstance(self.long_input, Price):
            raise CostError(f"Price.long_input must be a Price, not {self.long_input!r}")

    @classmethod
    def free(cls) -> "Price":
        """A price of nothing: said out loud, where leaving a price out would be an oversight."""
        return cls(source="free")

    @classmethod
    def per_hour(cls, usd: float) -> "Price":
        """A machine that is rented for `usd` an hour and answers one call at a time."""
        check_amount("usd", usd)
        return cls(usd_per_second=usd / 3600, source="rent by the hour")

    @classmethod
    def from_flops(cls, parameters: float, *, usd_per_petaflop: float) -> "Price":
        """A local model of so many parameters, where it does not count its operations.

        A token takes about two operations for each parameter (Kaplan et al. 2020, arXiv:2001.08361,
        section 2.1), given or generated.
        """
        check_amount("parameters", parameters)
        check_amount("usd_per_petaflop", usd_per_petaflop)
        usd = 2 * parameters / _PETA * usd_per_petaflop * _MILLION
        return cls(usd, usd, source="two operations a parameter and token")

    @classmethod
    def from_watts(cls, watts: float, *, usd_per_kilowatt_hour: float) -> "Price":
        """A local model that draws `watts` while it answers, where it does not count its joules."""
        check_amount("watts", watts)
        check_amount("usd_per_kilowatt_hour", usd_per_kilowatt_hour)
        usd = watts / _JOULES_PER_KILOWATT_HOUR * usd_per_kilowatt_hour
        return cls(usd_per_second=usd, source="watts while it answers")

    @property
    def per_token(self) -> bool:
        """True where tokens are charged, so that a cost needs their count."""
        return any(getattr(self, name) for name in _PER_TOKEN)

    def at(self, when: datetime | None = None) -> "Price":
        """The price in force at a time: this one, always."""
        return self

    def lacking(self, usage: Usage) -> str | None:
        """The count without which `usage` would cost too little: "tokens", "flops" or "joules"; else None."""
        if not (usage.input_tokens or usage.output_tokens) and self.per_token:
            return "tokens"
        if self.usd_per_petaflop and not usage.flops:
            return "flops"
        if self.usd_per_kilowatt_hour and not usage.joules:
            return "joules"
        return None

    def cost_usd(self, usage: Usage, when: datetime | None = None) -> float:
        """Dollars for one call."""
        if self.long_input is not None and usage.input_tokens > (self.long_input_tokens or 0):
            return self.long_input.cost_usd(usage, when)
        tokens = self._tokens(usage, usage.input_tokens, self.input_usd_per_million, _INPUT_PARTS)
        tokens += self._tokens(usage, usage.output_tokens, self.output_usd_per_million, _OUTPUT_PARTS)
        return (
            tokens / _MILLION
            + usage.seconds * self.usd_per_second
            + self.usd_per_request
            + usage.web_searches * self.usd_per_web_search
            + usage.storage_searches * self.usd_per_storage_search
            + usage.flops / _PETA * self.usd_per_petaflop
            + usage.joules / _JOULES_PER_KILOWATT_HOUR * self.usd_per_kilowatt_hour
        )

    def _tokens(self, usage: Usage, total: int, usual: float, parts: _Parts) -> float:
        """Dollars per million times tokens, of one direction."""
        cost, rest = 0.0, total
        counts = parts.counts(usage)
        if any(counts):
            for count, name in zip(counts, parts.prices, strict=True):
                price = getattr(self, name)
                if price is None and name == _FOR_AN_HOUR:
                    price = self.cache_write_usd_per_million
                cost += count * (usual if price is None else price)
                rest -= count
        return cost + max(0, rest) * usual

    def _spec(self) -> dict[str, Any]:
        """As JSON; the parts that say nothing are left out."""
        spec = {name: value for name, value in asdict(self).items() if value != _DEFAULTS[name]}
        if self.long_input is not None:
            spec["long_input"] = self.long_input._spec()
        return spec


def price_from_spec(spec: Mapping[str, Any]) -> Price:
    """What `Price._spec` described."""
    parts = dict(spec)
    if parts.get("long_input") is not None:
        parts["long_input"] = price_from_spec(parts["long_input"])
    return Price(**parts)


def check_amount(name: str, amount: float) -> None:
    """Refuses an amount that is no finite number of at least 0.

    Raises:
        CostError: naming the amount.
    """
    good = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    if not good or not math.isfinite(amount) or amount < 0:
        raise CostError(f"{name} must be a finite number of at least 0, not {amount!r}")


_DEFAULTS = {each.name: each.default for each in fields(Price)}
_AMOUNTS = tuple(name for name in _DEFAULTS if name not in {"long_input", "source"})
_OPTIONAL = frozenset(name for name in _AMOUNTS if _DEFAULTS[name] is None)
_PER_TOKEN = tuple(name for name in _AMOUNTS if name.endswith("_usd_per_million"))
