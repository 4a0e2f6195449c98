"""The body of a chat request, from the arguments of a call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from lecmux.errors import ConfigError
from lecmux.models._request import check_request, checked_tools
from lecmux.models.base import Message


class ChatSettings(TypedDict, total=False):
    """What a call may add to its messages; each may be left out.

    Attributes:
        max_tokens: of the reply; None leaves the end to the model and the endpoint.
        temperature: 0.0, the default, is greedy.
        stop: the reply ends before the first of these strings.
        seed: for sampling, where the endpoint knows it.
        tools: in the OpenAI form.
        body: further fields of this request, such as `tool_choice` and `response_format`; they win over those
            of the model. None as a value leaves a field out.
    """

    max_tokens: int | None
    temperature: float
    stop: Sequence[str] | None
    seed: int | None
    tools: Sequence[Mapping[str, Any]] | None
    body: Mapping[str, Any] | None


def sorted_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments as `chat` takes them: what is none of its settings becomes a field of `body`."""
    settings = {name: value for name, value in given.items() if name in ChatSettings.__annotations__}
    fields = {name: value for name, value in given.items() if name not in settings}
    return {**settings, "body": {**fields, **(settings.get("body") or {})}}


def request_body(
    model: str,
    fields: Mapping[str, Any],
    messages: Sequence[Message],
    settings: ChatSettings,
    *,
    openai: bool,
) -> dict[str, Any]:
    """What is sent; `fields` are those of the model, `openai` says whether OpenAI's own service is asked.

    Raises:
        ConfigError: no messages, or a setting that cannot work.
        TypeError: a setting that there is not.
    """
    strangers = settings.keys() - ChatSettings.__annotations__.keys()
    if strangers:
        known = ", ".join(ChatSettings.__annotations__)
        raise TypeError(f"no settings {sorted(strangers)}; there are {known}; body= takes other fields")
    max_tokens, stop = settings.get("max_tokens"), settings.get("stop")
    temperature = settings.get("temperature", 0.0)
    check_request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
    whole = {
        "model": model,
        "messages": [dict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": temperature,
        "max_completion_tokens" if openai else "max_tokens": max_tokens,
        "stop": [stop] if isinstance(stop, str) else stop and list(stop),
        "seed": settings.get("seed"),
        "tools": checked_tools(settings.get("tools")) or None,
        **fields,
        **checked_fields(settings.get("body")),
    }
    return _json({name: value for name, value in whole.items() if value is not None})


def checked_fields(body: Any) -> dict[str, Any]:
    """Fields of a request that the user gives.

    Raises:
        ConfigError: they are no mapping.
    """
    if body is not None and not isinstance(body, Mapping):
        raise ConfigError(f"body must map fields to values, not {body!r}")
    return dict(body or {})


def _json(body: dict[str, Any]) -> dict[str, Any]:
    """`body`, which can be sent."""
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"a request must be JSON: {error}") from None
    return body
