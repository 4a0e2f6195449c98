"""A model asked quietly answers as `generate` has it answer, and is asked so only where nobody listens."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import RunnableConfig
from offline_model import OfflineBlockChat, OfflineToolChat

from langchain_lecmux import ChatRouter, quiet

QUESTION: list[BaseMessage] = [HumanMessage("hi")]


class Watching(OfflineToolChat):
    """Says what it sees of its run."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        assert run_manager is not None
        about = {"tags": run_manager.tags, "metadata": run_manager.metadata, "kwargs": kwargs}
        info = {"handlers": len(run_manager.handlers), "id": str(run_manager.run_id)}
        message = AIMessage("seen", additional_kwargs=about)
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])


class Deaf(BaseChatModel):
    """Takes no run manager."""

    @property
    def _llm_type(self) -> str:
        return "deaf"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, **kwargs: Any) -> ChatResult:  # type: ignore[override]
        return ChatResult(
            generations=[ChatGeneration(message=AIMessage(f"{stop} {kwargs}"), generation_info={"a": 1})],
            llm_output={"model_name": "deaf", "a": 2},
        )

    async def _agenerate(self, messages: list[BaseMessage], stop: Any = None, **kwargs: Any) -> ChatResult:  # type: ignore[override]
        return self._generate(messages, stop, **kwargs)


class Counting(BaseRateLimiter):
    """Counts who asks for leave."""

    asked = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        """Leave, always."""
        self.asked += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """As `acquire`."""
        return self.acquire()


MODELS: list[BaseChatModel] = [
    OfflineToolChat(),
    OfflineToolChat(streaming=True, stop=["b"]),
    OfflineToolChat(n=3),
    OfflineToolChat(output_version="v1"),
    OfflineBlockChat(),
    Watching(tags=["own"], metadata={"mine": 1}),
    Deaf(),
]
TEXTS = st.lists(st.builds(HumanMessage, st.text()) | st.builds(SystemMessage, st.text()), min_size=1)
CONFIGS = st.fixed_dictionaries({"run_id": st.uuids()}, optional={"tags": st.just(["t"])})
OPTIONS = st.fixed_dictionaries(
    {"stop": st.sampled_from([None, ["x"]])},
    optional={"seed": st.integers(), "stream": st.booleans(), "ls_structured_output_format": st.just(None)},
)


def _shown(generations: Any) -> list[dict[str, Any]]:
    """All that a caller can see, less what is random: ids of tool calls, and metadata for tracers."""
    shown = [generation.model_dump() for generation in generations]
    for generation in shown:
        generation["message"]["additional_kwargs"].pop("metadata", None)
        generation["message"]["tool_calls"] = len(generation["message"].get("tool_calls", ()))
    return shown


@pytest.mark.parametrize("model", MODELS, ids=lambda model: repr(model)[:40])
@settings(max_examples=20, deadline=None)
@given(messages=TEXTS, config=CONFIGS, options=OPTIONS)
def test_the_answer_is_that_of_generate(
    model: BaseChatModel, messages: list[BaseMessage], config: RunnableConfig, options: dict[str, Any]
) -> None:
    assert quiet.applies(model, messages, config)
    usual = model.generate([messages], **options, **config).generations[0]
    assert _shown(quiet.answered(model, messages, config, options)) == _shown(usual)
    awaited = asyncio.run(quiet.aanswered(model, messages, config, options))
    usual = asyncio.run(model.agenerate([messages], **options, **config)).generations[0]
    assert _shown(awaited) == _shown(usual)


def test_a_model_sees_its_run() -> None:
    config = RunnableConfig(metadata={"given": 2}, run_id=uuid4())
    model = Watching(metadata={"mine": 1})
    seen = quiet.answered(model, QUESTION, config, {"stop": None})[0].message
    assert seen.additional_kwargs["metadata"].items() >= {"given": 2, "mine": 1}.items()
    assert seen.id == f"lc_run--{config['run_id']}-0"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_its_cache_its_rate_limiter_and_its_failures_stay(asynchronous: bool) -> None:
    def ask(model: BaseChatModel) -> Any:
        if asynchronous:
            return asyncio.run(quiet.aanswered(model, QUESTION, {}, {"stop": None}))
        return quiet.answered(model, QUESTION, {}, {"stop": None})

    limiter = Counting()
    model = OfflineToolChat(cache=InMemoryCache(), rate_limiter=limiter)
    assert ask(model)[0].message.content == ask(model)[0].message.content
    assert (model.calls, limiter.asked) == (1, 1)

    def fail(_messages: list[BaseMessage]) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(OfflineToolChat(answer=fail))


class _Own(OfflineToolChat):
    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        return super().generate(*args, **kwargs)


@pytest.mark.parametrize(
    ("model", "messages", "config"),
    [
        (OfflineToolChat(callbacks=[BaseCallbackHandler()]), QUESTION, {}),
        (OfflineToolChat(verbose=True), QUESTION, {}),
        (OfflineToolChat(), QUESTION, {"callbacks": [BaseCallbackHandler()]}),
        (OfflineToolChat(), [HumanMessage([{"type": "text", "text": "hi"}])], {}),
        (_Own(), QUESTION, {}),
        (ChatRouter(models={"a": OfflineToolChat()}, cache=False), QUESTION, {}),
    ],
    ids=["its own callbacks", "verbose", "callbacks", "blocks", "its own generate", "a router"],
)
def test_it_is_asked_the_usual_way_where_that_does_more(
    model: BaseChatModel, messages: list[BaseMessage], config: RunnableConfig
) -> None:
    assert not quiet.applies(model, messages, config)
