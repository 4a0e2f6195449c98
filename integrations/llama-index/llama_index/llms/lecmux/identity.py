"""What tells the models of one router from others of the same names: a digest of their settings."""

import re
from collections.abc import Mapping
from typing import Any, Final

from llama_index.core.llms import LLM

from llama_index.llms.lecmux.canonical import UnstableKeyError, digest, plain, written

# How a model is reached changes no answer; credentials do not belong into a key.
_CONNECTION: Final = re.compile(
    r"(^|_)(api_key|secret|password|credentials?|access_token|headers?|timeout|max_retries|client|verbose)(_|$)"
)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def identity(models: Mapping[str, LLM]) -> str:
    """32 hex digits; read anew for each call, since models can be changed in use."""
    return digest(written([[name, _settings(model)] for name, model in models.items()]).encode())


def _settings(model: LLM) -> dict[str, Any]:
    kind = type(model)
    said: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__qualname__}", "about": plain(model.metadata)}
    for name, field in kind.model_fields.items():
        if not field.exclude and not _CONNECTION.search(name):
            said[name] = _stable(getattr(model, name))
    return said


def _stable(value: Any) -> Any:
    """An address says nothing of a model's settings, and would make every process a stranger."""
    try:
        return plain(value)
    except UnstableKeyError:
        return _ADDRESS.sub("", repr(value))
