"""The call stage: performs what the pipeline asks for on a LangChain model, in each of four ways."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableConfig

from langchain_lecmux import quiet
from langchain_lecmux.asking import Asking
from langchain_lecmux.bypass import Store, bypassing
from langchain_lecmux.facts import decision_metadata, told_message
from langchain_lecmux.generated import Generated, reply
from langchain_lecmux.recording import Recorder, chunk_plan, recorded
from lecmux import Decision, Reply
from lecmux.facts import end_facts, start_facts
from lecmux.flow import Call


@dataclass(slots=True)
class Caller:
    """Calls the models of one router for one request, past the cache that the router uses."""

    models: Mapping[str, BaseChatModel]
    asking: Asking
    store: Store | None

    def whole(self, effect: Call, config: RunnableConfig) -> Reply:
        """The whole answer."""
        model, messages, options = self.models[effect.model], self.asking.messages, self.options(effect)
        generations: Sequence[Generation]
        started = time.perf_counter()
        with bypassing(self.store):
            told, recorder = recorded(_told(config, effect.decision))
            if quiet.applies(model, messages, told):
                generations = quiet.answered(model, messages, told, options)
            else:
                generations = model.generate([messages], **options, **_spread(told)).generations[0]
        return _replied(effect, generations, recorder, started)

    async def awhole(self, effect: Call, config: RunnableConfig) -> Reply:
        """As `whole`, awaited."""
        model, messages, options = self.models[effect.model], self.asking.messages, self.options(effect)
        generations: Sequence[Generation]
        started = time.perf_counter()
        with bypassing(self.store):
            told, recorder = recorded(_told(config, effect.decision))
            if quiet.applies(model, messages, told):
                generations = await quiet.aanswered(model, messages, told, options)
            else:
                result = await model.agenerate([messages], **options, **_spread(told))
                generations = result.generations[0]
        return _replied(effect, generations, recorder, started)

    def stream(
        self, effect: Call, config: RunnableConfig, gathered: "Gathered"
    ) -> Generator[BaseMessage | Reply, None, None]:
        """Its chunks as they come, and last the Reply they amount to."""
        options = self.options(effect)
        started = time.perf_counter()
        told = _told(config, effect.decision)
        gathered.begin()
        chunks: Any = self.models[effect.model].stream(self.asking.messages, told, **options)
        with closing(chunks):
            for chunk in _stepped(chunks, self.store):
                yield from gathered.take(chunk, effect.decision)
        yield gathered.reply(effect.model, time.perf_counter() - started)

    async def astream(
        self, effect: Call, config: RunnableConfig, gathered: "Gathered"
    ) -> AsyncGenerator[BaseMessage | Reply, None]:
        """As `stream`, awaited."""
        options = self.options(effect)
        started = time.perf_counter()
        told = _told(config, effect.decision)
        gathered.begin()
        chunks: Any = self.models[effect.model].astream(self.asking.messages, told, **options)
        async with aclosing(chunks):
            async for chunk in _astepped(chunks, self.store):
                for ready in gathered.take(chunk, effect.decision):
                    yield ready
        yield gathered.reply(effect.model, time.perf_counter() - started)

    def options(self, effect: Call) -> dict[str, Any]:
        """Keyword arguments for the model of `effect`."""
        return {"stop": self.asking.stop, **self.asking.options_for(effect.model, self.models[effect.model])}


class Gathered:
    """The chunks of one stream, from the last model that gave any.

    The first carries what is known of the decision. The one that says it is the last waits until the answer
    has been learnt from, and carries the rest.
    """

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._held: BaseMessage | None = None
        self._whole: AIMessage | None = None
        self._fresh = True

    def begin(self) -> None:
        """A model is asked: its first chunk will replace those of one that failed or was not good enough."""
        self._fresh = True

    def take(self, chunk: BaseMessage, decision: Decision) -> Iterator[BaseMessage]:
        """What can be handed on now."""
        if self._fresh:
            self._chunks, self._held, self._whole, self._fresh = [], None, None, False
        if self._held is not None:
            yield self._held
            self._held = None
        first = not self._chunks and self._whole is None
        handed = told_message(chunk, start_facts(decision)) if first else chunk
        if not isinstance(
            chunk, AIMessageChunk
        ):  # a model that does not stream gives its answer in one piece
            self._whole = chunk if isinstance(chunk, AIMessage) else AIMessage(chunk.content)
            self._held = handed
            return
        self._chunks.append(chunk)
        if chunk.chunk_position == "last":
            self._held = handed
        else:
            yield handed

    def pass_on(self, chunk: AIMessageChunk) -> Iterator[AIMessageChunk]:
        """Notes a chunk that needs nothing added."""
        self._chunks.append(chunk)
        yield chunk

    def reply(self, model: str, seconds: float) -> Reply:
        """What the chunks amount to.

        Raises:
            ValueError: there were none.
        """
        if self._fresh:
            raise ValueError("the model's stream ended without a chunk")
        generated = self._generated(self._merged())
        return reply(generated, seconds=seconds, model=model)

    def _generated(self, message: BaseMessage) -> Generated:
        """A text by the lengths of its pieces, any other stream by its plan."""
        answer = (ChatGeneration(message=message),)
        if all(_only_text(chunk) for chunk in self._chunks):
            return Generated(answer, tuple(len(chunk.content) for chunk in self._chunks if chunk.content))
        return Generated(answer, plan=chunk_plan(self._chunks))

    def last(self, decision: Decision) -> BaseMessage:
        """The last chunk, to be handed on after all others."""
        if self._held is not None:
            return told_message(self._held, end_facts(decision))
        ended = self._chunks[-1]
        content: Any = "" if isinstance(ended.content, str) else []
        chunk = AIMessageChunk(content=content, id=ended.id, chunk_position="last")
        return told_message(chunk, end_facts(decision))

    @property
    def message(self) -> BaseMessage | None:
        """What was gathered so far; None before the first chunk."""
        return self._merged() if self._chunks or self._whole else None

    def _merged(self) -> BaseMessage:
        if self._whole is not None:
            return self._whole
        return message_chunk_to_message(add_ai_message_chunks(self._chunks[0], *self._chunks[1:]))


def _only_text(chunk: AIMessageChunk) -> bool:
    return isinstance(chunk.content, str) and not (chunk.tool_call_chunks or chunk.additional_kwargs)


def _replied(
    effect: Call, generations: Sequence[Generation], recorder: Recorder | None, started: float
) -> Reply:
    generated = Generated(tuple(generations), plan=recorder.plan if recorder else None)
    seconds = time.perf_counter() - started
    return reply(generated, seconds=seconds, model=effect.model)


def _told(config: RunnableConfig, decision: Decision) -> RunnableConfig:
    """The config of a run that is told of the decision behind it."""
    return {**config, "metadata": {**(config.get("metadata") or {}), **decision_metadata(decision)}}


def _spread(config: RunnableConfig) -> dict[str, Any]:
    """A config as the keyword arguments of `generate`."""
    return {
        name: value for name, value in config.items() if name in {"callbacks", "tags", "metadata", "run_id"}
    }


def _stepped(chunks: Iterator[BaseMessage], store: Store | None) -> Iterator[BaseMessage]:
    """Each step past the cache, but not what the consumer does between the steps."""
    while True:
        with bypassing(store):
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


async def _astepped(chunks: AsyncIterator[BaseMessage], store: Store | None) -> AsyncIterator[BaseMessage]:
    while True:
        with bypassing(store):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk
