"""Agents over a router: cold and warm runs, their threads, and the middleware that puts a router in."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from offline_model import OfflineBlockChat, OfflineToolChat
from pydantic import BaseModel

from langchain_lecmux import ChatRouter, LECCache, LECRouterMiddleware
from lecmux import Price
from lecmux.errors import ConfigError

PRICES = {"small": Price(output_usd_per_million=1e6), "large": Price(output_usd_per_million=1e7)}
SHAPE = ["human", "ai", "tool", "ai"]


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@pytest.fixture(autouse=True)
def no_global_cache() -> Iterator[None]:
    set_llm_cache(None)
    yield
    set_llm_cache(None)


def router(**settings: Any) -> ChatRouter:
    models = {"small": OfflineToolChat(model="small-1"), "large": OfflineBlockChat(model="large-1")}
    return ChatRouter(**{"models": models, "cache": LECCache(), **settings})


def calls(model: ChatRouter) -> int:
    return sum(inner.calls for inner in model.models.values())  # type: ignore[attr-defined]


def asked(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(question)]}


def thread(name: str, **configurable: Any) -> Any:
    return {"configurable": {"thread_id": name, **configurable}}


def shape(messages: Sequence[BaseMessage]) -> list[str]:
    return [message.type for message in messages]


def models_of(messages: Sequence[BaseMessage]) -> list[str]:
    return [each.response_metadata["lecmux"]["model"] for each in messages if isinstance(each, AIMessage)]


def intact(messages: Sequence[BaseMessage]) -> bool:
    """Every id occurs once, and every tool message answers the call before it."""
    ids = [message.id for message in messages]
    called = [call["id"] for each in messages if isinstance(each, AIMessage) for call in each.tool_calls]
    answered = [each.tool_call_id for each in messages if each.type == "tool"]  # type: ignore[attr-defined]
    return None not in ids and len(set(ids)) == len(ids) and called == answered == list(dict.fromkeys(called))


BUILDS: dict[str, Callable[[ChatRouter, Any], Any]] = {
    "as the model": lambda model, keep: create_agent(model, [add], checkpointer=keep),
    "as middleware": lambda model, keep: create_agent(
        OfflineToolChat(model="unasked"), [add], middleware=[LECRouterMiddleware(model)], checkpointer=keep
    ),
}


@pytest.mark.parametrize("way", BUILDS)
def test_warm_runs_make_no_call_and_keep_their_threads(way: str) -> None:
    model = router()
    agent = BUILDS[way](model, InMemorySaver())
    cold = agent.invoke(asked("add 3 and 4"), thread("cold"))["messages"]
    made = calls(model)
    assert shape(cold) == SHAPE
    assert made == 2
    for name in ("a", "b", "c"):
        warm = agent.invoke(asked("add 3 and 4"), thread(name))["messages"]
        assert shape(warm) == SHAPE
        assert [each.text for each in warm] == [each.text for each in cold]
        assert intact(warm)
    assert calls(model) == made


@pytest.mark.parametrize("way", BUILDS)
async def test_warm_async_runs_make_no_call_and_keep_their_threads(way: str) -> None:
    model = router()
    agent = BUILDS[way](model, InMemorySaver())
    for name in ("cold", "a", "b"):
        messages = (await agent.ainvoke(asked("add 3 and 4"), thread(name)))["messages"]
        assert shape(messages) == SHAPE
        assert intact(messages)
    assert calls(model) == 2


def test_one_thread_may_ask_the_same_again_and_again() -> None:
    model = router()
    agent = create_agent(model, [add], checkpointer=InMemorySaver())
    for turns in range(1, 4):
        messages = agent.invoke(asked("add 3 and 4"), thread("one"))["messages"]
        assert shape(messages) == SHAPE * turns
        assert intact(messages)
    again = agent.invoke(asked("add 3 and 4"), thread("another"))["messages"]
    for _ in range(2):
        again = agent.invoke(asked("add 3 and 4"), thread("another"))["messages"]
    assert intact(again)
    assert calls(model) == 6


def test_a_thread_survives_the_serialisation_of_its_checkpoints() -> None:
    model = router()
    saver = InMemorySaver()
    for name in ("cold", "warm"):
        create_agent(model, [add], checkpointer=saver).invoke(asked("add 1 and 2"), thread(name))
    restored = create_agent(model, [add], checkpointer=saver).get_state(thread("warm")).values["messages"]
    assert shape(restored) == SHAPE
    assert intact(restored)
    assert restored[1].usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


# the middleware


def test_the_middleware_replaces_the_agents_own_model() -> None:
    own = OfflineToolChat(model="own")
    model = router(prices=PRICES)
    agent = create_agent(
        own, [add], middleware=[LECRouterMiddleware(model), ModelCallLimitMiddleware(run_limit=9)]
    )
    agent.invoke(asked("add 3 and 4"))
    assert own.calls == 0
    assert calls(model) == 2


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_run_can_name_its_model(name: str) -> None:
    model = router()
    agent = create_agent(OfflineToolChat(), [add], middleware=[LECRouterMiddleware(model)])
    messages = agent.invoke(asked("add 3 and 4"), thread("x", lecmux_route=name))["messages"]
    assert models_of(messages) == [name, name]


@pytest.mark.parametrize("name", ["small", "large"])
async def test_an_async_run_can_name_its_model(name: str) -> None:
    model = router()
    agent = create_agent(model, [add])
    messages = (await agent.ainvoke(asked("add 3 and 4"), thread("x", lecmux_route=name)))["messages"]
    assert models_of(messages) == [name, name]


def test_a_run_keeps_to_its_model_unless_told_otherwise() -> None:
    """An untried model is tried, so every free choice here alternates."""
    kept, free = router(cache=False, prices=PRICES), router(cache=False, prices=PRICES)
    for model, sticky in ((kept, True), (free, False)):
        agent = create_agent(OfflineToolChat(), [add], middleware=[LECRouterMiddleware(model, sticky=sticky)])
        runs = [models_of(agent.invoke(asked("add 3 and 4"))["messages"]) for _ in range(4)]
        assert all(len(set(run)) == 1 for run in runs) == sticky


def test_the_next_question_chooses_anew() -> None:
    model = router(cache=False, prices=PRICES)
    agent = create_agent(
        OfflineToolChat(), [add], middleware=[LECRouterMiddleware(model)], checkpointer=InMemorySaver()
    )
    agent.invoke(asked("add 3 and 4"), thread("t", lecmux_route="large"))
    messages = agent.invoke(asked("add 3 and 4"), thread("t", lecmux_route="small"))["messages"]
    assert models_of(messages) == ["large", "large", "small", "small"]


def failing_second() -> Callable[[list[BaseMessage]], str]:
    turns = count()

    def answer(_: list[BaseMessage]) -> str:
        if next(turns) == 0:
            raise RuntimeError("overloaded")
        return "back"

    return answer


@pytest.mark.parametrize("awaited", [False, True])
async def test_when_the_model_of_a_run_fails_the_router_chooses_anew(awaited: bool) -> None:
    model = router(
        models={"small": OfflineToolChat(model="small-1", answer=failing_second())}, cache=LECCache()
    )
    agent = create_agent(OfflineToolChat(), [add], middleware=[LECRouterMiddleware(model)])
    question = asked("add 3 and 4")
    messages = (await agent.ainvoke(question) if awaited else agent.invoke(question))["messages"]
    assert shape(messages) == SHAPE
    assert messages[-1].text == "back"


class Sum(BaseModel):
    """A sum."""

    total: int


@pytest.mark.parametrize("name", ["small", "large"])
def test_structured_answers_of_an_agent_come_from_the_cache_too(name: str) -> None:
    model = router()
    agent = create_agent(OfflineToolChat(), [], middleware=[LECRouterMiddleware(model)], response_format=Sum)
    for _ in range(2):
        state = agent.invoke(asked("total 12"), thread("x", lecmux_route=name))
        assert state["structured_response"] == Sum(total=12)
    assert calls(model) == 1


def test_the_middleware_needs_a_router() -> None:
    with pytest.raises(ConfigError, match="ChatRouter"):
        LECRouterMiddleware(OfflineToolChat())  # type: ignore[arg-type]
