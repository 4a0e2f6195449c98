"""A decision told to LangChain: on messages as `response_metadata["lecmux"]`, and in the metadata of runs."""

from typing import Any, Final, TypeVar

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration

from langchain_lecmux.copies import changed
from langchain_lecmux.generated import Generated
from lecmux import Decision

Message = TypeVar("Message", bound=BaseMessage)

_IN_RUNS: Final = ("id", "kind", "model", "reason", "hit_id", "age_seconds")

_OF_DECISIONS: Final = tuple((f"lecmux_{name}", name) for name in _IN_RUNS)


def run_metadata(told: dict[str, Any]) -> dict[str, Any]:
    """What callbacks and tracers hear of a decision when the model's run starts, hit or not."""
    return {f"lecmux_{name}": told[name] for name in _IN_RUNS if name in told}


def decision_metadata(decision: Decision) -> dict[str, Any]:
    """The same, straight from the decision."""
    return {name: value for name, plain in _OF_DECISIONS if (value := getattr(decision, plain)) is not None}


def with_facts(generated: Generated, told: dict[str, Any]) -> Generated:
    """Copies that carry `told`; a model may hand out the same message again, so it is not changed."""
    generations = tuple([_copied(each, told) for each in generated.generations])
    return Generated(generations, generated.pieces, generated.plan)


def _copied(generation: Any, told: dict[str, Any]) -> Any:
    if not isinstance(generation, ChatGeneration):
        return generation
    return changed(generation, message=told_message(generation.message, told))


def told_message(message: Message, told: dict[str, Any]) -> Message:
    """A copy of one message that carries `told` beside what it already carries."""
    known = message.response_metadata
    metadata = {**known, "lecmux": {**known.get("lecmux", {}), **told}}
    return changed(message, response_metadata=metadata)
