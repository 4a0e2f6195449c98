"""LECSelector in LlamaIndex's own router engines: it asks another selector once, and learns."""

from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.base.base_selector import BaseSelector, SelectorResult, SingleSelection
from llama_index.core.query_engine import CustomQueryEngine, RouterQueryEngine
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import QueryEngineTool, ToolMetadata
from scripted_llm import ScriptedLLM

from lecmux.errors import ConfigError, CostError
from llama_index.llms.lecmux import LECSelection, LECSelector

CHOICES = [ToolMetadata("for facts", name="facts"), ToolMetadata("for summaries", name="summary")]


class Fixed(BaseSelector):
    """Always the same choices; keeps the queries it was asked."""

    def __init__(self, *indices: int) -> None:
        self.indices = indices
        self.asked: list[str] = []

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts_dict: dict[str, Any]) -> None:
        """There are none."""

    def _select(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        self.asked.append(query.query_str)
        return SelectorResult(selections=[SingleSelection(index=i, reason="I say so") for i in self.indices])

    async def _aselect(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        return self._select(choices, query)


class Says(CustomQueryEngine):
    """An engine with one answer."""

    answer: str

    def custom_query(self, query_str: str) -> str:
        return self.answer


def only(result: Any) -> LECSelection:
    assert isinstance(result.selections[0], LECSelection)
    return result.selections[0]


def test_an_unknown_query_is_decided_by_the_prior() -> None:
    selection = only(LECSelector(Fixed(1)).select(CHOICES, "tell me all"))

    assert (selection.index, selection.reason) == (1, "I say so")


def test_the_prior_is_asked_once() -> None:
    prior = Fixed(1)
    selector = LECSelector(prior)

    chosen = [only(selector.select(CHOICES, "tell me all")).index for _ in range(3)]

    assert chosen == [1, 1, 1]
    assert prior.asked == ["tell me all"]


def test_a_wrong_answer_sends_the_query_elsewhere_and_no_other_query() -> None:
    selector = LECSelector(Fixed(0))
    first = only(selector.select(CHOICES, "tell me all"))

    assert selector.observe(first.decision_id, quality=0.0)

    assert only(selector.select(CHOICES, "tell me all")).index == 1
    assert only(selector.select(CHOICES, "another query")).index == 0


def test_of_two_right_engines_the_cheaper_is_kept() -> None:
    selector = LECSelector(Fixed(1), costs_usd={"facts": 0.001, "summary": 0.5}, price_of_wrong_usd=2.0)
    chosen = []
    for _ in range(12):
        selection = only(selector.select(CHOICES, "how many?"))
        chosen.append(selection.index)
        selector.observe(selection.decision_id, quality=1.0)

    assert chosen[0] == 1
    assert chosen[-3:] == [0, 0, 0]


async def test_async_is_the_same() -> None:
    prior = Fixed(1)
    selector = LECSelector(prior)

    assert only(await selector.aselect(CHOICES, "q")).index == only(selector.select(CHOICES, "q")).index == 1
    assert prior.asked == ["q"]


def test_several_selections_are_passed_on() -> None:
    result = LECSelector(Fixed(0, 1)).select(CHOICES, "q")

    assert result.inds == [0, 1]


def test_engines_of_one_name_are_told_apart() -> None:
    same = [ToolMetadata("a", name="engine"), ToolMetadata("b", name="engine"), ToolMetadata("c")]
    selector = LECSelector(Fixed(2))

    assert only(selector.select(same, "q")).index == 2
    assert only(selector.select(same, "q")).index == 2


def test_in_a_router_query_engine_it_learns_from_feedback() -> None:
    selector = LECSelector(Fixed(0))
    tools = [
        QueryEngineTool.from_defaults(Says(answer=answer), name=name, description=name)
        for name, answer in (("facts", "no"), ("summary", "yes"))
    ]
    engine = RouterQueryEngine(selector=selector, query_engine_tools=tools, llm=ScriptedLLM())

    wrong = engine.query("tell me all")
    selector.observe(only(wrong.metadata["selector_result"]).decision_id, quality=0.0)
    right = engine.query("tell me all")

    assert (str(wrong), str(right)) == ("no", "yes")


def test_bad_settings_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="prior must be a selector"):
        LECSelector("llm")  # type: ignore[arg-type]
    with pytest.raises(CostError, match="costs_usd"):
        LECSelector(Fixed(0), costs_usd={"facts": -1.0})
    with pytest.raises(ConfigError):
        LECSelector(Fixed(0), price_of_wrong_usd=float("nan"))
