"""What each model answers to each question, and what that takes: measured once, greedy, before the stream."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from lecmux import Price, Usage
from lecmux.demo.kept import Kept
from lecmux.demo.questions import ASKED, SYSTEM, WORDINGS

__all__ = [
    "FIRST",
    "PRICES",
    "WRONG_IN_LARGE_CALLS",
    "Outcome",
    "Outcomes",
    "TableChat",
    "ask",
    "measure",
    "outcome",
]

PRICES = {
    "small": Price(input_usd_per_million=0.05, output_usd_per_million=0.15),
    "large": Price(input_usd_per_million=0.50, output_usd_per_million=1.50),
}
WRONG_IN_LARGE_CALLS = 5.0
FIRST = range(0, len(ASKED), WORDINGS)
"""Places of the questions as first worded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `seconds` of the model's work are in its usage."""

    message: AIMessage
    right: bool
    usage: Usage


def ask(question: int) -> list[BaseMessage]:
    """The prompt, the same for every model."""
    return [SystemMessage(SYSTEM), HumanMessage(ASKED[question].text)]


def outcome(question: int, message: AIMessage) -> Outcome:
    """Checks an answer and reads what it took off its metadata."""
    used = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    seconds = float(message.response_metadata["seconds"])
    usage = Usage(used["input_tokens"], used["output_tokens"], seconds)
    return Outcome(message, ASKED[question].right(str(message.content)), usage)


@dataclass(frozen=True)
class Outcomes:
    """By model and place in `ASKED`: of every question as first worded, and of other wordings that occur."""

    by_model: Mapping[str, Mapping[int, Outcome]]

    def usd(self, model: str, question: int) -> float:
        """Dollars for one call, at the demo's price list."""
        return PRICES[model].cost_usd(self.by_model[model][question].usage)

    @property
    def price_of_wrong_usd(self) -> float:
        """Dollars a wrong answer costs: so many average calls of the large model, first wordings."""
        return WRONG_IN_LARGE_CALLS * sum(self.usd("large", each) for each in FIRST) / len(FIRST)

    def shares(self) -> dict[str, float | int]:
        """How many questions there are, and the shares that the models get right as first worded."""
        both = [(self.by_model["small"][each], self.by_model["large"][each]) for each in FIRST]
        return {
            "count": len(both),
            "right_small": sum(small.right for small, _ in both) / len(both),
            "right_large": sum(large.right for _, large in both) / len(both),
            "only_large": sum(large.right and not small.right for small, large in both) / len(both),
        }


def measure(
    models: Mapping[str, BaseChatModel],
    questions: Collection[int],
    after_each: Callable[[], None],
    kept: Kept | None = None,
) -> Outcomes:
    """Asks every model each of the questions once: places in `ASKED`, those of first wordings among them.

    What is `kept` is not asked again.
    """
    found: dict[str, dict[int, Outcome]] = {name: {} for name in models}
    kept = kept or Kept(None)
    try:
        for question in questions:
            for name, model in models.items():
                found[name][question] = outcome(question, _answer(name, model, question, kept))
                after_each()
    finally:
        kept.save()
    return Outcomes(found)


def _answer(name: str, model: BaseChatModel, question: int, kept: Kept) -> AIMessage:
    text = ASKED[question].text
    message = kept.get(name, text)
    if message is None:
        message = model.invoke(ask(question))
        kept.put(name, text, message)
    return message


class TableChat(BaseChatModel):
    """Stands for a model that was measured: gives the same answers again, at once."""

    table: Mapping[str, AIMessage] = Field(exclude=True)
    """By the text of the question."""
    label: str

    @classmethod
    def of(cls, outcomes: Outcomes, model: str) -> Self:
        """The stand-in for one model."""
        known = outcomes.by_model[model].items()
        return cls(table={ASKED[place].text: each.message for place, each in known}, label=model)

    @property
    def _llm_type(self) -> str:
        return "lecmux-demo-table"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.label}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = self.table[str(messages[-1].content)].model_copy()
        return ChatResult(generations=[ChatGeneration(message=message)])
