"""The key stage: what LangChain hands a cache, reduced to what can change the answer.

A chat prompt arrives as the JSON of its messages, and that JSON differs from run to run though the
conversation is the same: message and content-block ids, run metadata, token counts, tool-call ids.
`canonical_key` drops or renames exactly those, so that the same conversation is one key; whatever a model
could see stays.

`describe_model` reads the other half, `llm_string`, which is kept as a hard partition and never interpreted
beyond three questions: is it stable, does it name a model at all, and which sampling settings does it show.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from json.encoder import encode_basestring
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from lecmux.key_text import bounded, is_encodable
from lecmux.salient import is_shaped

_MAX_REMEMBERED_CHARS: Final = 2048
# What a run leaves behind in a message; no chat model is sent any of it.
_RUN_FIELDS = frozenset(
    {"id", "response_metadata", "usage_metadata", "artifact", "tool_call_chunks", "chunk_position", "example"}
)
# Copies of what the message says elsewhere: a parsed object of the content, provider ids of its tool calls.
_DERIVED_KWARGS = frozenset({"parsed", "__openai_function_call_ids__"})
# Blocks whose `id` and `index` say where a provider's stream produced them, not what they say.
_TEXT_BLOCKS = {"text", "output_text", "text-plain", "reasoning", "thinking", "redacted_thinking", "refusal"}
_MEDIA_BLOCKS = frozenset({"image", "video", "audio", "file"})
_PLAIN_BLOCKS = _TEXT_BLOCKS | _MEDIA_BLOCKS | {
    "citation", "non_standard", "non_standard_annotation", "function_call",
}  # fmt: skip
_MEDIA_SOURCES = ("url", "base64", "data", "file_id", "text", "file")
# Where a tool call's id may stand: the call, and the answer that points back at it.
_CALL_BLOCKS = frozenset(
    {"tool_call", "invalid_tool_call", "server_tool_call", "tool_use", "server_tool_use"}
)
_CALL_REFERENCES = ("tool_call_id", "tool_use_id", "call_id")
_CHUNK_KINDS = {
    "AIMessageChunk": "ai",
    "HumanMessageChunk": "human",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
    "FunctionMessageChunk": "function",
    "ChatMessageChunk": "chat",
}
# Messages that say nothing but their text, once their names, keyword arguments and tool calls are empty.
_TEXTUAL: dict[type, str] = {HumanMessage: "human", SystemMessage: "system", AIMessage: "ai"}
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{4,}")
_CLASS = re.compile(r"<class '")
_TOO_DEEP = "the prompt is nested too deeply to be a key"
# Made once: `json.dumps` builds an encoder on every call that asks for more than its defaults.
_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class UnstableKeyError(ValueError):
    """The prompt has no form that a later run could ask for: an address in it, or endless nesting."""


def canonical_key(prompt: str) -> str:
    """The key of one prompt, equal for equal conversations.

    `prompt`: what LangChain passes to `BaseCache.lookup`; the JSON of the messages of a chat model, or the
    bare text of a completion model. Returns at most `lecmux.key_text.MAX_KEY_CHARS` characters, free of lone
    surrogates.

    Raises:
        UnstableKeyError: an argument in the prompt is printed with its memory address.
    """
    if len(prompt) <= _MAX_REMEMBERED_CHARS:
        return _remembered_key(prompt)
    return _worked_out_key(prompt)


def plain_key(messages: Sequence[BaseMessage]) -> str | None:
    """The key of a conversation in plain text, straight from its messages; None for any other."""
    said = plain_turns(messages)
    return None if said is None else bounded(f"c[{','.join(said)}]")


def plain_turns(messages: Sequence[BaseMessage]) -> list[str] | None:
    """What was said, a JSON text a turn; None for a conversation that is more than plain text."""
    said: list[str] = []
    for message in messages:
        kind = _TEXTUAL.get(type(message))
        content: Any = message.content
        if kind is None or type(content) is not str or not (content.isascii() or is_encodable(content)):
            return None
        if message.name is not None or message.additional_kwargs or message.__pydantic_extra__:
            return None
        if type(message) is AIMessage and (message.tool_calls or message.invalid_tool_calls):
            return None
        said.append(f'["{kind}",{encode_basestring(content)}]')
    return said


def turns(prompt: str) -> list[list[Any]] | None:
    """What was said in a prompt: kind, content and, where there is more, the rest. None: it is bare text.

    Raises:
        UnstableKeyError: an argument in the prompt is printed with its memory address.
    """
    messages = _messages(prompt)
    if messages is None:
        return None
    calls: dict[str, str] = {}
    return [_message(message["kwargs"], message["id"][-1], calls) for message in messages]


def written(said: Any) -> str:
    """Plain data as JSON, equal for equal data.

    Raises:
        UnstableKeyError: nested beyond what can be written.
    """
    try:
        return _written(said)
    except RecursionError as error:
        raise UnstableKeyError(_TOO_DEEP) from error


def _worked_out_key(prompt: str) -> str:
    said = turns(prompt)
    return bounded("t" + prompt if said is None else "c" + written(said))


# A hot question is asked in the same words: its key is found, not worked out. At most some 1.5 MB.
_remembered_key = lru_cache(maxsize=512)(_worked_out_key)


def _messages(prompt: str) -> list[dict[str, Any]] | None:
    """The prompt's messages; None when it is plain text."""
    if not prompt.startswith('[{"lc":'):
        return [] if prompt == "[]" else None
    try:
        parsed = json.loads(prompt)
    except ValueError:
        return None
    except RecursionError as error:
        raise UnstableKeyError(_TOO_DEEP) from error
    for item in parsed:
        fits = isinstance(item, dict) and isinstance(item.get("kwargs"), dict)
        if not (fits and isinstance(item.get("id"), list) and item["id"]):
            return None
    return parsed  # type: ignore[no-any-return]


def _message(fields: dict[str, Any], class_name: str, calls: dict[str, str]) -> list[Any]:
    kind = fields.get("type", class_name)
    content = fields.get("content", "")
    if len(fields) == 2 and isinstance(content, str):  # noqa: PLR2004  the common case: a type and a text
        return [_CHUNK_KINDS.get(kind, kind), content]
    said: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _RUN_FIELDS or name in {"type", "content"} or value in (None, [], {}):
            continue
        if name in {"tool_calls", "invalid_tool_calls"}:
            said[name] = [_call(call, calls) for call in value]
        elif name == "additional_kwargs":
            if extra := _additional(value, calls):
                said[name] = extra
        elif name == "tool_call_id":
            said[name] = _renamed(value, calls)
        else:
            said[name] = _checked(value)
    return [_CHUNK_KINDS.get(kind, kind), _content(content, calls), *([said] if said else [])]


def _content(content: Any, calls: dict[str, str]) -> Any:
    if not isinstance(content, list):
        return content
    blocks = [_block(block, calls) if isinstance(block, dict) else block for block in content]
    if len(blocks) == 1:
        # A lone text block says what the bare string says; which of the two arrives depends on the provider.
        only = blocks[0]
        if isinstance(only, str):
            return only
        if only.keys() == {"type", "text"} and only["type"] == "text":
            return only["text"]
    return blocks


def _block(block: dict[str, Any], calls: dict[str, str]) -> dict[str, Any]:
    kind = block.get("type")
    said = {name: _checked(value) for name, value in block.items() if name != "cache_control"}
    if kind in _CALL_BLOCKS and "id" in said:
        said["id"] = _renamed(said["id"], calls)
        said.pop("index", None)
    elif kind in _PLAIN_BLOCKS:
        said.pop("index", None)
        if not _id_is_the_content(said):
            said.pop("id", None)
    for name in _CALL_REFERENCES:
        if name in said:
            said[name] = _renamed(said[name], calls)
    if "annotations" in said and isinstance(said["annotations"], list):
        notes = [_block(note, calls) if isinstance(note, dict) else note for note in said.pop("annotations")]
        if notes:
            said["annotations"] = notes
    return said


def _id_is_the_content(block: dict[str, Any]) -> bool:
    """Whether a media block is known by nothing but its id."""
    if block["type"] not in _MEDIA_BLOCKS:
        return False
    return block.get("source_type") == "id" or not any(name in block for name in _MEDIA_SOURCES)


def _call(call: Any, calls: dict[str, str]) -> Any:
    if not isinstance(call, dict):
        return call
    said = {name: _checked(value) for name, value in call.items() if name not in {"type", "index"}}
    said["id"] = _renamed(call.get("id"), calls)
    return said


def _additional(extra: dict[str, Any], calls: dict[str, str]) -> dict[str, Any]:
    said = {name: _checked(value) for name, value in extra.items() if name not in _DERIVED_KWARGS and value}
    raw = said.get("tool_calls")
    if isinstance(raw, list):
        said["tool_calls"] = [_call(call, calls) for call in raw]
    return said


def _renamed(call_id: Any, calls: dict[str, str]) -> Any:
    """Tool-call ids are random; only which call an answer belongs to matters, so they are numbered."""
    if not isinstance(call_id, str):
        return call_id
    return calls.setdefault(call_id, str(len(calls)))


def _checked(value: Any) -> Any:
    """`value` as it is.

    Raises:
        UnstableKeyError: somewhere inside stands an object that LangChain could only print, address and all.
    """
    if isinstance(value, dict):
        if value.get("lc") == 1 and value.get("type") == "not_implemented":
            if _ADDRESS.search(str(value.get("repr"))):
                raise UnstableKeyError("the prompt holds an object without a stable form")
            return value
        for item in value.values():
            _checked(item)
    elif isinstance(value, list):
        for item in value:
            _checked(item)
    return value


@dataclass(frozen=True, slots=True)
class ModelString:
    """What an `llm_string` tells about the model behind it.

    `fingerprint`: 32 hex digits that stand for the whole string and the namespace. `unstable`: the part
    that will not be the same in another process, or not change when it should (None: there is none).
    `anonymous`: it holds nothing but a type and stop words, so two models of one class cannot be told
    apart. `temperature`, `n`: as written there; None where nothing is written. `shaped`: the answer
    is to call tools, or to have a form that a program reads.
    """

    fingerprint: str
    unstable: str | None
    anonymous: bool
    temperature: float | None
    n: int | None
    shaped: bool


_ANONYMOUS = re.compile(r"\[\('_type', '[^']*'\), \('stop', (?:None|\[[^\]]*\])\)\]")
_NUMBER = r"""['"]{name}['"](?:,|:) *(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"""
_TEMPERATURE = re.compile(_NUMBER.format(name="temperature"))
_N = re.compile(_NUMBER.format(name="n"))


@lru_cache(maxsize=512)
def describe_model(llm_string: str, namespace: str = "") -> ModelString:
    """Reads an `llm_string` once; a program has few of them, each perhaps kilobytes of tool schemas."""
    digest = blake2b(digest_size=16)
    # The length keeps ("a", "bc") apart from ("ab", "c").
    digest.update(f"{len(namespace)}:{namespace}".encode("utf-8", "surrogatepass"))
    digest.update(llm_string.encode("utf-8", "surrogatepass"))
    temperatures = _TEMPERATURE.findall(llm_string)
    counts = [float(count) for count in _N.findall(llm_string)]
    unstable = _ADDRESS.search(llm_string) or _CLASS.search(llm_string)
    return ModelString(
        fingerprint=digest.hexdigest(),
        unstable=llm_string[unstable.start() : unstable.start() + 60] if unstable else None,
        anonymous=not namespace and _ANONYMOUS.fullmatch(llm_string) is not None,
        # A call's own settings are written behind the constructor's, so the last one holds.
        temperature=float(temperatures[-1]) if temperatures else None,
        n=int(counts[-1]) if counts else None,
        shaped=is_shaped(llm_string),
    )
