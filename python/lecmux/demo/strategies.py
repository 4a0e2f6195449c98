"""The strategies, all of them a `ChatRouter` over a `LECCache`: they differ in models, policy and prior."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from langchain_lecmux import ChatRouter, LECCache
from lecmux import Lec, Lfu, Lru, Query, Reply
from lecmux.demo.cross_fit import CrossFitted
from lecmux.demo.outcomes import PRICES, Outcomes, TableChat, ask
from lecmux.demo.questions import QUESTIONS
from lecmux.policies.evict import Eviction

__all__ = ["STRATEGIES", "Strategy", "budget_bytes", "router"]

_SLACK = 1.1
_QUARTER = 4
_AMPLE_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Strategy:
    """`evict=None` keeps no cache. Where two models are named, the router learns which to ask.

    Attributes:
        title: how the report calls it.
        models: those it may ask.
        evict: makes the policy of its cache.
        multiplexer: what it expects of a question it has not seen is learnt from other questions.
    """

    title: str
    models: tuple[str, ...]
    evict: Callable[[], Eviction] | None
    multiplexer: bool = False


STRATEGIES: Mapping[str, Strategy] = {
    "lecmux": Strategy("lecmux", ("small", "large"), Lec),
    "lecmux_multiplexer": Strategy("lecmux + prior", ("small", "large"), Lec, multiplexer=True),
    "always_large": Strategy("always large", ("large",), None),
    "lfu_large": Strategy("LFU + large", ("large",), Lfu),
    "lru_large": Strategy("LRU + large", ("large",), Lru),
    "lfu_small": Strategy("LFU + small", ("small",), Lfu),
}

_KEY = {question.text: question for question in QUESTIONS}


def answer_key(query: Query, reply: Reply) -> float:
    """The quality hook: it knows the right answers, as a user's test or thumb would."""
    question = _KEY[str(query.attributes["messages"][-1].content)]
    return float(question.right(str(reply.value.message.content)))


def router(
    name: str, models: Mapping[str, BaseChatModel], outcomes: Outcomes, *, capacity_bytes: int, seed: int
) -> ChatRouter:
    """A fresh router for one stream. Only one with a choice to make is told how right answers are."""
    strategy = STRATEGIES[name]
    cache = LECCache(capacity_bytes, evict=strategy.evict(), seed=seed) if strategy.evict else False
    chooses = len(strategy.models) > 1
    return ChatRouter(
        models={model: models[model] for model in strategy.models},
        prices={model: PRICES[model] for model in strategy.models},
        cache=cache,
        quality=answer_key if chooses else None,
        price_of_wrong_usd=outcomes.price_of_wrong_usd if chooses else 0.0,
        multiplexer=CrossFitted(outcomes) if strategy.multiplexer else None,
        seed=seed,
    )


def budget_bytes(outcomes: Outcomes) -> int:
    """A budget that holds a quarter of the large model's answers: their bytes as stored, and a tenth more."""
    cache = LECCache(_AMPLE_BYTES)
    large = {"large": TableChat.of(outcomes, "large")}
    filler = ChatRouter(models=large, prices={"large": PRICES["large"]}, cache=cache)
    for question in range(0, len(QUESTIONS), _QUARTER):
        filler.invoke(ask(question))
    return int(_SLACK * cache.store.stats().bytes_used)
