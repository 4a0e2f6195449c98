"""What the headers of a response say of when to ask again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_KINDS = ("requests", "tokens")
_UNITS_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a response asks to wait: `retry-after-ms`, or `Retry-After` as seconds or a date."""
    for name, unit_seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_seconds
        except ValueError:
            continue
        return seconds if 0.0 <= seconds < float("inf") else None
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except (TypeError, ValueError):
        return None
    return _until(date)


def used_up_seconds(headers: Mapping[str, str]) -> float:
    """Seconds until a rate limit that this call used up is there again; 0.0 where something is left.

    `x-ratelimit-remaining-requests: 0` and `x-ratelimit-reset-requests: 6m0s`, as OpenAI, Azure, Groq and
    others send them, and the same of tokens.
    """
    resets = [
        _span_seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))
        for kind in _KINDS
        if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"
    ]
    return max(resets, default=0.0)


def _span_seconds(text: str) -> float:
    """A span such as "1s", "6m0s", "120ms", a number of seconds, or a date; 0.0 for what is none."""
    text = text.strip()
    if _SPAN.fullmatch(text):
        return sum(float(amount) * _UNITS_SECONDS[unit] for amount, unit in _PART.findall(text))
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if 0.0 <= seconds < float("inf") else 0.0
    try:
        return _until(datetime.fromisoformat(text))
    except ValueError:
        return 0.0


def _until(date: datetime) -> float:
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())
