"""Outcomes as if two models had been measured: small knows words, large can reckon as well."""

import pytest

pytest.importorskip("langchain_lecmux")

from langchain_core.messages import AIMessage

from lecmux.demo.check import Number
from lecmux.demo.outcomes import Outcome, Outcomes, outcome
from lecmux.demo.questions import ASKED, WORDINGS


def _answered(question: int, model: str) -> Outcome:
    checker = ASKED[question].checker
    key = f"{checker.value:g}" if isinstance(checker, Number) else checker.accepted[0]
    knows = model == "large" or not isinstance(checker, Number)
    message = AIMessage(
        content=f"It is {key}." if knows and question // WORDINGS % 10 else "Nobody knows.",
        usage_metadata={"input_tokens": 30, "output_tokens": 10, "total_tokens": 40},
        response_metadata={
            "model_name": model,
            "finish_reason": "stop",
            "seconds": 0.5 if model == "large" else 0.2,
        },
    )
    return outcome(question, message)


@pytest.fixture(scope="session")
def outcomes() -> Outcomes:
    return Outcomes(
        {model: {each: _answered(each, model) for each in range(len(ASKED))} for model in ("small", "large")}
    )
