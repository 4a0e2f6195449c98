"""One message of any of LangChain's kinds, as plain JSON and back.

The schema is the table `_KINDS`: for each kind the class and the fields it has beyond those all messages
share. A message of another class is refused, a subclass too, since its extra meaning would be lost in
silence. Ids are not stored: a served message is a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)

from lecmux.tagged import Packer, UnstorableError


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _is_usage(value: Any) -> bool:
    return isinstance(value, dict) and all(
        type(value.get(name)) is int for name in ("input_tokens", "output_tokens", "total_tokens")
    )


def _calls(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(call, dict) and isinstance(call.get("name"), str) and isinstance(call.get("args"), dict)
        for call in value
    )


def _failed_calls(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(call, dict) for call in value)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A message class and the fields of its own: `checks` is what each must pass when read.

    `empty` makes all fields at their defaults. Left to itself, pydantic works out on every construction how
    to call each default factory, which costs more than everything else here together.
    """

    cls: type[BaseMessage]
    empty: Callable[[], dict[str, Any]]
    checks: dict[str, Callable[[Any], bool]] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def _shared(kind: str) -> dict[str, Any]:
    return {"additional_kwargs": {}, "response_metadata": {}, "name": None, "type": kind}


_KINDS = {
    "ai": _Kind(
        AIMessage,
        lambda: {"tool_calls": [], "invalid_tool_calls": [], "usage_metadata": None, **_shared("ai")},
        {"tool_calls": _calls, "invalid_tool_calls": _failed_calls, "usage_metadata": _is_usage},
    ),
    "human": _Kind(HumanMessage, lambda: _shared("human")),
    "system": _Kind(SystemMessage, lambda: _shared("system")),
    "tool": _Kind(
        ToolMessage,
        lambda: {"artifact": None, "status": "success", **_shared("tool")},
        {"tool_call_id": _text, "artifact": lambda _: True, "status": {"success", "error"}.__contains__},
        required=("tool_call_id",),
    ),
    "function": _Kind(FunctionMessage, lambda: _shared("function"), required=("name",)),
    "chat": _Kind(ChatMessage, lambda: _shared("chat"), {"role": _text}, required=("role",)),
}
_NAMES = {kind.cls: name for name, kind in _KINDS.items()}
_SHARED: dict[str, Callable[[Any], bool]] = {
    "additional_kwargs": lambda value: isinstance(value, dict),
    "response_metadata": lambda value: isinstance(value, dict),
    "name": _text,
}
# Fields a newer LangChain may have added: a message that uses one is refused rather than stored without it.
_UNKNOWN = {
    name: tuple(
        kind.cls.model_fields.keys() - {"content", "id", "type"} - _SHARED.keys() - kind.checks.keys()
    )
    for name, kind in _KINDS.items()
}
_FIELDS = {name: (*_SHARED, *kind.checks) for name, kind in _KINDS.items()}
_EMPTY: tuple[Any, ...] = (None, [], {})
_EXTRA = "+"


def pack_message(message: BaseMessage, packer: Packer) -> list[Any]:
    """`[kind, content, fields]`, the last only with what differs from the empty message.

    A chunk is stored as the message it amounts to.

    Raises:
        UnstorableError: a class outside the table, or a value outside the schema.
    """
    name = _NAMES.get(type(message))
    if name is None and isinstance(message, BaseMessageChunk):
        message = message_chunk_to_message(message)
        name = _NAMES.get(type(message))
    if name is None:
        raise UnstorableError(f"a message of type {type(message).__name__}")
    held = message.__dict__
    for unknown in _UNKNOWN[name]:
        if held[unknown] not in _EMPTY:
            raise UnstorableError("a message with a field this version does not know")
    fields = {}
    for field_name in _FIELDS[name]:
        value = held[field_name]
        if value not in _EMPTY:
            fields[field_name] = packer.pack(value)
    if extra := message.__pydantic_extra__:
        fields[_EXTRA] = packer.pack(extra)
    return [name, packer.pack(message.content), fields]


def unpack_message(packed: Any, message_id: str) -> BaseMessage:
    """The message of `pack_message`, under a new id.

    Every field is checked before the class is built without validation: what LangChain's validators would
    do besides (rebuild tool calls from `additional_kwargs`, drop their extras) was done when the message
    was new.

    Raises:
        UnstorableError: the data do not fit the schema.
    """
    name, content, stored = packed
    kind = _KINDS.get(name)
    if kind is None or not _is_content(content) or not isinstance(stored, dict):
        raise UnstorableError("a stored message that does not fit the schema")
    fields = kind.empty()
    fields["content"] = content
    fields["id"] = message_id
    for field_name, value in stored.items():
        if field_name == _EXTRA:
            continue
        check = kind.checks.get(field_name) or _SHARED.get(field_name)
        if check is None or not check(value):
            raise UnstorableError(f"a stored message with an unfit {field_name!r}")
        fields[field_name] = value
    if any(field_name not in stored for field_name in kind.required):
        raise UnstorableError("a stored message that lacks a required field")
    if extra := stored.get(_EXTRA):
        fields |= {key: value for key, value in extra.items() if key not in kind.cls.model_fields}
    return kind.cls.model_construct(**fields)


def _is_content(content: Any) -> bool:
    if isinstance(content, str):
        return True
    return isinstance(content, list) and all(isinstance(block, (str, dict)) for block in content)
