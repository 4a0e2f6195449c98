"""Tool calls that a model wrote as text, in the forms that open chat models are trained on."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lecmux.query import new_id

CALL_MARK = "<tool_call>"
REQUIRED = "required"
# Hermes and Qwen, Mistral, Llama 3.
_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|$)", re.DOTALL)
_LISTED = re.compile(r"\[TOOL_CALLS\]\s*(.*)$", re.DOTALL)
_PYTHON = re.compile(r"<\|python_tag\|>\s*(.*)$", re.DOTALL)
_FENCED = re.compile(r"^```(?:json)?\s*(.*?)\s*(?:```)?$", re.DOTALL)


def read_calls(text: str, names: Collection[str]) -> tuple[str, list[dict[str, Any]]]:
    """Splits a reply into its text and its tool calls, in the OpenAI form.

    Between marks every call counts. JSON without a mark is a call only where it names one of the offered
    tools, so that a model asked for JSON may answer with it.

    Args:
        text: the end of a reply, from where a call may begin.
        names: of the tools that were offered.

    Returns:
        All of `text` and no calls where none can be read.
    """
    for mark in (_TAGGED, _LISTED, _PYTHON):
        if found := mark.search(text):
            calls = [call for each in mark.finditer(text) for call in _calls(each.group(1), None)]
            return (text[: found.start()], calls) if calls else (text, [])
    bare = text.strip()
    if fence := _FENCED.match(bare):
        bare = fence.group(1)
    calls = list(_calls(bare, names))
    return ("", calls) if calls else (text, [])


def forced_start(choice: str, names: Collection[str]) -> str:
    """The beginning of a call in the form of Hermes and Qwen: a model that goes on from it makes the call.

    It ends before a blank, where a token ends too: models know a value with the blank before it as one token.

    Args:
        choice: the name of a tool, or "required" for any of them.
        names: of the tools that were offered.
    """
    if choice == REQUIRED and len(names) > 1:
        return f'{CALL_MARK}\n{{"name":'
    name = next(iter(names)) if choice == REQUIRED else choice
    return f'{CALL_MARK}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments":'


def _calls(text: str, names: Collection[str] | None) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict) and (call := _call(each, names)):
            yield call


def _call(found: Mapping[str, Any], names: Collection[str] | None) -> dict[str, Any] | None:
    """A call in the OpenAI form; None where it is none, or of no offered tool."""
    name = found.get("name")
    arguments = found.get("arguments", found.get("parameters", {}))
    if not isinstance(name, str) or not isinstance(arguments, dict):
        return None
    if names is not None and (name not in names or not {"arguments", "parameters"} & set(found)):
        return None
    written = json.dumps(arguments, ensure_ascii=False)
    return {"id": f"call_{new_id()}", "type": "function", "function": {"name": name, "arguments": written}}
