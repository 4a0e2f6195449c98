"""The query stage: one call of a router, taken apart into what is asked and how.

Tools stay as the user gave them until a model is chosen, since every provider writes them in its own shape.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools.types import BaseTool

from lecmux import Query, Semantic
from lecmux.errors import ConfigError
from lecmux.query import CacheMode, check_cache_mode
from lecmux.salient import Salient, is_shaped, salient
from llama_index.llms.lecmux.canonical import (
    UnstableKeyError,
    chat_key,
    completion_key,
    digest,
    plain,
    written,
)
from llama_index.llms.lecmux.salient import salient_chat

ROUTE: Final = "lecmux_route"
"""Keyword argument that names a model: no other is asked."""
CACHE: Final = "lecmux_cache"
"""Keyword argument that says what this call does with the cache: "use", "refresh" or "skip"."""
SEMANTIC: Final = "lecmux_semantic"
"""Keyword argument. False: only the exact question is looked up; True: one that is alike may answer although
tools or a structured output are asked for."""
OFFER: Final = "lecmux_offer"
"""Carries an `Offer` from the preparation of a call with tools to the call."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools offered to whichever model is chosen, with the settings of the call that offers them."""

    tools: Sequence[BaseTool]
    settings: Mapping[str, Any]
    verbose: bool = False

    def described(self) -> dict[str, Any]:
        """What of it changes an answer: each tool as a model sees it, and the settings."""
        return {"tools": [_tool(tool) for tool in self.tools], "settings": plain(self.settings)}


@dataclass(frozen=True, slots=True)
class Asking:
    """One question: messages of a chat, or the prompt of a completion.

    `options` go to whichever model is chosen as they are, an `offer` through its own preparation.
    """

    form: Literal["chat", "completion"]
    messages: list[ChatMessage] = field(default_factory=list)
    prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    offer: Offer | None = None
    route: str | None = None
    mode: CacheMode = "use"
    alike: bool | None = None

    @classmethod
    def chat(cls, messages: Sequence[ChatMessage], options: Mapping[str, Any]) -> "Asking":
        """A chat, with the keyword arguments of the call."""
        if isinstance(messages, str) or not isinstance(messages, Iterable):
            raise ConfigError(f"messages must be a sequence of ChatMessage(...), not {messages!r}")
        said = list(messages)
        for message in said:
            if not isinstance(message, ChatMessage):
                raise ConfigError(f"messages must be a sequence of ChatMessage(...), not of {message!r}")
        return cls("chat", messages=said, **_taken_apart(options))

    @classmethod
    def completion(cls, prompt: str, formatted: bool, options: Mapping[str, Any]) -> "Asking":
        """A completion, with the keyword arguments of the call."""
        if not isinstance(prompt, str):
            raise ConfigError(f"a prompt must be a str, not {prompt!r}: chat() takes messages")
        parts = _taken_apart(options)
        if formatted:
            parts["options"]["formatted"] = True
        return cls("completion", prompt=prompt, **parts)

    def arguments(self, model: LLM) -> dict[str, Any]:
        """The keyword arguments for one model."""
        if self.form == "completion":
            return {"prompt": self.prompt, **self.options}
        if self.offer is None or not isinstance(model, FunctionCallingLLM):
            return {"messages": self.messages, **self.options}
        prepared = model._prepare_chat_with_tools_compat(
            self.offer.tools,
            chat_history=list(self.messages),
            verbose=self.offer.verbose,
            **self.offer.settings,
        )
        return {**prepared, **self.options}

    def query(
        self, identity: str, namespace: str, *, semantic: Semantic | None = None, shaped: bool = False
    ) -> tuple[Query, bool]:
        """The query, and whether its key is stable enough to store under.

        Args:
            identity: what tells this router's models apart from another's.
            namespace: of the router.
            semantic: of the cache; None: only the exact question is looked up.
            shaped: whether the models themselves call tools or give structured output.
        """
        attributes = {
            "messages": self.messages,
            "prompt": self.prompt,
            "options": self.options,
            "tools": () if self.offer is None else self.offer.tools,
        }
        try:
            text = completion_key(self.prompt) if self.form == "completion" else chat_key(self.messages)
            said = [
                self.form,
                identity,
                namespace,
                plain(self.options),
                self.offer and self.offer.described(),
            ]
            fingerprint = digest(written(said).encode())
        except UnstableKeyError:
            return Query("", attributes=attributes), False
        found = self._salient(semantic, shaped=shaped or self.offer is not None) if semantic else None
        salient, context = found or (None, "")
        return Query(text, "", fingerprint, attributes, salient, context), True

    def _salient(self, semantic: Semantic, *, shaped: bool) -> Salient | None:
        """What may be alike in a question, and the rest of it; None: nothing."""
        may = self.alike
        if may is None:
            may = semantic.tools or not (shaped or is_shaped(written(plain(self.options))))
        if not may:
            return None
        return salient(self.prompt, "") if self.form == "completion" else salient_chat(self.messages)


def _taken_apart(options: Mapping[str, Any]) -> dict[str, Any]:
    rest = dict(options)
    return {
        "route": rest.pop(ROUTE, None),
        "mode": check_cache_mode(rest.pop(CACHE, None) or "use"),
        "alike": rest.pop(SEMANTIC, None),
        "offer": rest.pop(OFFER, None),
        "options": rest,
    }


def _tool(tool: BaseTool) -> dict[str, Any]:
    about = tool.metadata
    return {
        "name": about.name,
        "description": about.description,
        "parameters": plain(about.get_parameters_dict()),
    }
