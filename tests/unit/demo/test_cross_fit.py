"""A question's own outcomes never enter what is expected of it."""

import dataclasses

import pytest

from lecmux import Query
from lecmux.demo.cross_fit import CrossFitted, costs
from lecmux.demo.outcomes import Outcomes
from lecmux.demo.questions import ASKED, WORDINGS


def _fitted(outcomes: Outcomes) -> CrossFitted:
    fitted = CrossFitted(outcomes)
    fitted.bind(tuple(outcomes.by_model))
    return fitted


def _expected(fitted: CrossFitted, place: int) -> list[float]:
    known = fitted.expect(fitted.read(Query(ASKED[place].text)))
    assert known is not None
    return known.means


def _with_another(outcomes: Outcomes, place: int) -> Outcomes:
    """As if both models had answered one question otherwise, in the same number of tokens."""
    changed = {
        model: {
            at: dataclasses.replace(each, right=not each.right) if at == place else each
            for at, each in answers.items()
        }
        for model, answers in outcomes.by_model.items()
    }
    return Outcomes(changed)


@pytest.mark.parametrize("place", [0, 17, 79])
def test_own_outcomes_are_not_looked_at(outcomes: Outcomes, place: int) -> None:
    before, changed = _fitted(outcomes), _fitted(_with_another(outcomes, place))

    assert _expected(changed, place) == _expected(before, place)
    other = (place + WORDINGS) % len(ASKED)
    assert _expected(changed, other) != _expected(before, other)


def test_costs_hold_the_price_of_errors(outcomes: Outcomes) -> None:
    table = costs(outcomes)

    assert len(table) == len(ASKED)
    for place, (small, large) in table.items():
        for model, cost in (("small", small), ("large", large)):
            wrong = outcomes.price_of_wrong_usd * (not outcomes.by_model[model][place].right)
            assert cost == pytest.approx(outcomes.usd(model, place) + wrong)


def test_kinds_of_questions_are_told_apart(outcomes: Outcomes) -> None:
    fitted = _fitted(outcomes)

    def small_costs(kind: str) -> float:
        means = [_expected(fitted, at)[0] for at, each in enumerate(ASKED) if each.kind == kind]
        return sum(means) / len(means)

    assert small_costs("capital") < small_costs("arithmetic")
