"""`RunnableRouter`: a stored answer, or whichever of several runnables is expected to cost least."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForChainRun,
    CallbackManagerForChainRun,
    adispatch_custom_event,
    dispatch_custom_event,
)
from langchain_core.load import dumps
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import ConfigurableFieldSpec, Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.runnables.config import ensure_config, merge_configs
from pydantic import Field, PrivateAttr

from langchain_lecmux.cache import LECCache
from langchain_lecmux.canonical import UnstableKeyError, canonical_key, plain_key
from langchain_lecmux.facts import told_message
from langchain_lecmux.generated import Generated
from langchain_lecmux.outputs import Meter, OutputCodec
from langchain_lecmux.serving import mark_served
from langchain_lecmux.settings import RouterSettings, name_typos
from langchain_lecmux.shapes import mode_of, route_of
from langchain_lecmux.wiring import ADDRESS, digest
from lecmux import Answer, Query, Reply, flow
from lecmux.explain import Explanation, explain
from lecmux.facts import facts
from lecmux.flow import Call
from lecmux.key_text import bounded

__all__ = ["RunnableRouter"]

EVENT = "lecmux"
"""Custom event that tells of a decision."""


class RunnableRouter(RouterSettings, RunnableSerializable[Any, Any]):
    """Stands wherever a runnable does, over K runnables that do the same: chains, agents, functions.

    Each input is answered from the cache, or by the runnable whose expected cost is least, as a `ChatRouter`
    does over chat models; prices are by the names given here, of the tokens that all models inside used.
    Messages, texts and plain values are stored; any other output is handed on. Every decision is told as a
    custom event named "lecmux" (its `id` is for `observe`), and on a message in
    `response_metadata["lecmux"]`.

    A runnable is known by its name and its repr when the router is made: give what is changed later, or
    tells nothing of itself in its repr, another `namespace`.
    """

    runnables: dict[str, Any]
    """Runnables, or functions, by the names that decisions and prices use."""
    key: Any = Field(default=None, exclude=True)
    """`(input) -> str | None`: what makes two inputs the same question; None leaves the cache aside. By
    default all of the input counts."""

    _identity: str = PrivateAttr()

    def __init__(self, **settings: Any) -> None:
        """Takes the fields by name.

        Raises:
            ConfigError: settings that cannot work.
            PriceError: prices of runnables that are not there, or a cache that counts in another unit.
        """
        name_typos(type(self), settings, type(self).model_fields)
        super().__init__(**settings)
        self.runnables = {name: coerce_to_runnable(each) for name, each in self.runnables.items()}
        self._router = self._made_router(self.runnables)
        self._stores = self._made_stores(None)
        parts = [
            part for name, each in self.runnables.items() for part in (name, ADDRESS.sub("", repr(each)))
        ]
        self._identity = digest(["runnables", self.namespace, *parts])

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What a call may say to the router."""
        return [*super().config_specs, *self._specs()]

    def explain(
        self,
        input: Any,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
    ) -> Explanation:
        """What `invoke` would do with the same arguments now, and why. Counts nothing and changes nothing."""
        turn = self._turn(input, ensure_config(config))
        return explain(turn.query, turn.core)

    # whole outputs

    def invoke(
        self,
        input: Any,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """One output."""
        return self._call_with_config(self._answer, input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """One output, awaited."""
        return await self._acall_with_config(self._aanswer, input, config, **kwargs)

    def _answer(
        self, asked: Any, run_manager: CallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> Any:
        turn = self._turn(asked, config)

        def call(effect: Call) -> Reply:
            meter, heard, started = _measured(config)
            value = self._chosen(effect).invoke(asked, heard, **kwargs)
            return Reply(value, meter.usage(time.perf_counter() - started), model=effect.model)

        answer = flow.run(flow.answer(turn.query, turn.core), self._limit.whole(call))
        value = turn.finished(answer)
        if run_manager.handlers:
            dispatch_custom_event(EVENT, facts(answer.decision), config=config)
        return value

    async def _aanswer(
        self, asked: Any, run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> Any:
        turn = self._turn(asked, config)

        async def call(effect: Call) -> Reply:
            meter, heard, started = _measured(config)
            value = await self._chosen(effect).ainvoke(asked, heard, **kwargs)
            return Reply(value, meter.usage(time.perf_counter() - started), model=effect.model)

        answer = await flow.arun(flow.answer(turn.query, turn.core), self._limit.awhole(call))
        value = turn.finished(answer)
        if run_manager.handlers:
            await adispatch_custom_event(EVENT, facts(answer.decision), config=config)
        return value

    # streams

    def stream(
        self,
        input: Any,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """An output in chunks: as the runnable gives them, or as it gave them when the output was stored."""
        yield from self._transform_stream_with_config(iter([input]), self._stream, config, **kwargs)

    async def astream(
        self,
        input: Any,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """As `stream`, awaited."""

        async def once() -> AsyncIterator[Any]:
            yield input

        chunks = self._atransform_stream_with_config(once(), self._astream, config, **kwargs)
        async for chunk in chunks:
            yield chunk

    def _stream(
        self,
        asked: Iterator[Any],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> Iterator[Any]:
        question = next(asked)
        turn = self._turn(question, config)

        def call(effect: Call) -> Generator[Any, None, None]:
            meter, heard, started = _measured(config)
            parts = []
            stream: Any = self._chosen(effect).stream(question, heard, **kwargs)
            with closing(stream):
                for part in stream:
                    parts.append(part)
                    yield part
            value = turn.codec.gathered(parts)
            yield Reply(value, meter.usage(time.perf_counter() - started), model=effect.model)

        asking = flow.answer(turn.query, turn.core, single_flight=False)
        for item in flow.stream(asking, self._limit.stream(call)):
            if not isinstance(item, Answer):
                yield item
                continue
            value = turn.finished(item)
            if run_manager.handlers:
                dispatch_custom_event(EVENT, facts(item.decision), config=config)
            if item.reply is None:
                yield from turn.codec.replayed(value)

    async def _astream(
        self,
        asked: AsyncIterator[Any],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        question = await anext(asked)
        turn = self._turn(question, config)

        async def call(effect: Call) -> AsyncGenerator[Any, None]:
            meter, heard, started = _measured(config)
            parts = []
            stream: Any = self._chosen(effect).astream(question, heard, **kwargs)
            async with aclosing(stream):
                async for part in stream:
                    parts.append(part)
                    yield part
            value = turn.codec.gathered(parts)
            yield Reply(value, meter.usage(time.perf_counter() - started), model=effect.model)

        asking = flow.answer(turn.query, turn.core, single_flight=False)
        async for item in flow.astream(asking, self._limit.astream(call)):
            if not isinstance(item, Answer):
                yield item
                continue
            value = turn.finished(item)
            if run_manager.handlers:
                await adispatch_custom_event(EVENT, facts(item.decision), config=config)
            if item.reply is None:
                for part in turn.codec.replayed(value):
                    yield part

    # the parts of a call

    def _chosen(self, effect: Call) -> Runnable[Any, Any]:
        runnable: Runnable[Any, Any] = self.runnables[effect.model]
        return runnable

    def _turn(self, asked: Any, config: RunnableConfig) -> "_Turn":
        text = self._text(asked)
        query = Query(text or "", fingerprint=self._identity, attributes={"input": asked})
        codec = OutputCodec()
        core, through = self._stores.core(
            query, stable=text is not None, route=route_of(config), mode=mode_of(config), codec=codec
        )
        return _Turn(query, core, codec, through)

    def _text(self, asked: Any) -> str | None:
        """What is looked up; None where it would not be found again."""
        if self.key is not None:
            word = self.key(asked)
            return None if word is None else bounded(f"k{word}")
        if isinstance(asked, PromptValue):
            asked = asked.to_messages()
        try:
            if isinstance(asked, list) and all(isinstance(each, BaseMessage) for each in asked):
                return plain_key(asked) or canonical_key(dumps(asked))
            text = dumps(asked, sort_keys=True)
        except (UnstableKeyError, TypeError, ValueError, RecursionError):
            return None
        return None if ADDRESS.search(text) else bounded(f"v{text}")


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request on its way."""

    query: Query
    core: flow.Core
    codec: OutputCodec
    through: LECCache | None

    def finished(self, answer: Answer) -> Any:
        """What the user gets: a message tells of the decision."""
        value, hit = answer.value, answer.reply is None
        if self.through:
            self.through.noted(hit=hit)
        if not isinstance(value, BaseMessage):
            return value
        if not hit:
            return told_message(value, facts(answer.decision))
        served = Generated((ChatGeneration(message=value),), plan=self.codec.plan)
        renew = self.through is None or self.through.renew_tool_call_ids
        mark_served(served, facts(answer.decision), renew_tool_calls=renew)
        return value


def _measured(config: RunnableConfig) -> tuple[Meter, RunnableConfig, float]:
    """A config that counts what is used under it, and the time now."""
    meter = Meter()
    return meter, merge_configs(config, {"callbacks": [meter]}), time.perf_counter()
