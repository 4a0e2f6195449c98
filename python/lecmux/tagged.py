"""Any value that may stand in a framework's message, as plain JSON and back.

JSON has no tuples, bytes, dates or dictionaries with other keys than strings. Those are written as a tagged
pair `{"~": [tag, payload]}`, from a closed list of tags; a dictionary that itself holds the key "~" is
written that way too, so nothing a user stores can pass for a tag. A pydantic object is written as the
dictionary of its fields.

Nothing in the data names a class. What a tag can make is written down here; a pydantic object comes back as
its class only in the process that stored it, which remembers the class under an opaque token, and as a
dictionary anywhere else (which is how LangChain itself serialises `parsed`).

pydantic itself is never imported here: whoever holds one of its objects has imported it.
"""

import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

__all__ = ["MAX_DEPTH", "Packer", "UnstorableError", "unpack"]

MAX_DEPTH: Final = 100
"""Levels of nesting that are stored; LangChain itself stops at 200."""


class UnstorableError(ValueError):
    """The value holds something outside the schema; it is served to its caller and not stored."""


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_tokens: WeakKeyDictionary[type, str] = WeakKeyDictionary()
_classes: WeakValueDictionary[str, type] = WeakValueDictionary()


class Packer:
    """Turns values into JSON; `tagged` tells afterwards whether any tag was needed."""

    __slots__ = ("tagged",)

    def __init__(self) -> None:
        self.tagged = False

    def pack(self, value: Any, depth: int = 0) -> Any:
        """`value` as something `json.dumps` writes without loss.

        Raises:
            UnstorableError: a type outside the schema, or nesting beyond `MAX_DEPTH`.
        """
        if type(value) in _PLAIN:
            return value
        if depth > MAX_DEPTH:
            raise UnstorableError(f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, list):
            return [self.pack(item, depth + 1) for item in value]
        return self._other(value, depth + 1)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Any:
        packed = {}
        for name, item in value.items():
            if type(name) is not str or name == "~":
                pairs = [[self.pack(k, depth), self.pack(v, depth)] for k, v in value.items()]
                return self._tag("dict", pairs)
            packed[name] = item if type(item) in _PLAIN else self.pack(item, depth)
        return packed

    def _other(self, value: Any, depth: int) -> Any:
        # Subclasses of the plain types (a string enum, a numpy float) stay equal to what they are stored as.
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, (int, float)):
            return int(value) if isinstance(value, int) else float(value)
        if _is_pydantic(value):
            fields = {name: self.pack(item, depth) for name, item in value}
            return self._tag("model", [_token(type(value)), fields])
        for kind, tag, write in _WRITERS:
            if isinstance(value, kind):
                return self._tag(tag, write(value))
        if isinstance(value, (tuple, frozenset, set)):
            tag = next(tag for kind, tag in _COLLECTIONS if isinstance(value, kind))
            return self._tag(tag, [self.pack(item, depth) for item in value])
        raise UnstorableError(f"a value of type {type(value).__name__}")

    def _tag(self, tag: str, payload: Any) -> dict[str, Any]:
        self.tagged = True
        return {"~": [tag, payload]}


def unpack(value: Any) -> Any:
    """The inverse of `Packer.pack`, for data in which a tag may stand.

    Raises:
        UnstorableError: an unknown tag, or a payload that does not fit its tag.
    """
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "~" not in value:
        return {name: unpack(item) for name, item in value.items()}
    try:
        tag, payload = value["~"]
        return _READERS[tag](payload)
    except UnstorableError:
        raise
    except Exception as error:
        raise UnstorableError("a tagged value that does not fit the schema") from error


def _is_pydantic(value: Any) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _token(kind: type) -> str:
    """A random name for a class, known to this process alone and as long as the class lives."""
    token = _tokens.setdefault(kind, token_hex(12))
    _classes[token] = kind
    return token


def _read_model(payload: Any) -> Any:
    token, fields = payload
    fields = unpack(fields)
    if not isinstance(fields, dict):
        raise UnstorableError("an object whose fields are no dictionary")
    kind: Any = _classes.get(token)
    if kind is None:
        return fields
    try:
        return kind.model_validate(fields["root"] if kind.__pydantic_root_model__ else fields)
    except ValueError:  # fields under an alias, or rules that only hold for raw input
        return fields


_WRITERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (bytes, "bytes", lambda value: b64encode(value).decode()),
    (bytearray, "bytes", lambda value: b64encode(value).decode()),
    (datetime, "datetime", datetime.isoformat),  # before date: every datetime is one
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    (Decimal, "decimal", str),
    (UUID, "uuid", str),
)
_COLLECTIONS: tuple[tuple[type, str], ...] = ((tuple, "tuple"), (frozenset, "frozenset"), (set, "set"))
_READERS: dict[str, Callable[[Any], Any]] = {
    "dict": lambda payload: {unpack(name): unpack(item) for name, item in payload},
    "model": _read_model,
    "bytes": lambda payload: b64decode(payload, validate=True),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda payload: timedelta(*payload),
    "decimal": Decimal,
    "uuid": UUID,
    "tuple": lambda payload: tuple(unpack(item) for item in payload),
    "frozenset": lambda payload: frozenset(unpack(item) for item in payload),
    "set": lambda payload: {unpack(item) for item in payload},
}
