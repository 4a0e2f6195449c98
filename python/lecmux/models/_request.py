"""What every model refuses before it starts: checks of a request, shared so that all say the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lecmux.errors import ConfigError, ModelError, ModelRequestError
from lecmux.models.base import Message

__all__ = ["check_request", "checked_tools", "last_user_text", "require_positive", "require_room"]

# No token is longer: a prompt of megabytes is refused before it is cut into tokens, which takes seconds.
_LONGEST_TOKEN_CHARACTERS = 256
_KEYS_OF_AN_ANSWER = ("tool_calls", "function_call")


def check_request(
    messages: Sequence[Message], *, max_tokens: int | None, temperature: float, stop: Sequence[str] | None
) -> None:
    """Refuses messages and settings that no model can take.

    Raises:
        ConfigError: no messages, something else than a sequence of mappings, or a setting that cannot work.
        ModelError: a message without a role, without content, or with content that is no JSON text.
    """
    if (
        isinstance(messages, str)
        or not isinstance(messages, Sequence)
        or not messages
        or not all(hasattr(each, "get") for each in messages)
    ):
        raise ConfigError("messages must be a sequence of at least one {'role': ..., 'content': ...}")
    if max_tokens is not None:
        require_positive(max_tokens=max_tokens)
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not temperature >= 0.0:
        raise ConfigError(f"temperature must be at least 0, not {temperature!r}")
    strings = stop is None or isinstance(stop, Iterable)
    if not strings or not all(isinstance(each, str) and each for each in stop or ()):
        raise ConfigError(f"stop must be strings that are not empty, not {stop!r}")
    for message in messages:
        _check_message(message)


def checked_tools(tools: Any) -> list[dict[str, Any]]:
    """The tools of a request.

    Raises:
        ConfigError: they are no sequence of mappings.
    """
    if tools is not None and (
        not isinstance(tools, Sequence) or not all(isinstance(tool, Mapping) for tool in tools)
    ):
        raise ConfigError(f"tools must be a sequence of mappings in the OpenAI form, not {tools!r}")
    return [dict(tool) for tool in tools or ()]


def last_user_text(messages: Sequence[Message]) -> str:
    """The text of the last message of the user; "" where there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return _text(message.get("content"))
    return ""


def require_positive(**settings: int) -> None:
    """Refuses what is not a whole number of at least 1.

    Raises:
        ConfigError: naming the setting.
    """
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")


def require_room(messages: Sequence[Message], context_tokens: int) -> None:
    """Refuses messages that cannot fit, without cutting them into tokens.

    Raises:
        ModelRequestError: saying how long they are.
    """
    contents = (message.get("content") for message in messages)
    characters = sum(len(content) for content in contents if isinstance(content, str))
    if characters > context_tokens * _LONGEST_TOKEN_CHARACTERS:
        raise ModelRequestError(
            f"messages of {characters:,} characters cannot fit into {context_tokens:,} tokens; "
            "shorten them, or load the model with more context_tokens"
        )


def _check_message(message: Message) -> None:
    if not isinstance(message.get("role"), str):
        raise ModelError(f"a message needs a role, such as 'user': it has {sorted(message)}")
    content = message.get("content")
    if content is None and not any(message.get(key) for key in _KEYS_OF_AN_ANSWER):
        raise ModelError(f"a message needs content, a str or a list of parts: it has {sorted(message)}")
    if isinstance(content, str):
        _check_text(content)
    elif content is not None and not isinstance(content, (list, tuple)):
        raise ModelError(f"content must be a str or a list of parts, as JSON has them, not {content!r}")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ModelError("a message holds a lone surrogate, which is no text: replace it first") from None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, (list, tuple)) else ()
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))
