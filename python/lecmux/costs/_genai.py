"""Reads a model's prices from the package genai-prices, an extra, without asking the network."""

from collections.abc import Iterator, Mapping
from datetime import UTC, time
from importlib.metadata import version
from typing import Any

from lecmux.costs.history import AnyPrice, DatedPrice, PriceHistory
from lecmux.costs.prices import Price
from lecmux.errors import MissingExtraError, PriceError

# The names of genai-prices, and ours; all are US dollars per million tokens.
_PARTS = {
    "input_mtok": "input_usd_per_million",
    "output_mtok": "output_usd_per_million",
    "cache_read_mtok": "cached_input_usd_per_million",
    "cache_write_mtok": "cache_write_usd_per_million",
    "cache_write_1h_mtok": "cache_write_1h_usd_per_million",
    "output_reasoning_mtok": "reasoning_usd_per_million",
    "input_image_mtok": "image_input_usd_per_million",
    "output_image_mtok": "image_output_usd_per_million",
    "input_audio_mtok": "audio_input_usd_per_million",
    "output_audio_mtok": "audio_output_usd_per_million",
}
# US dollars per thousand.
_COUNTS = {
    "requests_kcount": "usd_per_request",
    "web_searches_kcount": "usd_per_web_search",
    "storage_searches_kcount": "usd_per_storage_search",
}
# Tokens of these kinds are charged as the rest of the input or output: no Usage tells them apart.
_FINER = ("cache_", "input_text_mtok", "output_text_", "input_video_", "output_video_", "output_citation_")
# Billed for further tools that a provider runs itself, beside the call. Nothing counts them.
_TOOLS = ("_searches_kcount", "code_executions_kcount")


def find(model: str, provider: str | None) -> AnyPrice | None:
    """The prices of `model`; None where the package knows none.

    Raises:
        MissingExtraError: the package is not installed.
        PriceError: the model is charged by something that is not counted, such as hours of sound.
    """
    try:
        import genai_prices  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError(
            f"no price was given for {model!r}; the list of known ones needs: pip install 'lecmux[prices]'"
        ) from error
    try:
        found = genai_prices.calc_price(genai_prices.Usage(), model, provider_id=provider)
    except LookupError:
        return None
    source = f"genai-prices {version('genai-prices')}: {found.provider.id}/{found.model.id}"
    prices = found.model.prices
    if not isinstance(prices, list):
        return _price(model, prices, source)
    # The last that is in force holds; where none is, the first does.
    steps = [_step(model, each, source, always=place == 0) for place, each in enumerate(prices)]
    return steps[0].price if len(steps) == 1 else PriceHistory(tuple(steps))


def _step(model: str, conditional: Any, source: str, *, always: bool) -> DatedPrice:
    price = _price(model, conditional.prices, source)
    constraint = None if always else conditional.constraint
    if constraint is None:
        return DatedPrice(price)
    if hasattr(constraint, "start_date"):
        return DatedPrice(price, since=constraint.start_date)
    return DatedPrice(price, hours=(_utc(constraint.start_time), _utc(constraint.end_time)))


def _utc(at: time) -> time:
    """The list writes its hours in UTC, with or without saying so."""
    offset = at.utcoffset()
    if offset:
        raise PriceError(f"hours in another zone than {UTC} are not supported: {at}")
    return at.replace(tzinfo=None)


def _price(model: str, prices: Any, source: str) -> Price:
    amounts = {name: value for name, value in vars(prices).items() if value is not None}
    strange = [name for name in amounts if not _known(name)]
    if strange:
        raise PriceError(
            f"{model} is charged by {', '.join(strange)}, which no usage counts: give a Price of your own"
        )
    if not amounts:
        return Price(source=source)
    starts = sorted({tier.start for value in amounts.values() for tier in getattr(value, "tiers", ())})
    price: Price | None = None
    above: int | None = None
    for start in (*reversed(starts), None):
        price = Price(
            **dict(_level(amounts, start)), long_input_tokens=above, long_input=price, source=source
        )
        above = start
    assert price is not None
    return price


def _known(name: str) -> bool:
    return name in _PARTS or name in _COUNTS or name.startswith(_FINER) or name.endswith(_TOOLS)


def _level(amounts: Mapping[str, Any], start: int | None) -> Iterator[tuple[str, Any]]:
    """The amounts in force for a call of more than `start` input tokens; None: of any number."""
    for name, value in amounts.items():
        if name in _PARTS:
            yield _PARTS[name], float(_tier(value, start))
        elif name in _COUNTS:
            yield _COUNTS[name], float(_tier(value, start)) / 1000


def _tier(value: Any, start: int | None) -> Any:
    """A plain amount, or the one of the highest tier that has begun."""
    begun = [tier for tier in getattr(value, "tiers", ()) if start is not None and tier.start <= start]
    if begun:
        return max(begun, key=lambda tier: tier.start).price
    return getattr(value, "base", value)
