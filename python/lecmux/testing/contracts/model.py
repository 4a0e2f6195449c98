"""What every local or remote chat model promises: `lecmux.models.Model`, in tests."""

import inspect
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lecmux.cache import Cache
from lecmux.errors import ConfigError, LecmuxError, ModelClosedError
from lecmux.models.base import Message, Model
from lecmux.query import Query, Reply

__all__ = ["ModelContract"]

_ENDS = {"stop", "length", "tool_calls", None}
_NO_MESSAGES: list[Any] = [[], "hello", ["hello"]]
_UNFIT: list[Any] = [
    [{"role": "user"}],
    [{"content": "hello"}],
    [{"role": "user", "content": object()}],
    [{"role": "user", "content": "a\ud800b"}],
]
_SETTINGS: list[dict[str, Any]] = [
    {"max_tokens": 0},
    {"max_tokens": -1},
    {"max_tokens": True},
    {"temperature": -1.0},
    {"temperature": float("nan")},
]
_WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class ModelContract:
    """Subclass, and supply `model`, which stays open, and `closable`, another that a test may close.

    A model that is slow to load comes from a fixture of module scope. `prompt` should be answered with five
    words or more. Equal greedy calls must give equal replies: load the model with what it needs for that.
    """

    prompt = "Count from one to ten in words."
    """What the tests ask."""

    @pytest.fixture
    def model(self) -> Model:
        """An open model."""
        raise NotImplementedError

    @pytest.fixture
    def closable(self) -> Model:
        """A model that nobody else uses."""
        raise NotImplementedError

    def test_is_a_model(self, model: Model) -> None:
        """It has the methods, and a name for decisions, prices and reports."""
        assert isinstance(model, Model)
        assert isinstance(model.name, str)
        assert model.name

    def test_answers_and_counts(self, model: Model) -> None:
        """A reply is text, with tokens and seconds that were measured."""
        reply = model.chat(self._asked(), max_tokens=32)

        assert isinstance(reply, Reply)
        assert isinstance(reply.value, str)
        assert reply.value.strip()
        assert reply.usage.input_tokens > 0
        assert 0 < reply.usage.output_tokens <= 32
        assert reply.usage.seconds > 0
        assert reply.finish_reason in _ENDS
        assert reply.model is None or reply.model

    def test_greedy_calls_repeat(self, model: Model) -> None:
        """At temperature 0 the same messages give the same text."""
        first, second = (model.chat(self._asked(), max_tokens=16) for _ in range(2))

        assert first.value == second.value
        assert first.usage.output_tokens == second.usage.output_tokens

    def test_max_tokens_cuts_and_says_so(self, model: Model) -> None:
        """A reply that was cut has the finish reason "length": nobody should store it as whole."""
        reply = model.chat(self._asked(), max_tokens=2)

        assert 0 < reply.usage.output_tokens <= 2
        assert reply.finish_reason == "length"

    def test_stop_ends_a_reply_before_it(self, model: Model) -> None:
        """The first of the strings and all after it are left out."""
        whole = str(model.chat(self._asked(), max_tokens=16).value)
        word = whole.split()[2]

        reply = model.chat(self._asked(), max_tokens=16, stop=["\x00never\x00", word])

        assert reply.value == whole[: whole.index(word)]
        assert reply.finish_reason == "stop"

    def test_takes_a_conversation(self, model: Model) -> None:
        """System text, turns of both sides, and fields that it may ignore."""
        talk: list[Message] = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hello! What can I do?"},
            *self._asked(),
        ]

        assert isinstance(model.chat(talk, max_tokens=8).value, str)
        assert [message["role"] for message in talk] == ["system", "user", "assistant", "user"]

    def test_a_stream_gives_what_a_chat_gives(self, model: Model) -> None:
        """Piece by piece, and then the same reply."""
        with model.stream(self._asked(), max_tokens=12) as stream:
            assert stream.reply is None
            pieces = list(stream)
        whole = model.chat(self._asked(), max_tokens=12)

        assert len(pieces) > 1
        assert all(isinstance(piece, str) and piece for piece in pieces)
        assert stream.reply is not None
        assert "".join(pieces) == stream.reply.value == whole.value
        assert stream.reply.usage.output_tokens == whole.usage.output_tokens
        assert stream.reply.finish_reason == whole.finish_reason

    def test_a_closed_stream_ends_without_a_reply(self, model: Model) -> None:
        """What was cut short must not look whole; the model serves on."""
        stream = model.stream(self._asked(), max_tokens=64)
        next(stream)
        stream.close()
        stream.close()

        assert list(stream) == []
        assert stream.reply is None
        assert model.chat(self._asked(), max_tokens=2).usage.output_tokens > 0

    def test_threads_share_it(self, model: Model) -> None:
        """Calls at the same time give what they give alone."""
        asked = [self._asked(f"{self.prompt} Begin at {number}.") for number in range(3)]
        alone = [self._text(model, messages) for messages in asked]

        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(lambda messages: self._text(model, messages), asked * 2))

        assert together == alone * 2

    def test_serves_a_cache(self, model: Model) -> None:
        """It is a callable that answers a query's text; `attributes["chat"]` holds arguments of `chat`."""
        cache = Cache(1_000_000)
        query = Query(self.prompt, attributes={"chat": {"max_tokens": 24, "stop": ["."]}})
        assert callable(model)

        first, second = (cache.answer(query, models={model.name: model}) for _ in range(2))

        assert first.decision.kind == "call"
        assert isinstance(first.value, str)
        if first.reply is not None and first.reply.finish_reason != "length":
            assert second.decision.kind == "hit"
        assert second.value == first.value

    def test_tools_are_called_in_one_form_or_refused(self, model: Model) -> None:
        """A reply is text, or an assistant message with `tool_calls`; a model without tools says so."""
        asked = self._asked("What is the weather in Rome? Use the tool.")
        try:
            reply = model.chat(asked, max_tokens=24, tools=[_WEATHER])
        except LecmuxError as error:
            assert "tool" in str(error)
            return
        if isinstance(reply.value, str):
            return
        assert reply.value["role"] == "assistant"
        for call in reply.value["tool_calls"]:
            assert call["type"] == "function"
            assert isinstance(call["function"]["name"], str)
            assert isinstance(call["function"]["arguments"], str)

    @pytest.mark.parametrize("messages", _NO_MESSAGES, ids=repr)
    def test_refuses_what_are_no_messages(self, model: Model, messages: Any) -> None:
        """With a ConfigError, before anything is paid."""
        for ask in (model.chat, model.stream):
            with pytest.raises(ConfigError, match="messages"):
                ask(messages, max_tokens=2)

    @pytest.mark.parametrize("messages", _UNFIT, ids=["no content", "no role", "object", "surrogate"])
    def test_refuses_a_message_that_is_none(self, model: Model, messages: list[Message]) -> None:
        """With an error of lecmux's own; the next call is answered."""
        with pytest.raises(LecmuxError):
            model.chat(messages, max_tokens=2)

        assert model.chat(self._asked(), max_tokens=1).usage.output_tokens > 0

    @pytest.mark.parametrize("settings", _SETTINGS, ids=repr)
    def test_refuses_settings_that_cannot_work(self, model: Model, settings: dict[str, Any]) -> None:
        """With a ConfigError that names the setting."""
        with pytest.raises(ConfigError, match=next(iter(settings))):
            model.chat(self._asked(), **settings)

    def test_closing_twice_then_calling(self, closable: Model) -> None:
        """A closed model says so, by every way in."""
        closable.close()
        closable.close()

        for ask in (closable.chat, lambda messages: list(closable.stream(messages))):
            with pytest.raises(ModelClosedError):
                ask(self._asked())

    def test_closing_from_many_threads(self, closable: Model) -> None:
        """Exactly as closing once."""
        threads = [threading.Thread(target=closable.close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with pytest.raises(ModelClosedError):
            closable.chat(self._asked())

    async def test_the_async_twin_gives_the_same(self, model: Any) -> None:
        """Where there is `achat` and `astream`: the same replies, the same pieces."""
        if not hasattr(model, "achat"):
            pytest.skip("this model has no achat: drivers run its chat in a thread")
        assert inspect.iscoroutinefunction(model.achat)
        reply = await model.achat(self._asked(), max_tokens=8)
        plain = model.chat(self._asked(), max_tokens=8)

        assert (reply.value, reply.finish_reason) == (plain.value, plain.finish_reason)
        with pytest.raises(ConfigError, match="messages"):
            await model.achat([])
        if hasattr(model, "astream"):
            await self._streams_async(model, plain)

    async def _streams_async(self, model: Any, plain: Reply) -> None:
        async with model.astream(self._asked(), max_tokens=8) as stream:
            early = stream.reply
            pieces = [piece async for piece in stream]
            whole = stream.reply
        assert early is None
        assert "".join(pieces) == whole.value == plain.value

    def _asked(self, text: str | None = None) -> Sequence[Message]:
        return [{"role": "user", "content": self.prompt if text is None else text}]

    def _text(self, model: Model, messages: Sequence[Message]) -> str:
        return str(model.chat(messages, max_tokens=6).value)
