"""The strategies, all of them a `ChatRouter` over a `LECCache`: they differ in models, policy and prior."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from langchain_core.language_models import BaseChatModel

from langchain_lecmux import ChatRouter, LECCache
from lecmux import Lec, Lfu, Lru, Query, Reply, Semantic
from lecmux.demo.cross_fit import CrossFitted
from lecmux.demo.outcomes import FIRST, PRICES, Outcomes, TableChat, ask
from lecmux.demo.questions import ASKED
from lecmux.demo.same import same_answer
from lecmux.embedders import Embedder, Static
from lecmux.policies.evict import Eviction
from lecmux.routers.multiplexer import Multiplexer

__all__ = ["MAX_ERROR", "STRATEGIES", "Strategy", "Terms", "budget_bytes", "encoder", "router"]

MAX_ERROR = 0.02
"""Of all requests, the share that may get a wrong answer by a hit by meaning."""
_LEARNT_BYTES = 12_800
"""What the stage has learnt takes at most; `SemanticStats.evidence_bytes` tells how much."""
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
        multiplexer: makes what tells the cost of words it has not seen, from other words.
        semantic: it serves the answer to a question in other words, where that is safe enough.
    """

    title: str
    models: tuple[str, ...]
    evict: Callable[[], Eviction] | None
    multiplexer: Callable[[Outcomes], Multiplexer | CrossFitted] | None = None
    semantic: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What all strategies have in common.

    Attributes:
        capacity_bytes: of each cache.
        max_error: of all requests, the share that hits by meaning may get wrong; 0: there are none.
    """

    capacity_bytes: int
    max_error: float = MAX_ERROR

    @property
    def semantic(self) -> Semantic | None:
        """The settings of the semantic stage."""
        if not self.max_error:
            return None
        return Semantic(encoder(), max_error=self.max_error, same_answer=same_answer)


def _learning(_: Outcomes) -> Multiplexer:
    """Learns from the calls that are paid for, and is told nothing ahead."""
    return Multiplexer()


STRATEGIES: Mapping[str, Strategy] = {
    "lecmux": Strategy("lecmux", ("small", "large"), Lec, _learning, semantic=True),
    "lecmux_multiplexer": Strategy("lecmux + prior", ("small", "large"), Lec, CrossFitted, semantic=True),
    "lecmux_exact": Strategy("lecmux, exact", ("small", "large"), Lec, _learning),
    "always_large": Strategy("always large", ("large",), None),
    "lfu_large": Strategy("LFU + large", ("large",), Lfu),
    "lru_large": Strategy("LRU + large", ("large",), Lru),
    "lfu_small": Strategy("LFU + small", ("small",), Lfu),
}

_KEY = {question.text: question for question in ASKED}


@cache
def encoder() -> Embedder:
    """What tells questions that are alike; it needs no network, and no package beside ours."""
    return Static()


def answer_key(query: Query, reply: Reply) -> float:
    """The quality hook: it knows the right answers, as a user's test or thumb would."""
    question = _KEY[str(query.attributes["messages"][-1].content)]
    return float(question.right(str(reply.value.message.content)))


def router(
    name: str,
    models: Mapping[str, BaseChatModel],
    outcomes: Outcomes,
    terms: Terms,
    *,
    seed: int,
) -> ChatRouter:
    """A fresh router for one stream. Only one with a choice to make is told how right answers are."""
    strategy = STRATEGIES[name]
    chooses = len(strategy.models) > 1
    return ChatRouter(
        models={model: models[model] for model in strategy.models},
        prices={model: PRICES[model] for model in strategy.models},
        cache=_cache(strategy, terms, seed) if strategy.evict else False,
        quality=answer_key if chooses else None,
        price_of_wrong_usd=outcomes.price_of_wrong_usd if chooses else 0.0,
        multiplexer=strategy.multiplexer(outcomes) if strategy.multiplexer else None,
        seed=seed,
    )


def _cache(strategy: Strategy, terms: Terms, seed: int) -> LECCache:
    """An empty cache. Where it serves by meaning, vectors and what is learnt come out of the same budget."""
    assert strategy.evict is not None
    semantic = terms.semantic if strategy.semantic else None
    learnt = _LEARNT_BYTES if semantic else 0
    return LECCache(terms.capacity_bytes - learnt, evict=strategy.evict(), seed=seed, semantic=semantic)


def budget_bytes(outcomes: Outcomes, max_error: float = MAX_ERROR) -> int:
    """A budget in which `lecmux` can hold a quarter of the answers, one for each wording, and a tenth more.

    As long as the large model's to the questions as first worded; vectors and what is learnt are counted.
    """
    cache = _cache(STRATEGIES["lecmux"], Terms(_AMPLE_BYTES, max_error), 0)
    large = {"large": TableChat.of(outcomes, "large")}
    filler = ChatRouter(models=large, prices={"large": PRICES["large"]}, cache=cache)
    for question in FIRST:
        filler.invoke(ask(question))
    stats = cache.store.stats()
    answers_bytes = _SLACK * stats.bytes_used / stats.entries * len(ASKED) / _QUARTER
    return int(answers_bytes) + (_LEARNT_BYTES if stats.semantic else 0)
