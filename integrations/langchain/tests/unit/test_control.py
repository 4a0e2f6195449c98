"""What one call may say to the cache and the router, shadow runs, and state files."""

from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from offline_model import OfflineBlockChat, OfflineToolChat

from langchain_lecmux import ChatRouter, LECCache
from lecmux import Cache, Hooks, Price
from lecmux.errors import ConfigError
from lecmux.events import Shadow
from lecmux.hooks import Normaliser

PRICES = {"small": Price(output_usd_per_million=1e6), "large": Price(output_usd_per_million=1e7)}


def router(**settings: Any) -> ChatRouter:
    models = {"small": OfflineToolChat(model="small-1"), "large": OfflineBlockChat(model="large-1")}
    return ChatRouter(**{"models": models, "cache": LECCache(), **settings})


def calls(model: ChatRouter) -> int:
    return sum(inner.calls for inner in model.models.values())  # type: ignore[attr-defined]


def told(message: Any) -> dict[str, Any]:
    return message.response_metadata["lecmux"]


def says(**configurable: Any) -> Any:
    return {"configurable": {f"lecmux_{name}": value for name, value in configurable.items()}}


def numbered() -> OfflineToolChat:
    """Answers 1, 2, 3: a new answer can be told from a stored one."""
    model = OfflineToolChat()
    model.answer = lambda _: str(model.calls)
    return model


# An older LangChain has no typed event streams.
TYPED = hasattr(BaseChatModel, "stream_events")

# the cache, per call

WAYS: dict[str, Any] = {
    "invoke": lambda model, config: model.invoke("hi", config).text,
    "batch": lambda model, config: model.batch(["hi"], config)[0].text,
    "stream": lambda model, config: "".join(chunk.text for chunk in model.stream("hi", config)),
    "a chain": lambda model, config: (ChatPromptTemplate.from_template("hi") | model).invoke({}, config).text,
    "tools": lambda model, config: model.bind_tools([], parallel=True).invoke("hi", config).text,
    "an agent": lambda model, config: (
        create_agent(model, []).invoke({"messages": [HumanMessage("hi")]}, config)["messages"][-1].text
    ),
}
if TYPED:
    WAYS["v3"] = lambda model, config: str(model.stream_events("hi", config, version="v3").text)
AWAITED: dict[str, Any] = {
    "ainvoke": lambda model, config: model.ainvoke("hi", config),
    "abatch": lambda model, config: model.abatch(["hi"], config),
    "agent": lambda model, config: create_agent(model, []).ainvoke(
        {"messages": [HumanMessage("hi")]}, config
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:.*beta")
def test_a_call_can_refresh_or_skip_the_cache(way: str) -> None:
    model = ChatRouter(models={"only": numbered()}, cache=LECCache())
    modes = ["use", "use", "skip", "use", "refresh", "use"]
    assert [WAYS[way](model, says(cache=mode)) for mode in modes] == ["1", "1", "2", "1", "3", "3"]


@pytest.mark.parametrize("way", AWAITED)
async def test_an_awaited_call_can_refresh_or_skip_the_cache(way: str) -> None:
    model = ChatRouter(models={"only": numbered()}, cache=LECCache())
    counts = []
    for mode in ("use", "use", "skip", "use", "refresh", "use"):
        await AWAITED[way](model, says(cache=mode))
        counts.append(calls(model))
    assert counts == [1, 1, 2, 2, 3, 3]


def test_the_inner_models_keep_past_the_cache_that_a_call_skips() -> None:
    set_llm_cache(LECCache())
    try:
        model = ChatRouter(models={"only": numbered()})
        assert [model.invoke("hi", says(cache=mode)).text for mode in ("skip", "skip", "use")] == list("123")
    finally:
        set_llm_cache(None)


def test_a_call_can_say_it_by_keyword_too() -> None:
    model = ChatRouter(models={"only": numbered()}, cache=LECCache())
    assert [model.invoke("hi", lecmux_cache=mode).text for mode in ("use", "skip", "use")] == list("121")
    bound = model.bind(lecmux_cache="refresh")
    assert [bound.invoke("hi").text, model.invoke("hi").text] == ["3", "3"]


@pytest.mark.parametrize("word", ["off", "USE", 1, True])
def test_a_wrong_word_is_a_typed_error_that_names_the_choices(word: Any) -> None:
    with pytest.raises(ConfigError, match="'use', 'refresh', 'skip'"):
        router().invoke("hi", says(cache=word))


def test_route_and_cache_go_together() -> None:
    model = router()
    assert told(model.invoke("hi", says(route="small")))["model"] == "small"
    assert told(model.invoke("hi", says(route="large", cache="refresh")))["model"] == "large"
    assert told(model.invoke("hi"))["model"] == "large"
    assert {spec.id for spec in model.config_specs} >= {"lecmux_route", "lecmux_cache"}


def test_a_chain_can_say_it_to_a_cache_without_a_router() -> None:
    cache = LECCache()
    model = numbered()
    model.cache = cache
    chain = ChatPromptTemplate.from_template("hi") | model
    modes = ["use", "use", "skip", "use", "refresh", "use"]
    assert [chain.invoke({}, says(cache=mode)).text for mode in modes] == ["1", "1", "2", "1", "3", "3"]
    assert chain.invoke({}, says(cache="off")).text == "3"
    assert cache.stats().incidents == 1


@pytest.mark.filterwarnings("ignore:.*beta")
def test_a_cache_counts_the_lookups_of_a_router() -> None:
    cache = LECCache()
    model = router(cache=cache)
    for question in ("a", "a", "b"):
        model.invoke(question)
    list(model.stream("c"))
    list(model.stream("c"))
    for _ in range(2):
        _ = model.stream_events("d", version="v3").output if TYPED else model.invoke("d")
    model.invoke("a", says(cache="skip"))
    assert (cache.stats().hits, cache.stats().misses) == (3, 4)


# shadow


@pytest.mark.parametrize("streamed", [False, True])
def test_in_shadow_the_baseline_answers_and_the_savings_are_recorded(streamed: bool) -> None:
    seen: list[Any] = []
    cache = LECCache(listeners=[seen.append])
    model = router(cache=cache, prices=PRICES, shadow=True)
    for turn in range(3):
        if streamed:
            text = "".join(str(chunk.text) for chunk in model.stream("hi there"))
        else:
            text = str(model.invoke("hi there").text)
        assert text == "large-1 heard: hi there"
        assert calls(model) == turn + 1
    shadows = [event for event in seen if isinstance(event, Shadow)]
    assert [event.decision.kind for event in shadows] == ["call", "hit", "hit"]
    assert [event.would_save for event in shadows][1:] == [40.0, 40.0]
    assert [event.same for event in shadows] == [None, True, True]


async def test_in_shadow_the_baseline_can_be_named() -> None:
    model = router(prices=PRICES, shadow=True, baseline="small")
    facts = told(await model.ainvoke("hi"))
    assert (facts["model"], facts["reason"]) == ("small", "shadow")


# files


def test_a_cache_starts_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.lecmux"
    for served in (False, True):
        with LECCache(path=path) as cache:
            model = OfflineToolChat(cache=cache)
            assert model.invoke("hi").text == "offline-tools heard: hi"
            assert model.calls == (not served)


def test_a_router_starts_from_its_file_with_what_it_learnt(tmp_path: Path) -> None:
    path = tmp_path / "router.lecmux"
    tries = []
    for _ in range(2):
        with router(path=path, cache=Cache(1_000_000), prices=PRICES) as model:
            for question in ("a", "b", "a"):
                model.invoke(question)
            tries.append(calls(model))
            tries.append(sum(told(model.invoke("a", says(cache="skip")))["tries"].values()))
    assert tries == [2, 1, 0, 2]


def test_a_cache_with_a_file_of_its_own_is_not_written_twice(tmp_path: Path) -> None:
    with LECCache(path=tmp_path / "cache") as cache, router(path=tmp_path / "router", cache=cache) as model:
        model.invoke("what is the answer")
    assert b"what is the answer" in (tmp_path / "cache").read_bytes()
    assert b"what is the answer" not in (tmp_path / "router").read_bytes()


def test_a_folder_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        LECCache(path=tmp_path / "none" / "file")
    with pytest.raises(ConfigError):
        router(path=tmp_path / "none" / "file")


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "answers.lecmux"
    path.write_bytes(b"LECMUX nonsense")
    with LECCache(path=path) as cache:
        assert OfflineToolChat(cache=cache).invoke("hi").text
    assert (tmp_path / "answers.lecmux.bad").exists()


# hooks that are awaited


@pytest.mark.filterwarnings("ignore:.*beta")
@pytest.mark.parametrize("way", ["ainvoke", "astream", *(["typed events"] if TYPED else [])])
async def test_async_hooks_are_awaited(way: str) -> None:
    tenant = ["ann"]
    asked: list[str] = []

    async def scope(query: Any) -> str:
        asked.append("scope")
        return tenant[0]

    async def admit(query: Any, reply: Any) -> bool:
        asked.append("admit")
        return tenant[0] != "eve"

    cache = Cache(1_000_000, hooks=Hooks(scope=scope, admit=admit))
    model = ChatRouter(models={"only": numbered()}, cache=cache)
    texts = []
    for name in ("ann", "ann", "bob", "eve", "eve", "ann"):
        tenant[0] = name
        if way == "ainvoke":
            texts.append((await model.ainvoke("hi")).text)
        elif way == "astream":
            texts.append("".join([chunk.text async for chunk in model.astream("hi")]))
        else:
            stream: Any = await model.astream_events("hi", version="v3")
            texts.append((await stream).text)
    assert texts == ["1", "1", "2", "3", "4", "1"]
    assert asked.count("admit") == 4
    assert cache.stats().incidents == 0


async def test_a_cache_without_a_router_awaits_its_hooks() -> None:
    tenant = ["ann"]

    async def scope(query: Any) -> str:
        return tenant[0]

    async def admit(query: Any, reply: Any) -> bool:
        return tenant[0] != "eve"

    cache = LECCache(hooks=Hooks(scope=scope, admit=admit))
    model = numbered()
    model.cache = cache
    texts = []
    for name in ("ann", "ann", "bob", "eve", "eve", "ann"):
        tenant[0] = name
        texts.append((await model.ainvoke("hi")).text)
    assert texts == ["1", "1", "2", "3", "4", "1"]
    assert cache.stats().incidents == 0


def test_a_cache_without_a_router_has_every_hook() -> None:
    model = numbered()
    model.cache = LECCache(hooks=Hooks(normalise=Normaliser(case=True)))
    assert [model.invoke(text).text for text in ("Hi", "hi", "HI")] == ["1", "1", "1"]
    with pytest.raises(ConfigError, match="not both"):
        LECCache(hooks=Hooks(), admit=lambda query, reply: True)
