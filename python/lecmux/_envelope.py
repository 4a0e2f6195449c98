"""How the pipeline stores an answer: the value, and who answered at what cost.

Layout: `A`, the kind of payload, a JSON header on one line, a newline, the payload. The header cannot hold a
newline, and the payload is not escaped, so a long text costs no more than itself.

Amounts are whole billionths, the clock is in whole milliseconds, and each is padded to one width: a measured
duration must not decide by its digits how large an entry is, and so what is evicted.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from lecmux._core import Encoded
from lecmux.errors import ValueTypeError
from lecmux.values import decode_json, decode_value, encode_json, encode_value

_ANSWER = b"A"
_TEXT, _BYTES, _JSON = b"s", b"b", b"j"
_NANO, _MILLI = 1_000_000_000, 1_000
_WIDTH = 13  # holds three hours in nanoseconds, and today in milliseconds


class Entry(NamedTuple):
    """A stored answer.

    Attributes:
        value: what the model returned.
        model: the model that answered; None for a value stored by hand.
        cost: paid for the call, in the unit of the cache.
        seconds: wall time of the call.
        stored_at: when, by the clock of the cache.
        origin: id of the decision that produced it.
        saved: by routing when the answer was made, in the same unit.
    """

    value: Any
    model: str | None = None
    cost: float = 0.0
    seconds: float = 0.0
    stored_at: float | None = None
    origin: str | None = None
    saved: float = 0.0


def seal(entry: Entry) -> Encoded:
    """Encodes an entry.

    Raises:
        ValueTypeError: when its value is outside the closed schema.
    """
    value = entry.value
    if value is None:
        encode_value(value)  # raises
    if isinstance(value, bytes):
        kind, payload = _BYTES, bytes(value)
    elif isinstance(value, str):
        kind, payload = _TEXT, str.encode(value, "utf-8", "surrogatepass")
    else:
        kind, payload = _JSON, encode_json(value)
    # Formatted here, since `json.dumps` would drop the spaces, and takes longer than the rest together.
    stored_at = "null" if entry.stored_at is None else _padded(entry.stored_at, _MILLI)
    header = (
        f"[{_text(entry.model)},{_padded(entry.cost, _NANO)},{_padded(entry.seconds, _NANO)},"
        f"{_padded(entry.saved, _NANO)},{stored_at},{_text(entry.origin)}]\n"
    )
    return Encoded(b"".join((_ANSWER, kind, header.encode(), payload)))


def unseal(data: bytes) -> Entry:
    """Decodes what is kept as encoded bytes, sealed or stored by hand; the value is a fresh copy."""
    if data[:1] != _ANSWER:
        return Entry(decode_value(data))
    about, end = _about(data)
    return about._replace(value=_open(data[1:2], data[end:]))


def unsealed_but_value(data: bytes) -> Entry:
    """As `unseal`, with None in place of the value, which is not decoded."""
    return _about(data)[0] if data[:1] == _ANSWER else Entry(None)


def entry_in(value: object) -> Entry:
    """The entry behind the value of a hit; a str or bytes stored by hand comes bare."""
    return value if isinstance(value, Entry) else Entry(value)


def _text(text: str | None) -> str:
    """As JSON, in ASCII."""
    return "null" if text is None else encode_basestring_ascii(text)


def _padded(amount: float, parts: int) -> str:
    """Whole parts of `amount`, right-aligned; JSON allows the spaces."""
    return f"{round(amount * parts):{_WIDTH}}"


def _about(data: bytes) -> tuple[Entry, int]:
    """What stands beside the value, and where the value begins."""
    end = data.index(b"\n")
    model, cost, seconds, saved, stored_at, origin = json.loads(data[2:end].decode())
    at = None if stored_at is None else stored_at / _MILLI
    return Entry(None, model, cost / _NANO, seconds / _NANO, at, origin, saved / _NANO), end + 1


def _open(kind: bytes, payload: bytes) -> Any:
    if kind == _TEXT:
        return payload.decode("utf-8", "surrogatepass")
    if kind == _BYTES:
        return payload
    if kind == _JSON:
        return decode_json(payload)
    raise ValueTypeError(f"an answer of the unknown kind {kind!r}: it was not written by this version")
