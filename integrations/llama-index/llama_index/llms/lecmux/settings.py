"""Settings of a `RouterLLM`, checked at once: each error says what to give instead."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from llama_index.core.llms import LLM

from lecmux import AsyncCache, Cache
from lecmux.errors import ConfigError
from lecmux.models import Model
from llama_index.llms.lecmux.model_llm import ModelLLM


def refuse_strangers(settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises a ConfigError for a setting that is not `known`, with the one that was meant."""
    for name in settings:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see its fields"
            raise ConfigError(f"RouterLLM has no setting {name!r}: {hint}")


def checked_models(models: Any) -> dict[str, LLM]:
    """The models as LLMs. Raises a ConfigError for anything else."""
    if not isinstance(models, Mapping) or not models:
        raise ConfigError('models must name at least one: RouterLLM(models={"small": ..., "large": ...})')
    return {name: _as_llm(name, model) for name, model in models.items()}


def _as_llm(name: str, model: Any) -> LLM:
    if isinstance(model, LLM):
        return model
    if isinstance(model, Model):
        return ModelLLM(model=model)
    raise ConfigError(f"the model {name!r} must be an LLM or a lecmux.models.Model, not {model!r}")


def checked_store(cache: Any) -> Cache | AsyncCache | None:
    """The cache; None where it was said to be False. Raises a ConfigError for anything else."""
    if cache is False:
        return None
    if isinstance(cache, (Cache, AsyncCache)):
        return cache
    raise ConfigError(f"cache must be a lecmux Cache or AsyncCache, None or False, not {cache!r}")


def checked_namespace(namespace: str) -> None:
    """Raises a ConfigError for what cannot be part of a key."""
    try:
        namespace.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"namespace must hold no lone surrogates: {namespace!r}") from None
