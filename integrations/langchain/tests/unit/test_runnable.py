"""RunnableRouter: chains and functions behind one cache and one choice."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator, RunnableLambda
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from offline_model import OfflineBlockChat, OfflineToolChat
from pydantic import BaseModel

from langchain_lecmux import LECCache, RunnableRouter
from lecmux import Cascade, Price
from lecmux.errors import ConfigError

PRICES = {"small": Price(output_usd_per_million=1e6), "large": Price(output_usd_per_million=1e7)}
PROMPT = ChatPromptTemplate.from_template("Say {word}")


class Heard(BaseCallbackHandler):
    """Writes down what it is told of decisions."""

    run_inline = True

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        assert name == "lecmux"
        self.told.append(data)


def chains(*, parsed: bool = True) -> tuple[dict[str, Any], list[OfflineToolChat]]:
    models = [OfflineToolChat(model="small-1"), OfflineBlockChat(model="large-1")]
    end = StrOutputParser() if parsed else RunnableLambda(lambda message: message)
    return dict(zip(("small", "large"), (PROMPT | model | end for model in models), strict=True)), models


def router(*, parsed: bool = True, **settings: Any) -> tuple[RunnableRouter, list[OfflineToolChat]]:
    runnables, models = chains(parsed=parsed)
    return RunnableRouter(**{"runnables": runnables, "cache": LECCache(), **settings}), models


def calls(models: list[OfflineToolChat]) -> int:
    return sum(model.calls for model in models)


def says(**configurable: Any) -> Any:
    return {"configurable": {f"lecmux_{name}": value for name, value in configurable.items()}}


async def ask(model: Any, asked: Any, way: str, config: Any = None) -> Any:
    if way == "invoke":
        return model.invoke(asked, config)
    if way == "ainvoke":
        return await model.ainvoke(asked, config)
    if way == "batch":
        return model.batch([asked], config)[0]
    parts = (
        list(model.stream(asked, config))
        if way == "stream"
        else [part async for part in model.astream(asked, config)]
    )
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


WAYS = ["invoke", "ainvoke", "batch", "stream", "astream"]


@pytest.mark.parametrize("way", WAYS)
async def test_an_output_is_stored_and_served(way: str) -> None:
    model, models = router()
    config = says(route="small")
    cold = await ask(model, {"word": "hi"}, way, config)
    warm = await ask(model, {"word": "hi"}, way, config)
    assert cold == warm == await ask(model, {"word": "hi"}, "invoke", config) == "small-1 heard: Say hi"
    assert calls(models) == 1
    assert (await ask(model, {"word": "ho"}, way, config)) == "small-1 heard: Say ho"
    assert calls(models) == 2


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_is_served_in_its_pieces(way: str) -> None:
    model, models = router()
    seen = []
    for _ in range(2):
        if way == "stream":
            seen.append(list(model.stream({"word": "one two"}, says(route="small"))))
        else:
            seen.append([part async for part in model.astream({"word": "one two"}, says(route="small"))])
    assert [part for part in seen[0] if part] == seen[1]
    assert len(seen[1]) == 5
    assert calls(models) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_messages_tell_their_decision_and_are_new(way: str) -> None:
    model, models = router(parsed=False)
    cold = await ask(model, {"word": "hi"}, way)
    warm = await ask(model, {"word": "hi"}, way)
    assert warm.text == cold.text
    assert warm.id != cold.id
    told = warm.response_metadata["lecmux"]
    assert told["kind"] == "hit"
    assert warm.usage_metadata["total_tokens"] == 0
    assert told["usage"]["total_tokens"] > 0
    assert calls(models) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_every_decision_is_told_to_listeners(way: str) -> None:
    model, _ = router()
    heard = Heard()
    for _ in range(2):
        await ask(model, {"word": "hi"}, way, {"callbacks": [heard]})
    assert [told["kind"] for told in heard.told] == ["call", "hit"]
    assert model.observe(heard.told[0]["id"], quality=1.0)


def test_it_learns_which_costs_least() -> None:
    model, models = router(cache=False, prices=PRICES)
    for _ in range(12):
        model.invoke({"word": "hi"})
    small, large = models
    assert large.calls <= 2 < small.calls


def test_tokens_of_all_models_inside_are_paid() -> None:
    inner = OfflineToolChat(model="inner", answer=lambda _: "one two")
    twice = RunnableLambda(lambda text: [inner.invoke(text), inner.invoke(text)][0].text)
    model = RunnableRouter(runnables={"twice": twice}, prices={"twice": PRICES["small"]}, cache=False)
    heard = Heard()
    model.invoke("hi", {"callbacks": [heard]})
    assert heard.told[0]["cost"] == pytest.approx(4.0)


class Shape(BaseModel):
    """A shape."""

    corners: int


@pytest.mark.parametrize(
    "value", ["", "text", 7, 1.5, True, ["a", {"b": None}], {"a": (1, 2)}, Shape(corners=3), AIMessage("hi")]
)
def test_any_plain_output_is_stored(value: Any) -> None:
    made = []

    def make(_: Any) -> Any:
        made.append(1)
        return value

    model = RunnableRouter(runnables={"only": make}, cache=LECCache())
    answers = [model.invoke("hi") for _ in range(3)]
    if isinstance(value, AIMessage):
        answers = [answer.content for answer in answers]
        value = value.content
    assert answers == [value] * 3
    assert len(made) == 1


def test_an_output_outside_the_schema_is_handed_on_and_not_stored() -> None:
    made = []

    def make(_: Any) -> Any:
        made.append(object())
        return made[-1]

    model = RunnableRouter(runnables={"only": make}, cache=LECCache())
    assert [model.invoke("hi") for _ in range(2)] == made
    assert len(made) == 2


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("hi", "hi", "ho"),
        ([HumanMessage("hi", id="1")], [HumanMessage("hi", id="2")], [HumanMessage("ho")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}),
        (PROMPT.invoke({"word": "a"}), PROMPT.invoke({"word": "a"}), PROMPT.invoke({"word": "b"})),
    ],
)
def test_equal_inputs_are_one_question(one: Any, same: Any, other: Any) -> None:
    made: list[Any] = []
    model = RunnableRouter(runnables={"only": lambda asked: made.append(asked) or "x"}, cache=LECCache())
    for asked in (one, same, other):
        model.invoke(asked)
    assert len(made) == 2


def test_what_has_no_stable_form_is_not_cached() -> None:
    made: list[Any] = []
    model = RunnableRouter(runnables={"only": lambda asked: made.append(asked) or "x"}, cache=LECCache())
    thing = object()
    for _ in range(2):
        model.invoke({"thing": thing})
    assert len(made) == 2


def test_a_key_of_ones_own() -> None:
    made: list[Any] = []
    model = RunnableRouter(
        runnables={"only": lambda asked: made.append(asked) or "x"},
        cache=LECCache(),
        key=lambda asked: asked["q"],
    )
    for asked in ({"q": "a", "at": 1}, {"q": "a", "at": 2}, {"q": None}, {"q": None}):
        model.invoke(asked)
    assert len(made) == 3


def test_a_call_can_name_its_runnable_and_refresh() -> None:
    model, models = router()
    assert model.invoke({"word": "hi"}, says(route="large")).startswith("large-1")
    assert model.invoke({"word": "hi"}, says(route="small")).startswith("small-1")
    model.invoke({"word": "hi"}, says(route="small", cache="refresh"))
    assert calls(models) == 3
    with pytest.raises(ConfigError, match="medium"):
        model.invoke({"word": "hi"}, says(route="medium"))
    with pytest.raises(ConfigError, match="'use'"):
        model.invoke({"word": "hi"}, says(cache="never"))


def test_another_answers_where_one_fails() -> None:
    def fail(_: Any) -> str:
        raise OSError("down")

    model = RunnableRouter(runnables={"a": fail, "b": lambda _: "fine"}, cache=LECCache())
    assert {model.invoke(question) for question in "123"} == {"fine"}
    with pytest.raises(OSError, match="down"):
        RunnableRouter(runnables={"a": fail}, cache=LECCache()).invoke("hi")


@pytest.mark.parametrize("way", WAYS)
async def test_a_cascade_over_runnables(way: str) -> None:
    arm = Cascade("rough", "careful", check=lambda _, reply: reply.value != "rough")
    model = RunnableRouter(
        runnables={"rough": lambda _: "rough", "careful": lambda _: "careful"}, cache=False, arms=[arm]
    )
    assert await ask(model, "hi", way, says(route="rough then careful")) == "careful"


def test_a_stream_that_broke_off_or_was_left_is_not_stored() -> None:
    breaks = [True]

    def gen(_: Iterator[Any]) -> Iterator[str]:
        yield "one "
        if breaks:
            raise OSError("down")
        yield "two"

    async def agen(_: AsyncIterator[Any]) -> AsyncIterator[str]:
        yield "unused"

    model = RunnableRouter(runnables={"only": RunnableGenerator(gen, agen)}, cache=LECCache())
    with pytest.raises(OSError, match="down"):
        list(model.stream("hi"))
    breaks.clear()
    left = model.stream("hi")
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert list(model.stream("hi")) == ["one ", "two"]
    breaks.append(True)
    assert list(model.stream("hi")) == ["one ", "two"]


def test_it_is_one_chain_run_with_the_chosen_runnable_inside() -> None:
    model, _ = router()
    collector = RunCollectorCallbackHandler()
    for _ in range(2):
        model.invoke({"word": "hi"}, {"callbacks": [collector]})
    cold, warm = collector.traced_runs
    assert [run.run_type for run in cold.child_runs] == ["chain"]
    assert warm.child_runs == []
    assert warm.outputs == cold.outputs


def test_in_a_chain_it_streams_message_chunks() -> None:
    model, models = router(parsed=False)
    chain = RunnableLambda(lambda word: {"word": word}) | model | StrOutputParser()
    texts = [list(chain.stream("a b", says(route="small"))) for _ in range(2)]
    assert "".join(texts[0]) == "".join(texts[1]) == "small-1 heard: Say a b"
    assert calls(models) == 1
    chunks = list(model.stream({"word": "a b"}, says(route="small")))
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)


def test_what_would_become_of_an_input_can_be_asked() -> None:
    model, models = router()
    before = model.explain({"word": "hi"})
    assert (before.outcome, before.why, set(before.models)) == ("call", "absent", {"small", "large"})
    assert calls(models) == 0
    model.invoke({"word": "hi"})
    assert model.explain({"word": "hi"}).outcome == "hit"
    assert model.explain({"word": "hi"}, says(cache="skip")).outcome == "call"


def test_mistyped_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="namespace"):
        RunnableRouter(runnables={"a": str}, namespaces="x")
    with pytest.raises(ConfigError):
        RunnableRouter(runnables={})
