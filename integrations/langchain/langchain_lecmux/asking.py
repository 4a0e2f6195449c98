"""The query stage: one call of a chat router, taken apart into what is asked and how.

Tools stay as the user gave them until a model is chosen, since every provider writes them in its own shape.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableBinding
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool

from langchain_lecmux.canonical import ModelString, UnstableKeyError, canonical_key, describe_model, plain_key
from langchain_lecmux.salient import may_be_alike, salient_messages
from lecmux import Query, Semantic
from lecmux.query import CacheMode

ROUTE: Final = "lecmux_route"
"""Names a model in a call's keyword arguments or in `config["configurable"]`: no other is asked."""
CACHE: Final = "lecmux_cache"
"""What a call does with the cache, named in the same places: "use", "refresh" or "skip"."""
BOUND: Final = "lecmux_bound"
"""Carries what `bind_tools` was given beside the tools and their choice."""
STRUCTURED: Final = "lecmux_structured"
"""Carries a `Structure` from `with_structured_output`."""
SEMANTIC: Final = "lecmux_semantic"
"""Named in the same places: False, only the exact question is looked up; True, one that is alike may answer
although tools or a structured output are asked for."""
OURS: Final = frozenset({ROUTE, CACHE, SEMANTIC})
"""What a call may say to the router itself; no model is told."""
_TRACED: Final = "ls_structured_output_format"


@dataclass(frozen=True, slots=True)
class Structure:
    """A structured output that was asked for; `bindings` holds each model's own way to ask for it."""

    schema: Any
    settings: Mapping[str, Any]
    bindings: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Asking:
    """One list of messages for one answer, or n of them.

    `options` go to whichever model is chosen as they are; `tools`, `choice` and `bound` through its
    `bind_tools`.
    """

    messages: list[BaseMessage]
    stop: list[str] | None
    options: Mapping[str, Any]
    tools: Sequence[Any] = ()
    choice: Any = None
    bound: Mapping[str, Any] = field(default_factory=dict)
    structure: Structure | None = None
    route: str | None = None
    mode: CacheMode = "use"
    alike: bool | None = None

    @classmethod
    def of(cls, messages: list[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]) -> "Asking":
        """Takes apart the keyword arguments of a call."""
        rest = dict(options)
        return cls(
            messages,
            stop,
            tools=rest.pop("tools", None) or (),
            choice=rest.pop("tool_choice", None),
            bound=rest.pop(BOUND, None) or {},
            structure=rest.pop(STRUCTURED, None),
            route=rest.pop(ROUTE, None),
            mode=rest.pop(CACHE, None) or "use",
            alike=rest.pop(SEMANTIC, None),
            options=rest,
        )

    def options_for(self, name: str, model: BaseChatModel) -> dict[str, Any]:
        """The keyword arguments for one model.

        Raises:
            TypeError: the model binds tools in a way that leaves no keyword arguments to pass on.
        """
        options = dict(self.options)
        if self.tools:
            choice = {} if self.choice is None else {"tool_choice": self.choice}
            binding = model.bind_tools(list(self.tools), **choice, **self.bound)
            if not isinstance(binding, RunnableBinding):
                raise TypeError(f"bind_tools of the model {name!r} returned no RunnableBinding")
            options |= binding.kwargs
        if self.structure is not None:
            options |= self.structure.bindings[name]
        return options

    @property
    def replayed(self) -> dict[str, Any]:
        """Keyword arguments for a run in which no model is called: what tracers are told."""
        told: dict[str, Any] = {"stop": self.stop}
        bindings = self.structure.bindings.values() if self.structure else ()
        for options in (self.options, self.bound, *bindings):
            if _TRACED in options:
                told[_TRACED] = options[_TRACED]
        return told

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
        described = self._described(identity, namespace)
        attributes = {
            "messages": self.messages,
            "temperature": described.temperature,
            "n": described.n,
            "tools": self.tools,
        }
        dumped: str | None = None
        try:
            text = plain_key(self.messages)
            if text is None:
                text = canonical_key(dumped := dumps(self.messages))
        except UnstableKeyError:
            return Query("", fingerprint=described.fingerprint, attributes=attributes), False
        found = None
        if semantic is not None and may_be_alike(semantic, self.alike, shaped=shaped or described.shaped):
            found = salient_messages(self.messages, dumped)
        salient, context = found or (None, "")
        query = Query(
            text,
            fingerprint=described.fingerprint,
            attributes=attributes,
            salient=salient,
            context=context,
        )
        return query, described.unstable is None

    def _described(self, identity: str, namespace: str) -> ModelString:
        if not (self.options or self.bound or self.stop or self.tools or self.structure):
            return _described_alone(identity, namespace)
        settings = {
            name: value for name, value in (*self.options.items(), *self.bound.items()) if name != _TRACED
        }
        said: dict[str, Any] = {"identity": identity, "settings": settings, "stop": self.stop}
        if self.tools:
            said |= {"tools": [_tool(tool) for tool in self.tools], "choice": self.choice}
        if self.structure is not None:
            said |= {"schema": _schema(self.structure.schema), "structured": dict(self.structure.settings)}
        return describe_model(_written(said), namespace)


def _tool(tool: Any) -> Any:
    """A tool as the schema a model sees, so that a changed field is another key."""
    try:
        return convert_to_openai_tool(tool)
    except (ValueError, TypeError, KeyError):
        return tool


def _schema(schema: Any) -> Any:
    try:
        return convert_to_json_schema(schema)
    except (ValueError, TypeError, KeyError):
        return schema


def _plain(value: Any) -> Any:
    """What JSON cannot write: a class by its schema, anything else by its text, which may prove unstable."""
    if isinstance(value, type):
        described = _schema(value)
        return repr(value) if described is value else described
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    return repr(value)


@lru_cache(maxsize=256)
def _described_alone(identity: str, namespace: str) -> ModelString:
    """Models that are asked with no settings beside their own."""
    return describe_model(_written({"identity": identity, "settings": {}, "stop": None}), namespace)


# Made once: `json.dumps` builds an encoder on every call that asks for more than its defaults.
_written = json.JSONEncoder(sort_keys=True, default=_plain).encode
