"""Makes a stored answer safe to hand out: nothing billed, the saving beside it, ids of its own."""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, Generation

from langchain_lecmux.generated import Generated
from lecmux.call_ids import renamed, similar_id

# Counters that providers keep outside `usage_metadata`, and that tracing tools add up.
_COUNTERS = ("token_usage", "usage")


def mark_served(generated: Generated, facts: dict[str, Any], *, renew_tool_calls: bool) -> None:
    """Changes fresh messages in place.

    Their usage becomes zero, since nothing was spent, and `response_metadata["lecmux"]` gets `facts` and
    the usage of the original. Plain text generations stay as they are: LangChain compares them by value.
    """
    for generation in generated.generations:
        names = mark_generation(generation, facts, renew_tool_calls=renew_tool_calls)
        if names and generated.plan:
            generated.plan.runs = renamed(generated.plan.runs, names)


def mark_generation(
    generation: Generation, facts: dict[str, Any], *, renew_tool_calls: bool
) -> dict[str, str] | None:
    """The same for one generation; returns the new names of its tool calls, where they got any."""
    if not isinstance(generation, ChatGeneration):
        return None
    message = generation.message
    names: dict[str, str] | None = None
    served = facts.copy()
    if isinstance(message, AIMessage):
        if message.usage_metadata:
            served["usage"] = message.usage_metadata
        # As pydantic assigns it, in a fifth of the time.
        message.__dict__["usage_metadata"] = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        message.__pydantic_fields_set__.add("usage_metadata")
        if renew_tool_calls and (message.tool_calls or message.invalid_tool_calls):
            names = _renew_tool_calls(message)
    metadata = message.response_metadata
    for name in _COUNTERS:
        if name in metadata:
            metadata[name] = _zeroed(metadata[name])
    metadata["lecmux"] = served
    return names


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _zeroed(item) for name, item in value.items()}
    return 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _renew_tool_calls(message: AIMessage) -> dict[str, str]:
    """Gives every tool call a new id wherever the message names it; returns the new names of the old.

    Left alone where the provider keeps the conversation and would not know the new ids.
    """
    if str(message.response_metadata.get("id", "")).startswith("resp_"):
        return {}
    ids = [call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)]
    names = {call_id: similar_id(call_id) for call_id in ids if call_id}
    message.tool_calls = renamed(message.tool_calls, names)
    message.invalid_tool_calls = renamed(message.invalid_tool_calls, names)
    message.additional_kwargs = renamed(message.additional_kwargs, names)
    if isinstance(message.content, list):
        message.content = renamed(message.content, names)
    return names


def is_chat(generated: Generated) -> bool:
    """Whether every generation is a message, as a chat model must be given."""
    return all(isinstance(generation, ChatGeneration) for generation in generated.generations)


def first_message(generated: Generated) -> BaseMessage:
    """The message that `invoke` returns."""
    message = generated.message
    if message is None:
        raise TypeError("a stored text where a chat model was asked")
    return message
