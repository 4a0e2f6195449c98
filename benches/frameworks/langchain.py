"""LangChain: the bare model, its own cache, `LECCache` and `ChatRouter`, with and without listeners."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from langchain_core.caches import BaseCache, InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers import BaseTracer

from benches.frameworks.questions import (
    ANSWER,
    HIT,
    HOT,
    INPUT_TOKENS,
    MISS,
    OUTPUT_TOKENS,
    PRICES,
    Tasks,
    fresh,
)
from langchain_lecmux import ChatRouter, LECCache, codec

BARE: Final = "bare model"
MEMORY: Final = "InMemoryCache"
OURS: Final = "LECCache"
ROUTER: Final = "ChatRouter"
ALONE: Final = "ChatRouter without a cache"
LISTENERS: Final = ("", ", a callback handler", ", a tracer")
COPY: Final = "(LECCache's copy of the answer)"
_LLM: Final = "[('_type', 'instant'), ('model', 'large'), ('stop', None)]"


class InstantChat(BaseChatModel):
    """Gives one answer at once."""

    model: str = "instant"

    @property
    def _llm_type(self) -> str:
        return "instant"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=_message(self.model))])


class _Handler(BaseCallbackHandler):
    """Hears of everything and does nothing."""

    run_inline = True


class _Tracer(BaseTracer):
    """Builds every run and keeps none."""

    run_inline = True

    def _persist_run(self, run: Any) -> None:
        pass


def calls() -> Tasks:
    """The bare model; and a hit, the hot question, and a miss, a new one each time, of each cache."""
    tasks: Tasks = {}
    for listeners, config in _configs():
        tasks[BARE + listeners] = _asking(InstantChat(cache=False), config)
        caching = {
            MEMORY: InstantChat(cache=InMemoryCache()),
            OURS: InstantChat(cache=LECCache()),
            ROUTER: _router(LECCache()),
        }
        for name, model in caching.items():
            tasks[name + listeners + HIT] = partial(model.invoke, HOT, config)
            tasks[name + listeners + MISS] = _asking(model, config)
        tasks[ALONE + listeners + MISS] = _asking(_router(False), config)
    return tasks


def lookups() -> Tasks:
    """What the framework itself calls on a hit, and the part of ours that makes a new message."""
    prompt = dumps([HumanMessage(HOT)])
    generations = [ChatGeneration(message=_message("large"))]

    def looking(cache: BaseCache) -> Callable[[], object]:
        cache.lookup(prompt, _LLM)
        cache.update(prompt, _LLM, generations)
        return lambda: cache.lookup(prompt[:-1] + "]", _LLM[:-1] + "]")

    stored = codec.encode(generations, {})
    return {MEMORY: looking(InMemoryCache()), OURS: looking(LECCache()), COPY: partial(codec.decode, stored)}


def _configs() -> list[tuple[str, RunnableConfig | None]]:
    heard: list[RunnableConfig | None] = [None, {"callbacks": [_Handler()]}, {"callbacks": [_Tracer()]}]
    return list(zip(LISTENERS, heard, strict=True))


def _router(cache: Any) -> ChatRouter:
    return ChatRouter(models={name: InstantChat(model=name) for name in PRICES}, prices=PRICES, cache=cache)


def _asking(model: BaseChatModel, config: RunnableConfig | None) -> Callable[[], object]:
    return lambda: model.invoke(fresh(), config)


def _message(model: str) -> AIMessage:
    return AIMessage(
        ANSWER,
        usage_metadata={
            "input_tokens": INPUT_TOKENS,
            "output_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
        response_metadata={"model_name": model, "finish_reason": "stop"},
    )
