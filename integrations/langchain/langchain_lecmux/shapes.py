"""The shapes that LangChain's entry points take and give."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.callbacks import Callbacks
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.runnables import RunnableConfig

from langchain_lecmux.asking import CACHE, OURS, ROUTE
from langchain_lecmux.generated import Generated
from lecmux.query import CacheMode, check_cache_mode

_RUN_SETTINGS: Final = frozenset({"tags", "metadata", "run_name", "run_id"})


def with_ours(config: RunnableConfig, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a call, with what its config says to the router."""
    said = config.get("configurable", {})
    ours = {name: said[name] for name in OURS if said.get(name) is not None}
    return {**ours, **kwargs} if ours else kwargs


def mode_of(config: RunnableConfig | None) -> CacheMode:
    """What a config says of the cache.

    Raises:
        ConfigError: an unknown word.
    """
    said = config and config.get("configurable")
    return check_cache_mode(said.get(CACHE) or "use") if said else "use"


def route_of(config: RunnableConfig | None) -> str | None:
    """The one that a config says must answer."""
    route: str | None = (config or {}).get("configurable", {}).get(ROUTE)
    return route


def run_config(callbacks: Callbacks, kwargs: Mapping[str, Any]) -> RunnableConfig:
    """What `generate` is told of the run, as a config."""
    config = RunnableConfig(callbacks=callbacks)
    if tags := kwargs.get("tags"):
        config["tags"] = tags
    if metadata := kwargs.get("metadata"):
        config["metadata"] = metadata
    if run_name := kwargs.get("run_name"):
        config["run_name"] = run_name
    if run_id := kwargs.get("run_id"):
        config["run_id"] = run_id
    return config


def settings_of(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of what `generate` is given: what changes the answer."""
    return {name: value for name, value in kwargs.items() if name not in _RUN_SETTINGS}


def llm_result(answers: Sequence[Generated]) -> LLMResult:
    """Answers in the shape of `generate`."""
    return LLMResult(generations=[list(answer.generations) for answer in answers], llm_output={})


def chat_result(answer: Generated) -> ChatResult:
    """One answer in the shape of `_generate`."""
    generations = [each for each in answer.generations if isinstance(each, ChatGeneration)]
    return ChatResult(generations=generations)
