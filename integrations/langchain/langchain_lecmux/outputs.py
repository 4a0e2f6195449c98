"""What a runnable gives, as stored and as streamed: a message, a text, or any plain value."""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_lecmux import codec
from langchain_lecmux.generated import Generated, reply
from langchain_lecmux.plan import Plan, cut, pack_lengths, unpack_lengths
from langchain_lecmux.recording import chunk_plan, packed_plan
from langchain_lecmux.replay import chunks
from lecmux import Usage
from lecmux.tagged import Packer, unpack


class OutputCodec:
    """Between one output and its stored form, for one request.

    Attributes:
        pieces: lengths of the chunks of a streamed text.
        plan: how a streamed message arrived.
    """

    def __init__(self) -> None:
        self.pieces: tuple[int, ...] = ()
        self.plan: Plan | None = None

    def dump(self, value: Any, /) -> bytes:
        """By the closed schema.

        Raises:
            UnstorableError: a value that has no plain form.
        """
        about: dict[str, Any] = {"pieces": pack_lengths(self.pieces)} if self.pieces else {}
        if isinstance(value, BaseMessage):
            if self.plan and (packed := packed_plan(self.plan, value)):
                about["plan"] = packed
            return codec.encode([ChatGeneration(message=value)], about)
        packer = Packer()
        about |= {"value": packer.pack(value)}
        return codec.encode([], about | {"tagged": packer.tagged})

    def load(self, stored: Any, /) -> Any:
        """A new object on every call."""
        generations, about = codec.decode(stored)
        self.pieces = unpack_lengths(about.get("pieces", ""))
        self.plan = Plan.stored(about.get("plan"))
        if generations and isinstance(first := generations[0], ChatGeneration):
            return first.message
        return unpack(about["value"]) if about.get("tagged") else about["value"]

    def gathered(self, parts: Sequence[Any]) -> Any:
        """What the chunks of a stream amount to.

        Raises:
            ValueError: there were none. TypeError: they cannot be added.
        """
        if not parts:
            raise ValueError("the stream ended without a chunk")
        if all(isinstance(part, str) for part in parts):
            self.pieces = tuple(len(part) for part in parts if part)
            return "".join(parts)
        if all(isinstance(part, AIMessageChunk) for part in parts):
            self.plan = chunk_plan(parts)
            return message_chunk_to_message(add_ai_message_chunks(parts[0], *parts[1:]))
        return reduce(add, parts)

    def replayed(self, value: Any) -> Iterator[Any]:
        """A stored output in the pieces it came in; in one where these are unknown."""
        if isinstance(value, str) and sum(self.pieces) == len(value) and value:
            return cut(value, self.pieces)
        if isinstance(value, BaseMessage):
            return chunks(Generated((ChatGeneration(message=value),), plan=self.plan))
        return iter([value])


class Meter(BaseCallbackHandler):
    """Sums what the models inside one runnable used."""

    run_inline = True

    def __init__(self) -> None:
        super().__init__()
        self._used: list[Usage] = []

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """A model answered."""
        for generations in response.generations:
            self._used.append(reply(Generated(tuple(generations)), seconds=None).usage)

    def usage(self, seconds: float) -> Usage:
        """All of it; `seconds` of wall time for the whole."""
        counts = {
            name: sum(getattr(used, name) for used in self._used)
            for name in Usage.__dataclass_fields__
            if name != "seconds"
        }
        return Usage(seconds=seconds, **counts)
