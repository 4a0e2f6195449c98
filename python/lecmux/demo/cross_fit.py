"""The demo's multiplexer: what it expects of a question was learnt from other questions alone."""

from collections.abc import Sequence
from typing import Any

from lecmux import Query, _core
from lecmux.demo.outcomes import Outcomes
from lecmux.demo.questions import ASKED, WORDINGS
from lecmux.routers.multiplexer import Multiplexer, asked_text

__all__ = ["FOLDS", "CrossFitted", "costs"]

FOLDS = 5
_PLACE = {question.text: place for place, question in enumerate(ASKED)}


def costs(outcomes: Outcomes) -> dict[int, tuple[float, ...]]:
    """Dollars for each wording that was measured, by each model, errors at their price."""
    wrong = outcomes.price_of_wrong_usd
    return {
        place: tuple(
            outcomes.usd(model, place) + wrong * (not outcomes.by_model[model][place].right)
            for model in outcomes.by_model
        )
        for place in outcomes.by_model["large"]
    }


class CrossFitted:
    """As many multiplexers as folds; each has learnt from the questions of all other folds.

    Question i, in all its wordings, is in fold i modulo the folds, which takes some of every kind. A question
    is answered for by the multiplexer of its own fold, so its own outcomes never enter what is expected of
    it. Nothing is learnt during the stream.
    """

    def __init__(self, outcomes: Outcomes, *, folds: int = FOLDS) -> None:
        known = costs(outcomes)
        self._folds = [Multiplexer(learn=False) for _ in range(folds)]
        for fold, multiplexer in enumerate(self._folds):
            others = [place for place in known if (place // WORDINGS) % folds != fold]
            multiplexer.fit([ASKED[place].text for place in others], [known[place] for place in others])

    def bind(self, arms: Sequence[str]) -> None:
        """As `Prior.bind`; the models stand in the order of the outcomes."""
        for multiplexer in self._folds:
            multiplexer.bind(arms)

    def read(self, query: Query) -> tuple[Multiplexer, _core.Features]:
        """The multiplexer that has not seen the question, and what it sees of it."""
        multiplexer = self._folds[_PLACE[asked_text(query)] // WORDINGS % len(self._folds)]
        return multiplexer, multiplexer.read(query)

    def expect(self, read: tuple[Multiplexer, _core.Features]) -> _core.Expected | None:
        """As `Prior.expect`."""
        multiplexer, features = read
        return multiplexer.expect(features)

    def learn(self, read: Any, place: int, cost: float) -> None:
        """Nothing is learnt: the next question might be of another fold."""

    def amend(self, read: Any, place: int, number: int, delta: float) -> None:
        """Nothing is learnt."""
