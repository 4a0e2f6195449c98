"""What each model answers to each question, and what that takes: measured once, greedy, before the stream."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from lecmux import Price, Usage
from lecmux.demo.questions import QUESTIONS, SYSTEM

__all__ = ["PRICES", "WRONG_IN_LARGE_CALLS", "Outcome", "Outcomes", "TableChat", "ask", "measure", "outcome"]

PRICES = {
    "small": Price(input_usd_per_million=0.05, output_usd_per_million=0.15),
    "large": Price(input_usd_per_million=0.50, output_usd_per_million=1.50),
}
WRONG_IN_LARGE_CALLS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. `seconds` of the model's work are in its usage."""

    message: AIMessage
    right: bool
    usage: Usage


def ask(question: int) -> list[BaseMessage]:
    """The prompt, the same for every model."""
    return [SystemMessage(SYSTEM), HumanMessage(QUESTIONS[question].text)]


def outcome(question: int, message: AIMessage) -> Outcome:
    """Checks an answer and reads what it took off its metadata."""
    used = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    seconds = float(message.response_metadata["seconds"])
    usage = Usage(used["input_tokens"], used["output_tokens"], seconds)
    return Outcome(message, QUESTIONS[question].right(str(message.content)), usage)


@dataclass(frozen=True)
class Outcomes:
    """By model, one outcome a question, in their order."""

    by_model: Mapping[str, Sequence[Outcome]]

    def usd(self, model: str, question: int) -> float:
        """Dollars for one call, at the demo's price list."""
        return PRICES[model].cost_usd(self.by_model[model][question].usage)

    @property
    def price_of_wrong_usd(self) -> float:
        """Dollars a wrong answer costs: so many average calls of the large model."""
        calls = self.by_model["large"]
        return WRONG_IN_LARGE_CALLS * sum(self.usd("large", each) for each in range(len(calls))) / len(calls)

    def shares(self) -> dict[str, float | int]:
        """How many questions there are, and the shares that the models get right."""
        both = list(zip(self.by_model["small"], self.by_model["large"], strict=True))
        return {
            "count": len(both),
            "right_small": sum(small.right for small, _ in both) / len(both),
            "right_large": sum(large.right for _, large in both) / len(both),
            "only_large": sum(large.right and not small.right for small, large in both) / len(both),
        }


def measure(models: Mapping[str, BaseChatModel], after_each: Callable[[], None]) -> Outcomes:
    """Asks every model every question once."""
    found: dict[str, list[Outcome]] = {name: [] for name in models}
    for question in range(len(QUESTIONS)):
        for name, model in models.items():
            found[name].append(outcome(question, model.invoke(ask(question))))
            after_each()
    return Outcomes(found)


class TableChat(BaseChatModel):
    """Stands for a model that was measured: gives the same answers again, at once."""

    table: Mapping[str, AIMessage] = Field(exclude=True)
    """By the text of the question."""
    label: str

    @classmethod
    def of(cls, outcomes: Outcomes, model: str) -> Self:
        """The stand-in for one model."""
        texts = (question.text for question in QUESTIONS)
        answers = (each.message for each in outcomes.by_model[model])
        return cls(table=dict(zip(texts, answers, strict=True)), label=model)

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
