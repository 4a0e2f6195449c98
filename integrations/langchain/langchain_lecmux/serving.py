"""Makes a stored answer safe to hand out: nothing billed, the saving beside it, ids of its own."""

import secrets
import string
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration

from langchain_lecmux.generated import Generated

_ALPHABET = string.ascii_letters + string.digits
_SHORTEST_TAIL = 8
# Counters that providers keep outside `usage_metadata`, and that tracing tools add up.
_COUNTERS = ("token_usage", "usage")
# Arguments are the caller's own data: an id inside them is not ours to change.
_ARGUMENTS = frozenset({"args", "arguments", "input"})


def mark_served(generated: Generated, facts: dict[str, Any], *, renew_tool_calls: bool) -> None:
    """Changes fresh messages in place.

    Their usage becomes zero, since nothing was spent, and `response_metadata["lecmux"]` gets `facts` and
    the usage of the original. Plain text generations stay as they are: LangChain compares them by value.
    """
    for message in generated.messages():
        served = dict(facts)
        if isinstance(message, AIMessage):
            if message.usage_metadata:
                served["usage"] = message.usage_metadata
            message.usage_metadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
            if renew_tool_calls and (message.tool_calls or message.invalid_tool_calls):
                _renew_tool_calls(message)
        metadata = message.response_metadata
        for name in _COUNTERS:
            if name in metadata:
                metadata[name] = _zeroed(metadata[name])
        metadata["lecmux"] = served


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _zeroed(item) for name, item in value.items()}
    return 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _renew_tool_calls(message: AIMessage) -> None:
    """Gives every tool call a new id wherever the message names it.

    Left alone where the provider keeps the conversation and would not know the new ids.
    """
    if str(message.response_metadata.get("id", "")).startswith("resp_"):
        return
    ids = [call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)]
    names = {call_id: _similar(call_id) for call_id in ids if call_id}
    message.tool_calls = _renamed(message.tool_calls, names)
    message.invalid_tool_calls = _renamed(message.invalid_tool_calls, names)
    message.additional_kwargs = _renamed(message.additional_kwargs, names)
    if isinstance(message.content, list):
        message.content = _renamed(message.content, names)


def _similar(call_id: str) -> str:
    """A new id of the same shape: providers demand their own prefixes, lengths and alphabets back."""
    cut = max(call_id.rfind("_"), call_id.rfind("-")) + 1
    length = len(call_id) - cut
    length = length if length >= _SHORTEST_TAIL else 24
    return call_id[:cut] + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {
            names.get(name, name): item if name in _ARGUMENTS else _renamed(item, names)
            for name, item in value.items()
        }
    return value


def is_chat(generated: Generated) -> bool:
    """Whether every generation is a message, as a chat model must be given."""
    return all(isinstance(generation, ChatGeneration) for generation in generated.generations)


def first_message(generated: Generated) -> BaseMessage:
    """The message that `invoke` returns."""
    message = generated.message
    if message is None:
        raise TypeError("a stored text where a chat model was asked")
    return message
