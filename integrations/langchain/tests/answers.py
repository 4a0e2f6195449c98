"""A message of every kind, and a content block of every kind: what a model may answer."""

from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

USAGE = {
    "input_tokens": 8,
    "output_tokens": 304,
    "total_tokens": 312,
    "input_token_details": {"cache_read": 1},
    "output_token_details": {"reasoning": 256},
}
CALL = {"name": "add", "args": {"a": 1, "b": [2, {"c": None}]}, "id": "call_1", "type": "tool_call"}
BROKEN = {"name": "add", "args": "{oops", "id": "call_2", "error": "no JSON", "type": "invalid_tool_call"}

BLOCKS: dict[str, Any] = {
    "text": {"type": "text", "text": "four", "id": "lc_1", "index": 0},
    "citation": {
        "type": "text",
        "text": "four",
        "annotations": [{"type": "citation", "url": "u", "start_index": 0, "cited_text": "c"}],
    },
    "non_standard_annotation": {
        "type": "text",
        "text": "x",
        "annotations": [{"type": "non_standard_annotation", "value": {"a": 1}}],
    },
    "reasoning": {"type": "reasoning", "reasoning": "2 and 2", "extras": {"signature": "s"}},
    "refusal": {"type": "refusal", "refusal": "no"},
    "image": {"type": "image", "base64": "AAAA", "mime_type": "image/png"},
    "image_url": {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
    "audio": {"type": "audio", "url": "https://host/a.wav"},
    "video": {"type": "video", "file_id": "file-1"},
    "file": {"type": "file", "base64": "JVBE", "mime_type": "application/pdf", "extras": {"name": "a.pdf"}},
    "text-plain": {"type": "text-plain", "text": "body", "mime_type": "text/plain", "title": "t"},
    "tool_call": CALL,
    "tool_call_chunk": {"type": "tool_call_chunk", "id": "1", "name": "f", "args": "{", "index": 0},
    "invalid_tool_call": BROKEN,
    "server_tool_call": {"type": "server_tool_call", "id": "s1", "name": "search", "args": {"q": "x"}},
    "server_tool_call_chunk": {"type": "server_tool_call_chunk", "name": "search", "args": "{"},
    "server_tool_result": {
        "type": "server_tool_result",
        "tool_call_id": "s1",
        "status": "success",
        "output": [{"a": 1}],
    },
    "non_standard": {"type": "non_standard", "value": {"anything": [1, 2.5, None, True]}},
    "thinking of one provider": {"type": "thinking", "thinking": "hm", "signature": "sig=="},
    "call of one provider": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
    "call of another": {
        "type": "function_call",
        "call_id": "c",
        "id": "fc_1",
        "name": "f",
        "arguments": "{}",
    },
}

MESSAGES: dict[str, BaseMessage] = {
    "plain": AIMessage("four"),
    "empty": AIMessage(""),
    "usage": AIMessage("four", usage_metadata=USAGE),
    "metadata": AIMessage("x", response_metadata={"model_name": "m", "logprobs": [{"t": -0.1, "b": [1, 2]}]}),
    "name": AIMessage("x", name="ann"),
    "tool calls": AIMessage("", tool_calls=[CALL], additional_kwargs={"tool_calls": [{"id": "call_1"}]}),
    "invalid tool calls": AIMessage("", invalid_tool_calls=[BROKEN]),
    "reasoning content": AIMessage("x", additional_kwargs={"reasoning_content": "hm"}),
    "strings and blocks": AIMessage(["first", {"type": "text", "text": "second"}]),
    "extra field": AIMessage("x", parsed_by="us"),
    "all blocks": AIMessage(list(BLOCKS.values())),
    "unicode": AIMessage("π \U0001f600 \x00 \ud800", additional_kwargs={"ключ": "значение"}),
    "human": HumanMessage("hi", name="bob"),
    "system": SystemMessage("be brief"),
    "tool": ToolMessage("4", tool_call_id="call_1", artifact={"rows": (1, 2)}, status="error"),
    "function": FunctionMessage("4", name="f"),
    "chat": ChatMessage("x", role="critic"),
}
