"""What tells the models of one router from others of the same names: a digest of their settings."""

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from llama_index.core.llms import LLM

from llama_index.llms.lecmux.canonical import UnstableKeyError, digest, plain, written

# How a model is reached changes no answer; credentials do not belong into a key.
_CONNECTION: Final = re.compile(
    r"(^|_)(api_key|secret|password|credentials?|access_token|headers?|timeout|max_retries|client|verbose)(_|$)"
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


_PLAIN: Final = frozenset({str, bool, int, float, type(None)})
_MOST_KNOWN: Final = 256
_known: dict[tuple[Any, ...], str] = {}


def identity(models: Mapping[str, LLM]) -> str:
    """32 hex digits; read anew for each call, since models can be changed in use, but written once."""
    seen = tuple((name, _seen(model)) for name, model in models.items())
    if any(values is None for _, values in seen):
        return _written_out(models)
    found = _known.get(seen)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[seen] = _written_out(models)
    return found


def _seen(model: LLM) -> tuple[Any, ...] | None:
    """All that the identity of a model is made of, where two such tuples are equal for equal models only.

    None where something among it can change in place.
    """
    about = model.metadata
    values = [*vars(about).values(), *(getattr(model, name) for name in _names(type(model)))]
    kinds = tuple(map(type, values))
    for place, kind in enumerate(kinds):
        if kind in _PLAIN or issubclass(kind, Enum):
            continue
        if values[place] or kind not in {dict, list}:
            return None
        values[place] = None  # empty, as its kind says
    return (type(model), type(about), kinds, *values)


def _written_out(models: Mapping[str, LLM]) -> str:
    return digest(written([[name, _settings(model)] for name, model in models.items()]).encode())


@lru_cache(maxsize=_MOST_KNOWN)
def _names(kind: type[LLM]) -> tuple[str, ...]:
    """The fields that may change an answer."""
    fields = kind.model_fields.items()
    return tuple(name for name, field in fields if not field.exclude and not _CONNECTION.search(name))


def _settings(model: LLM) -> dict[str, Any]:
    kind = type(model)
    said: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__qualname__}", "about": plain(model.metadata)}
    return said | {name: _stable(getattr(model, name)) for name in _names(kind)}


def _stable(value: Any) -> Any:
    """An address says nothing of a model's settings, and would make every process a stranger."""
    try:
        return plain(value)
    except UnstableKeyError:
        return _ADDRESS.sub("", repr(value))
