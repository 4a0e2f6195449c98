"""`explain` says what a call then does, and leaves no trace; hooks that are awaited have their say."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from offline_model import OfflineToolChat

from langchain_lecmux import ChatRouter
from lecmux import Cache, Hooks

typed = pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="this LangChain has none")


def _router(**settings: Any) -> ChatRouter:
    models = {"small": OfflineToolChat(), "large": OfflineToolChat()}
    return ChatRouter(models=models, **{"cache": Cache(1_000_000), **settings})


def test_a_call_and_a_hit_are_told_beforehand() -> None:
    model = _router()

    before = model.explain("hello")
    called = model.invoke("hello").response_metadata["lecmux"]
    after = model.explain("hello")
    served = model.invoke("hello").response_metadata["lecmux"]

    assert (before.outcome, before.why, before.model) == (called["kind"], "absent", called["model"])
    assert (after.outcome, after.why, after.model) == (served["kind"], "exact", served["model"])
    assert after.key == before.key
    assert set(after.models) == {"small", "large"}
    assert model.explain("hello", config={"configurable": {"lecmux_cache": "refresh"}}).why == "refresh"
    assert model.explain("hello", temperature=1.0).why == "absent"


async def test_the_awaited_twin_asks_async_hooks() -> None:
    async def text(query: Any) -> str:
        return "one key for all"

    model = _router(cache=Cache(1_000_000, hooks=Hooks(text=text)))
    await model.ainvoke("hello")

    told = await model.aexplain("something else")

    assert (told.outcome, told.key and told.key.text, told.troubles) == ("hit", "one key for all", ())


@typed
async def test_typed_events_are_driven_to_the_end_with_async_hooks() -> None:
    async def quality(query: Any, reply: Any) -> float:
        return 1.0

    cache = Cache(1_000_000, hooks=Hooks(quality=quality))
    model = _router(cache=cache)
    kinds = []
    for _ in range(2):
        stream: Any = await model.astream_events("hello", version="v3")
        kinds.append((await stream).response_metadata["lecmux"]["kind"])

    assert kinds == ["call", "hit"]
