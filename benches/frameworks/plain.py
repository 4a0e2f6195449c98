"""No framework: `Cache.answer` over functions."""

from typing import Final

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
from lecmux import Cache, Query, Reply, Router, Usage

ONE: Final = "Cache.answer, one model"
TWO: Final = "Cache.answer, two models and a router"
_CAPACITY_BYTES: Final = 100_000_000


def calls() -> Tasks:
    """A hit and a miss."""
    one, two, router = Cache(_CAPACITY_BYTES), Cache(_CAPACITY_BYTES), Router(tuple(PRICES), prices=PRICES)
    single, several = {"large": _instant}, dict.fromkeys(PRICES, _instant)
    return {
        ONE + HIT: lambda: one.answer(HOT, models=single),
        ONE + MISS: lambda: one.answer(fresh(), models=single),
        TWO + HIT: lambda: two.answer(HOT, models=several, router=router),
        TWO + MISS: lambda: two.answer(fresh(), models=several, router=router),
    }


def _instant(_query: Query) -> Reply:
    return Reply(ANSWER, Usage(INPUT_TOKENS, OUTPUT_TOKENS))
