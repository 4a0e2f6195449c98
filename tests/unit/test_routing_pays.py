"""A learnt route must know something: it beats every fixed model, and any mix of them at the same price.

Twelve questions, four of each grade. Each model is right up to its own grade; being wrong costs 40 dollars.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from lecmux import Cache, Hooks, Price, Query, Reply, Router, Usage

GRADES = ("easy", "middling", "hard")
MODELS = {"small": 1.0, "medium": 3.0, "large": 10.0}
WRONG_USD = 40.0
ROUNDS = 60
QUESTIONS = [f"{grade} question {number}" for number in range(4) for grade in GRADES]


def _right(query: Query, reply: Reply) -> float:
    return float(GRADES.index(query.text.split()[0]) <= list(MODELS).index(reply.value))


def _model(name: str) -> Callable[[Query], Reply]:
    return lambda _: Reply(name, Usage(seconds=1.0))


class Bill(NamedTuple):
    """What all questions of all rounds came to: dollars paid for calls, and wrong answers."""

    paid_usd: float
    wrong: float

    @property
    def total_usd(self) -> float:
        return self.paid_usd + WRONG_USD * self.wrong


def _bill(names: list[str], text: Callable[[Query], str] | None = None) -> Bill:
    """Asks every question in every round of a router over the models of these names."""
    cache = Cache(1_000_000, hooks=Hooks(quality=_right, text=text))
    router = Router(
        names,
        prices={name: Price(usd_per_second=MODELS[name]) for name in names},
        price_of_wrong_usd=WRONG_USD,
    )
    models = {name: _model(name) for name in names}
    paid, wrong = 0.0, 0.0
    for question in QUESTIONS * ROUNDS:
        done = cache.answer(question, models=models, router=router, cache="skip")
        assert done.decision.cost is not None
        paid += done.decision.cost
        wrong += 1.0 - _right(Query(question), Reply(done.value))
    return Bill(paid, wrong)


@pytest.fixture(scope="module")
def fixed() -> dict[str, Bill]:
    return {name: _bill([name]) for name in MODELS}


def test_it_costs_less_than_the_best_single_model(fixed: dict[str, Bill]) -> None:
    learnt = _bill(list(MODELS))

    assert learnt.total_usd < 0.7 * min(bill.total_usd for bill in fixed.values())


def test_it_is_right_more_often_than_any_mix_of_two_models_at_the_same_price(fixed: dict[str, Bill]) -> None:
    learnt = _bill(list(MODELS))

    for cheap in fixed.values():
        for dear in fixed.values():
            if cheap.paid_usd < learnt.paid_usd <= dear.paid_usd:
                share = (learnt.paid_usd - cheap.paid_usd) / (dear.paid_usd - cheap.paid_usd)
                assert learnt.wrong < 0.5 * (cheap.wrong + share * (dear.wrong - cheap.wrong))


def test_where_questions_cannot_be_told_apart_it_does_no_better_than_one_model(
    fixed: dict[str, Bill],
) -> None:
    """The control: a router that sees the same key for every question has nothing to learn from it."""
    blind = _bill(list(MODELS), text=lambda _: "a question")

    best = min(bill.total_usd for bill in fixed.values())
    assert best <= blind.total_usd < 1.2 * best
