"""The call stage: performs what the pipeline asks for on a LlamaIndex model, in each of four ways."""

import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any, Final

from llama_index.core.llms import LLM

from lecmux import Reply
from lecmux.flow import Call
from llama_index.llms.lecmux.asking import Asking
from llama_index.llms.lecmux.events import tell_route
from llama_index.llms.lecmux.gathered import Gathered
from llama_index.llms.lecmux.generated import reply
from llama_index.llms.lecmux.responses import Response

_WHOLE: Final = {"chat": "chat", "completion": "complete"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the models of one router for one request; handlers hear once of each model asked."""

    models: Mapping[str, LLM]
    asking: Asking
    limiter: Any = None
    """Waits for a call's turn; a hit needs none."""
    _told: set[str] = field(default_factory=set)

    def whole(self, effect: Call) -> Reply:
        """The whole answer."""
        method, arguments = self._method(effect, "{}")
        if self.limiter is not None:
            self.limiter.acquire()
        started = time.perf_counter()
        response = method(**arguments)
        return reply(response, model=effect.model, seconds=time.perf_counter() - started)

    async def awhole(self, effect: Call) -> Reply:
        """As `whole`, awaited."""
        method, arguments = self._method(effect, "a{}")
        if self.limiter is not None:
            await self.limiter.async_acquire()
        started = time.perf_counter()
        response = await method(**arguments)
        return reply(response, model=effect.model, seconds=time.perf_counter() - started)

    def stream(self, effect: Call, gathered: Gathered) -> Generator[Response | Reply, None, None]:
        """Its chunks as they come, and last the Reply they amount to."""
        method, arguments = self._method(effect, "stream_{}")
        if self.limiter is not None:
            self.limiter.acquire()
        started = time.perf_counter()
        gathered.begin()
        with closing(_closable(method(**arguments))) as chunks:
            for chunk in chunks:
                yield gathered.take(chunk, effect.decision)
        yield gathered.reply(effect.model, time.perf_counter() - started)

    async def astream(self, effect: Call, gathered: Gathered) -> AsyncGenerator[Response | Reply, None]:
        """As `stream`, awaited."""
        method, arguments = self._method(effect, "astream_{}")
        if self.limiter is not None:
            await self.limiter.async_acquire()
        started = time.perf_counter()
        gathered.begin()
        async with aclosing(_aclosable(await method(**arguments))) as chunks:
            async for chunk in chunks:
                yield gathered.take(chunk, effect.decision)
        yield gathered.reply(effect.model, time.perf_counter() - started)

    def _method(self, effect: Call, form: str) -> tuple[Any, dict[str, Any]]:
        if effect.model not in self._told:
            self._told.add(effect.model)
            tell_route(effect.decision)
        model = self.models[effect.model]
        return getattr(model, form.format(_WHOLE[self.asking.form])), self.asking.arguments(model)


def _closable(chunks: Any) -> Any:
    """A model may return any iterable, though a generator is asked for."""
    return chunks if hasattr(chunks, "close") else (chunk for chunk in chunks)


def _aclosable(chunks: Any) -> Any:
    return chunks if hasattr(chunks, "aclose") else (chunk async for chunk in chunks)
