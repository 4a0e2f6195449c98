"""Makes a stored answer safe to hand out: nothing billed, the decision told, new ids for tool calls."""

from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock

from lecmux.call_ids import renamed, similar_id
from llama_index.llms.lecmux.canonical import COUNTERS, FACTS
from llama_index.llms.lecmux.generated import Generated
from llama_index.llms.lecmux.responses import Response


def told(response: Response, facts: dict[str, Any]) -> Response:
    """A copy that carries `facts`; a model may hand out the same object again, so it is not changed."""
    return response.model_copy(update={"additional_kwargs": {**response.additional_kwargs, FACTS: facts}})


def usage_facts(tokens: tuple[int, int]) -> dict[str, Any]:
    """What the call that answered consumed, told on its answer and on every hit."""
    return {"usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]}} if any(tokens) else {}


def mark_served(generated: Generated, facts: dict[str, Any], *, renew_tool_calls: bool) -> None:
    """Changes a fresh answer in place: counters become zero, as nothing was spent, and it tells `facts`."""
    response = generated.response
    said = response.additional_kwargs
    for name in COUNTERS & said.keys():
        said[name] = 0
    for name in ("usage", "usage_metadata"):
        if name in said:
            said[name] = _zeroed(said[name])
    said[FACTS] = facts
    if renew_tool_calls and isinstance(response, ChatResponse):
        _renew_tool_calls(response.message)


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _zeroed(item) for name, item in value.items()}
    return 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _renew_tool_calls(message: ChatMessage) -> None:
    """Gives every tool call a new id wherever the message names it: two runs may end up in one thread."""
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    ids = {call.tool_call_id for call in calls if call.tool_call_id}
    ids |= {call["id"] for call in _listed(message) if isinstance(call.get("id"), str)}
    if not ids:
        return
    names = {call_id: similar_id(call_id) for call_id in ids}
    for call in calls:
        call.tool_call_id = names.get(call.tool_call_id or "", call.tool_call_id)
    message.additional_kwargs = renamed(message.additional_kwargs, names)


def _listed(message: ChatMessage) -> list[dict[str, Any]]:
    """Tool calls as older integrations keep them."""
    calls = message.additional_kwargs.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
