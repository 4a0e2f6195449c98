"""Structured output on the chosen model, in that model's own way: its binding asks, its parser reads."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableParallel, RunnableSequence
from langchain_core.runnables.base import RunnableSerializable
from langchain_core.runnables.config import RunnableConfig
from langchain_core.runnables.utils import AddableDict

from langchain_lecmux.asking import Structure

RAW = "raw"


@dataclass(frozen=True, slots=True)
class Way:
    """One model's way: keyword arguments for its call, and what reads the answer."""

    binding: Mapping[str, Any]
    parser: Runnable[Any, Any]


def ways(
    models: Mapping[str, BaseChatModel], schema: Any, *, include_raw: bool, settings: Mapping[str, Any]
) -> dict[str, Way] | None:
    """Every model's own way; None where one of them has none that can be taken apart."""
    found = {}
    for name, model in models.items():
        chain = model.with_structured_output(schema, include_raw=include_raw, **settings)
        way = _taken_apart(chain, model)
        if way is None:
            return None
        found[name] = way
    return found


def _taken_apart(chain: Any, model: BaseChatModel) -> Way | None:
    """A chain of the usual form: the model with arguments, then a parser (beside the raw message)."""
    if not isinstance(chain, RunnableSequence):
        return None
    asks, *reads = chain.steps
    if isinstance(asks, RunnableParallel):
        if list(asks.steps__) != [RAW]:
            return None
        asks = asks.steps__[RAW]
    if not isinstance(asks, RunnableBinding) or asks.bound is not model:
        return None
    return Way(asks.kwargs, reads[0] if len(reads) == 1 else RunnableSequence(*reads))


class Parser(RunnableSerializable[Any, Any]):
    """Reads an answer as the model that gave it would; the answer names it."""

    ways: dict[str, Any]
    include_raw: bool = False

    def invoke(
        self,
        input: BaseMessage,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """The parsed object, or with `include_raw` a dictionary."""
        return self._of(input).invoke(self._wrapped(input), config, **kwargs)

    async def ainvoke(
        self,
        input: BaseMessage,  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """As `invoke`, awaited."""
        return await self._of(input).ainvoke(self._wrapped(input), config, **kwargs)

    def transform(
        self,
        input: Iterator[BaseMessage],  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Parses while the answer arrives; its first chunk names the model."""
        first = next(input)
        yield from self._of(first).transform(self._rest(first, input), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[BaseMessage],  # noqa: A002  LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """As `transform`, awaited."""
        first = await anext(input)
        async for parsed in self._of(first).atransform(self._arest(first, input), config, **kwargs):
            yield parsed

    def _of(self, message: BaseMessage) -> Runnable[Any, Any]:
        name = message.response_metadata.get("lecmux", {}).get("model")
        way: Way = self.ways.get(name) or next(iter(self.ways.values()))
        return way.parser

    def _wrapped(self, message: BaseMessage) -> Any:
        return AddableDict({RAW: message}) if self.include_raw else message

    def _rest(self, first: BaseMessage, others: Iterator[BaseMessage]) -> Iterator[Any]:
        yield self._wrapped(first)
        for message in others:
            yield self._wrapped(message)

    async def _arest(self, first: BaseMessage, others: AsyncIterator[BaseMessage]) -> AsyncIterator[Any]:
        yield self._wrapped(first)
        async for message in others:
            yield self._wrapped(message)


def structure(schema: Any, settings: Mapping[str, Any], found: Mapping[str, Way]) -> Structure:
    """What the call is told of it."""
    return Structure(schema, settings, {name: way.binding for name, way in found.items()})
