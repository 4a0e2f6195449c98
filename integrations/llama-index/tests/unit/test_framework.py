"""What LlamaIndex expects of an LLM, one test a rule."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.mock import MockLLM
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.tools import FunctionTool
from scripted_llm import ScriptedLLM, router

import llama_index.llms.lecmux
from lecmux import Price
from llama_index.llms.lecmux import LECKVStore, ModelLLM, RouterLLM, events

HELLO = [ChatMessage("hello there")]


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)


@pytest.mark.parametrize("kind", [RouterLLM, ModelLLM])
def test_every_abstract_method_is_there_and_the_async_ones_are_their_own(kind: type) -> None:
    assert BaseLLM in kind.__mro__
    assert FunctionCallingLLM in kind.__mro__
    assert not inspect.isabstract(kind)
    for name in ("chat", "complete", "stream_chat", "stream_complete"):
        assert name in vars(kind)
        assert inspect.iscoroutinefunction(vars(kind)[f"a{name}"])


async def test_async_streams_are_coroutines_that_return_async_generators() -> None:
    waiting = router(ScriptedLLM()).astream_chat(HELLO)
    assert inspect.iscoroutine(waiting)

    stream = await waiting
    assert inspect.isasyncgen(stream)

    text = ""
    async for piece in stream:
        text += piece.delta
        assert piece.message.content == text


def test_metadata_is_the_intersection() -> None:
    small = ScriptedLLM(context_window=500, num_output=-1, function_calling=True)
    large = ScriptedLLM(context_window=9_000, num_output=100, function_calling=False)

    about = router(small, large).metadata

    assert (about.context_window, about.num_output) == (500, 100)
    assert about.is_chat_model
    assert not about.is_function_calling_model
    assert about.model_name == "small|large"
    assert about.system_role == MessageRole.SYSTEM


def test_metadata_of_a_model_that_says_it_calls_functions_but_cannot() -> None:
    class Boasts(MockLLM):
        @property
        def metadata(self) -> Any:
            return super().metadata.model_copy(update={"is_function_calling_model": True})

    assert not RouterLLM(models={"a": Boasts()}).metadata.is_function_calling_model


def test_events_are_told_once_for_a_call_and_once_for_a_hit(heard: list) -> None:
    llm = router(ScriptedLLM())
    told = []
    for _ in range(2):
        llm.chat(HELLO)
        told.append([type(event).__name__ for event in heard if "Span" not in type(event).__name__])
        heard.clear()

    assert told[0] == ["LECRouteEvent", "LLMChatStartEvent", "LLMChatEndEvent"]
    assert told[1] == ["LECCacheHitEvent", "LLMChatStartEvent", "LLMChatEndEvent"]


@pytest.mark.parametrize("event", ["LECRouteEvent", "LECCacheHitEvent"])
def test_with_nobody_listening_no_event_is_made(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making one takes longer than serving a hit."""
    monkeypatch.setattr(events, event, lambda **_: pytest.fail("an event that nobody hears"))
    llm = router(ScriptedLLM())

    kinds = [llm.chat(HELLO).additional_kwargs["lecmux"]["kind"] for _ in range(2)]

    assert kinds == ["call", "hit"]
    assert llm.cache.stats().incidents == 0


def test_tokens_are_counted_once_and_a_hit_counts_none() -> None:
    plain, routed = (TokenCountingHandler(tokenizer=str.split) for _ in range(2))
    ScriptedLLM(callback_manager=CallbackManager([plain])).chat(HELLO)
    llm = router(ScriptedLLM(), callback_manager=CallbackManager([routed]))

    llm.chat(HELLO)
    spent = routed.total_llm_token_count
    llm.chat(HELLO)
    list(llm.stream_chat(HELLO))

    assert spent == plain.total_llm_token_count == routed.total_llm_token_count > 0
    assert [each.total_token_count for each in routed.llm_token_counts] == [spent, 0, 0]


@pytest.mark.parametrize("route", ["small", "large"])
def test_tools_reach_the_chosen_model_in_its_own_shape(route: str) -> None:
    llm = router(ScriptedLLM(provider="acme"), ScriptedLLM(provider="other"))

    answer = llm.chat_with_tools([ADD], user_msg="what is 2 and 3?", lecmux_route=route)

    assert [call.tool_name for call in llm.get_tool_calls_from_response(answer)] == ["add"]
    assert len(llm.models[route].calls) == 1


def test_predict_and_call() -> None:
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"))

    assert [str(llm.predict_and_call([ADD], user_msg="2 and 3")) for _ in range(3)] == ["5", "5", "5"]
    assert sum(len(model.calls) for model in llm.models.values()) == 1


def test_settings_take_it_and_hand_their_callbacks_to_the_models() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    Settings.llm = llm = router(ScriptedLLM(), ScriptedLLM(provider="other"))
    Settings.callback_manager = CallbackManager([counter])

    assert Settings.llm is llm
    Settings.llm.chat(HELLO)

    assert all(model.callback_manager is Settings.callback_manager for model in llm.models.values())
    assert len(counter.llm_token_counts) == 1


def test_payloads_hold_no_credentials(heard: list) -> None:
    class Remote(ScriptedLLM):
        api_key: str = "sk-secret"

    llm = router(Remote(), prices={"small": Price(1.0, 2.0)})
    llm.chat(HELLO)
    llm.chat(HELLO)

    payload = llm.to_payload() if hasattr(llm, "to_payload") else ""  # older ones have none
    assert "sk-secret" not in str(payload)
    assert "sk-secret" not in llm.to_json()
    assert not [event for event in heard if "sk-secret" in str(event.model_dump())]


def test_a_new_credential_or_timeout_is_no_other_question() -> None:
    class Remote(ScriptedLLM):
        api_key: str = "sk-1"
        timeout: float = 1.0

    model = Remote()
    llm = router(model)
    llm.chat(HELLO)
    model.api_key, model.timeout = "sk-2", 2.0

    assert llm.chat(HELLO).additional_kwargs["lecmux"]["kind"] == "hit"


def test_another_temperature_is_another_question() -> None:
    model = ScriptedLLM()
    llm = router(model)
    llm.chat(HELLO)
    model.temperature = 0.7

    assert llm.chat(HELLO).additional_kwargs["lecmux"]["kind"] == "call"


async def test_a_rate_limiter_of_the_router_waits_for_calls_and_not_for_hits() -> None:
    waited = []

    class Limiter(TokenBucketRateLimiter):
        def acquire(self, *_: Any, **__: Any) -> None:
            waited.append("sync")

        async def async_acquire(self, *_: Any, **__: Any) -> None:
            waited.append("async")

    llm = router(ScriptedLLM(), rate_limiter=Limiter(requests_per_minute=1))
    llm.chat(HELLO)
    llm.chat(HELLO)
    await llm.achat([ChatMessage("other")])
    await llm.achat([ChatMessage("other")])

    assert waited == ["sync", "async"]


def test_raw_is_the_models_own_on_a_call_and_absent_on_a_hit() -> None:
    class Handle:
        """Such as a client's own response object."""

    def chat(self: Any, messages: Any, **_: Any) -> ChatResponse:
        return ChatResponse(message=ChatMessage("hi", role="assistant"), raw=Handle())

    model = type("Raw", (ScriptedLLM,), {"chat": chat})()
    llm = router(model)

    assert isinstance(llm.chat(HELLO).raw, Handle)
    hit = llm.chat(HELLO)
    assert (hit.raw, hit.message.content) == (None, "hi")


def test_two_embedding_models_keep_apart_by_namespace() -> None:
    """LlamaIndex's embedding cache goes by the text alone."""
    shared = LECKVStore()
    one = MockEmbedding(2, embeddings_cache=LECKVStore(cache=shared.cache, namespace="one"))
    other = MockEmbedding(3, embeddings_cache=LECKVStore(cache=shared.cache, namespace="other"))

    assert [len(model.get_text_embedding("text")) for model in (one, other)] == [2, 3]


def test_the_package_lies_in_the_shared_namespace_and_is_typed() -> None:
    home = Path(llama_index.llms.lecmux.__file__).parent

    assert (home / "py.typed").exists()
    assert not (home.parents[1] / "__init__.py").exists()
    assert not (home.parent / "__init__.py").exists()
