"""LangChain's ModelRouterMiddleware over what lecmux learns."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from offline_model import OfflineBlockChat, OfflineToolChat

import langchain_lecmux
from lecmux import Price, Router
from lecmux.errors import ConfigError, MissingExtraError

try:
    from langchain.agents.middleware import ModelChoice, ModelRouterMiddleware
    from langchain_core.decisions import Choice, Noul
except ImportError:
    OLD = True
else:
    OLD = False

PRICES = {"fast": Price(output_usd_per_million=1e6), "strong": Price(output_usd_per_million=1e7)}
new = pytest.mark.skipif(OLD, reason="langchain-core before 1.8 has no decision models")


def costs(**settings: Any) -> Any:
    return langchain_lecmux.LECDecisionModel(router=Router(["fast", "strong"], prices=PRICES), **settings)


def question() -> Any:
    return Choice(instructions="Which?", criteria={"fast": "short tasks", "strong": "others"})


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest.mark.skipif(not OLD, reason="langchain-core here has decision models")
def test_without_decision_models_the_error_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match=r"langchain-core>=1\.8"):
        _ = langchain_lecmux.LECDecisionModel


@new
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.filterwarnings("ignore:.*beta")
async def test_langchains_router_learns_which_choice_is_cheapest(awaited: bool) -> None:
    model = costs()
    fast, strong = OfflineToolChat(model="fast-1"), OfflineBlockChat(model="strong-1")
    middleware = ModelRouterMiddleware(
        choices={
            "fast": ModelChoice(model.learning("fast", fast), criteria="short tasks"),
            "strong": ModelChoice(model.learning("strong", strong), criteria="all others"),
        },
        instructions="Choose the least costly model.",
        classifier=model,
    )
    agent = create_agent(OfflineToolChat(model="own"), [add], middleware=[middleware])
    routes = []
    for _ in range(8):
        asked = {"messages": [HumanMessage("add 3 and 4")]}
        state = await agent.ainvoke(asked) if awaited else agent.invoke(asked)
        answered = [each for each in state["messages"] if isinstance(each, AIMessage)]
        names = {each.response_metadata["model_name"] for each in answered}
        assert names == {f"{state['model_route'].choice}-1"}
        routes.append(state["model_route"].choice)
    assert set(routes[:2]) == {"fast", "strong"}
    assert set(routes[2:]) == {"fast"}
    assert fast.calls + strong.calls == 16


@new
def test_quality_that_becomes_known_later_counts() -> None:
    prices = {name: Price(output_usd_per_million=1.0) for name in ("fast", "strong")}
    model = langchain_lecmux.LECDecisionModel(
        router=Router(["fast", "strong"], prices=prices, price_of_wrong_usd=1.0)
    )
    models = {name: model.learning(name, OfflineToolChat(model=name)) for name in ("fast", "strong")}
    for _ in range(6):
        response = model.invoke({"state": "hi", "questions": {"route": question()}})
        choice = response.choices["route"].choice
        assert not model.observe(response.request_id, quality=1.0), "its model was not called yet"
        models[choice].invoke("hi")
        assert model.observe(response.request_id, quality=float(choice == "strong"))
    assert choice == "strong"


@new
def test_a_quality_hook_judges_at_once() -> None:
    seen = []
    model = costs(quality=lambda _, reply: seen.append(reply.model))
    model.learning("fast", OfflineToolChat()).invoke("hi")
    assert seen == ["fast"]


@new
def test_probabilities_are_those_of_the_choice() -> None:
    answer = costs().invoke({"state": HumanMessage("hi"), "questions": {"q": question()}}).choices["q"]
    assert set(answer.probabilities) == {"fast", "strong"}
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert answer.confidence == answer.probabilities[answer.choice]


@new
@pytest.mark.parametrize(
    "state", ["hi", HumanMessage("hi"), [HumanMessage("a"), AIMessage("b")], {"a": ["b", 1, None]}, []]
)
def test_any_state_can_be_decided_on(state: Any) -> None:
    assert costs().invoke({"state": state, "questions": {"q": question()}}).choices["q"].choice


@new
def test_questions_that_a_router_cannot_answer_are_typed_errors() -> None:
    with pytest.raises(ConfigError, match="Choice"):
        costs().invoke({"state": "hi", "questions": {"q": Noul(instructions="Is it?")}})
    with pytest.raises(ConfigError, match="weak"):
        asked = Choice(instructions="Which?", criteria={"weak": "", "fast": ""})
        costs().invoke({"state": "hi", "questions": {"q": asked}})
    with pytest.raises(ConfigError, match="weak"):
        costs().learning("weak", OfflineToolChat())


@new
def test_a_failed_call_teaches_nothing_and_callbacks_of_the_model_stay() -> None:
    heard: list[str] = []

    class Listener(langchain_lecmux.decisions.BaseCallbackHandler):
        def on_llm_error(self, error: BaseException, **_: Any) -> None:
            heard.append(str(error))

    def fail(_: Any) -> str:
        raise RuntimeError("overloaded")

    model = costs()
    failing = model.learning("fast", OfflineToolChat(answer=fail, callbacks=[Listener()]))
    decided = model.invoke({"state": "hi", "questions": {"q": question()}})
    with pytest.raises(RuntimeError, match="overloaded"):
        failing.invoke("hi")
    assert heard == ["overloaded"]
    assert not model.observe(decided.request_id, quality=1.0)
