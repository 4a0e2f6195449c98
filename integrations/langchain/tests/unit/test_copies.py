"""A changed copy is that of `model_copy`, whatever is copied."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration
from pydantic import PrivateAttr

from langchain_lecmux.copies import changed


class Guarded(AIMessage):
    """Keeps something to itself."""

    _secret: list[int] = PrivateAttr(default_factory=list)


class Counted(AIMessage):
    """Copies itself in its own way."""

    def __copy__(self) -> "Counted":
        copy: Counted = super().__copy__()
        copy.additional_kwargs = {"copies": self.additional_kwargs.get("copies", 0) + 1}
        return copy


def _guarded() -> Guarded:
    message = Guarded("a")
    message._secret.append(1)
    return message


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("a", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, id="x"),
        AIMessage("a", tool_calls=[{"name": "f", "args": {}, "id": "1"}], own_field=[1]),
        AIMessageChunk("a", chunk_position="last"),
        HumanMessage([{"type": "text", "text": "b"}], name="me"),
        _guarded(),
        Counted("a"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_it_is_the_copy_that_pydantic_makes(message: Any) -> None:
    before = message.model_copy(deep=True)
    fast = changed(message, response_metadata={"a": 1})
    usual = message.model_copy(update={"response_metadata": {"a": 1}})
    assert type(fast) is type(usual)
    assert fast == usual
    assert fast.model_fields_set == usual.model_fields_set
    assert fast.model_dump() == usual.model_dump()
    assert message == before
    fast.response_metadata["a"] = 2
    fast.content = "other"
    assert message == before


def test_extra_fields_are_not_shared() -> None:
    message = AIMessage("a", own_field=1)
    changed(message, id="y").own_field = 2
    assert message.own_field == 1


def test_a_generation_is_copied_too() -> None:
    generation = ChatGeneration(message=AIMessage("a"), generation_info={"b": 1})
    message = AIMessage("a", id="z")
    assert changed(generation, message=message) == generation.model_copy(update={"message": message})
