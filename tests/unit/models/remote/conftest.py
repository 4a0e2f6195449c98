"""Endpoints that follow scripts, and clients that ask them with a clock and sleeps of their own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from lecmux.models import Endpoint, OpenAICompatible, Timeouts
from lecmux.query import Reply
from lecmux.testing import FakeClock, ScriptedEndpoint

ASK = [{"role": "user", "content": "What is the capital of France?"}]


class Sleeps:
    """Stands in for waiting: notes how long, and lets the clock run."""

    def __init__(self, clock: FakeClock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.advance(seconds)


class Remotes:
    """Endpoints that follow scripts and the clients that ask them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sleeps = Sleeps(self.clock)
        self._open: list[Any] = []

    def serve(self, *lines: Any, **settings: Any) -> ScriptedEndpoint:
        """Lines that are said in turn, or one function that says them."""
        endpoint = ScriptedEndpoint(lines[0] if callable(lines[0]) else lines, **settings)
        self._open.append(endpoint)
        return endpoint

    def ask(self, *endpoints: ScriptedEndpoint, **settings: Any) -> OpenAICompatible:
        first, *others = endpoints
        made = OpenAICompatible(
            "m",
            base_url=first.base_url,
            fallbacks=[Endpoint(other.base_url) for other in others],
            **{
                "timeouts": Timeouts(connect_seconds=20),
                "clock": self.clock,
                "sleep": self.sleeps,
                "draw": lambda: 0.5,
                **settings,
            },
        )
        self._open.insert(0, made)
        return made

    def answered(self, model: Any, way: str, **settings: Any) -> Reply:
        """The whole reply, come by in one of four ways."""

        async def awaited() -> Reply:
            if way == "achat":
                return await model.achat(ASK, **settings)
            async with model.astream(ASK, **settings) as stream:
                text = "".join([piece async for piece in stream])
            assert stream.reply is not None
            assert text == (stream.reply.value if isinstance(stream.reply.value, str) else "")
            return stream.reply

        if way == "chat":
            return model.chat(ASK, **settings)
        if way in {"achat", "astream"}:
            return asyncio.run(awaited())
        with model.stream(ASK, **settings) as stream:
            text = "".join(stream)
        assert stream.reply is not None
        assert text == (stream.reply.value if isinstance(stream.reply.value, str) else "")
        return stream.reply

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    made = Remotes()
    yield made
    made.close()
