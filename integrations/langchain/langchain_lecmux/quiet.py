"""A model's answer without the run that LangChain describes even when nobody listens.

To describe a run (its parameters, its metadata, who may hear of it) takes longer than all that lecmux does to
a request. Where `open_run` found no listener and the model has none of its own, that description is made for
nobody, and the model is asked by the step behind it: its own cache, rate limiter and streaming stay.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, BaseRunManager, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration
from langchain_core.runnables import RunnableConfig
from uuid_utils.compat import uuid7

Manager = TypeVar("Manager", bound=BaseRunManager)

_FOR_TRACERS: Final = frozenset({"ls_structured_output_format", "structured_output_format"})
# Private to LangChain: a release without them has every model asked the long way.
_STEPS: Final = hasattr(BaseChatModel, "_generate_with_cache") and hasattr(
    BaseChatModel, "_agenerate_with_cache"
)


def applies(model: BaseChatModel, messages: Sequence[BaseMessage], config: RunnableConfig) -> bool:
    """Whether `generate` would do nothing but describe a run to nobody, and ask the model.

    It also rewrites older forms of content blocks; where there are blocks, that is left to it.
    """
    if config.get("callbacks") or model.callbacks or model.verbose:
        return False
    kind = type(model)
    if kind.generate is not BaseChatModel.generate or kind.agenerate is not BaseChatModel.agenerate:
        return False
    return _STEPS and all(type(message.content) is str for message in messages)


def answered(
    model: BaseChatModel, messages: list[BaseMessage], config: RunnableConfig, options: Mapping[str, Any]
) -> list[ChatGeneration]:
    """As `model.generate([messages], ...)`, where it `applies`."""
    manager = _unheard(CallbackManagerForLLMRun, model, config)
    return model._generate_with_cache(messages, run_manager=manager, **_settings(options)).generations


async def aanswered(
    model: BaseChatModel, messages: list[BaseMessage], config: RunnableConfig, options: Mapping[str, Any]
) -> list[ChatGeneration]:
    """As `answered`, awaited."""
    manager = _unheard(AsyncCallbackManagerForLLMRun, model, config)
    result = await model._agenerate_with_cache(messages, run_manager=manager, **_settings(options))
    return result.generations


def _unheard(kind: type[Manager], model: BaseChatModel, config: RunnableConfig) -> Manager:
    """The run as the model may see it: what it asks of its own accord belongs to it."""
    tags, metadata = config.get("tags") or [], config.get("metadata") or {}
    return kind(
        run_id=config.get("run_id") or uuid7(),
        handlers=[],
        inheritable_handlers=[],
        tags=[*tags, *(model.tags or ())],
        inheritable_tags=[*tags],
        metadata={**metadata, **(model.metadata or {})},
        inheritable_metadata={**metadata},
    )


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _FOR_TRACERS}
