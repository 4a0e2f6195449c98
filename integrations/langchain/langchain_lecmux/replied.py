"""A `lecmux.Reply` as LangChain's messages, whole and streamed."""

from collections.abc import Mapping
from typing import Any

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall, UsageMetadata
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails
from langchain_core.output_parsers.openai_tools import make_invalid_tool_call, parse_tool_call

from lecmux import Reply, Usage


def message(reply: Reply) -> AIMessage:
    """The whole of a reply."""
    value = reply.value if isinstance(reply.value, Mapping) else {"content": reply.value}
    calls, invalid = _tool_calls(value.get("tool_calls") or ())
    return AIMessage(
        content=value["content"] or "",
        tool_calls=calls,
        invalid_tool_calls=invalid,
        additional_kwargs={"reasoning_content": reply.reasoning} if reply.reasoning else {},
        usage_metadata=_usage(reply.usage),
        response_metadata={
            "model_name": reply.model,
            "finish_reason": reply.finish_reason,
            "seconds": reply.usage.seconds,
        },
    )


def last_chunk(reply: Reply) -> AIMessageChunk:
    """What a stream's end adds to the text already sent: tool calls, thoughts, usage and how it ended."""
    whole = message(reply)
    return AIMessageChunk(
        content="",
        tool_calls=whole.tool_calls,
        invalid_tool_calls=whole.invalid_tool_calls,
        additional_kwargs=whole.additional_kwargs,
        usage_metadata=whole.usage_metadata,
        response_metadata=whole.response_metadata,
        chunk_position="last",
    )


def _tool_calls(written: Any) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls, and apart from them those whose arguments are no JSON object."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for each in written:
        try:
            call = parse_tool_call({**each, "id": each.get("id") or None}, return_id=True, strict=True)
        except OutputParserException as error:
            invalid.append(make_invalid_tool_call(each, str(error)))
            continue
        if call is None or not isinstance(call["args"], dict):
            invalid.append(make_invalid_tool_call(each, "the arguments are no JSON object"))
        else:
            calls.append(ToolCall(name=call["name"], args=call["args"], id=call["id"], type="tool_call"))
    return calls, invalid


def _usage(usage: Usage) -> UsageMetadata:
    told = UsageMetadata(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
    )
    read, made = InputTokenDetails(), OutputTokenDetails()
    if usage.cached_input_tokens:
        read["cache_read"] = usage.cached_input_tokens
    if wrote := usage.cache_write_tokens + usage.cache_write_1h_tokens:
        read["cache_creation"] = wrote
    if usage.audio_input_tokens:
        read["audio"] = usage.audio_input_tokens
    if usage.reasoning_tokens:
        made["reasoning"] = usage.reasoning_tokens
    if usage.audio_output_tokens:
        made["audio"] = usage.audio_output_tokens
    if read:
        told["input_token_details"] = read
    if made:
        told["output_token_details"] = made
    return told
