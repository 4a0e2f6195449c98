"""The semantic stage of a `LECCache`, whose lookups and updates are two calls: what was found waits between.

A declined candidate is compared with the answer that is paid for, once that is stored. So is an audited one:
its lookup finds nothing.
"""

import secrets
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, Final

from langchain_core.runnables.config import var_child_runnable_config

from langchain_lecmux import codec
from langchain_lecmux.asking import SEMANTIC
from langchain_lecmux.canonical import describe_model
from langchain_lecmux.generated import Generated
from langchain_lecmux.salient import may_be_alike, salient_prompt
from lecmux import AsyncCache, Cache, Query, Reply, _core, flow
from lecmux.query import CacheMode, Key, Unit

Looked = Generator[flow.Effect, Any, flow.Core]
_MODELS: Final = ("",)


class EntryCodec:
    """Between `Generated` and what a `LECCache` stores."""

    def dump(self, value: Generated, /) -> bytes:
        """By the closed schema."""
        return codec.encode(value.generations, {})

    def load(self, stored: Any, /) -> Generated:
        """New objects on every call."""
        return Generated(tuple(codec.decode(stored)[0]))

    def text(self, value: Generated, /) -> str:
        """By which two answers are compared."""
        return value.wording


class Alike:
    """What is alike in one store.

    Args:
        store: has a semantic stage.
        namespace: of the cache.
        unit: says what costs are counted in.
    """

    def __init__(self, store: Cache | AsyncCache, namespace: str, unit: Callable[[], Unit]) -> None:
        self._store = store
        self._namespace = namespace
        self._codec = EntryCodec()
        self._unit = unit

    def looked(self, query: Query, key: Key, hooks: flow.HookRunner, mode: CacheMode = "use") -> Looked:
        """The stages for this request; their `proposal` is None where nothing may be alike.

        `mode`: "refresh" makes a place for the answer without looking.
        """
        core = self._store.aside(_MODELS, codec=self._codec, hooks=hooks, mode=mode, unit=self._unit())
        asked = self._asked(query)
        return core if asked is None else (yield from flow.proposed(asked, key, core))

    def taught(
        self, query: Query, key: Key, core: flow.Core | None, hooks: flow.HookRunner, reply: Reply
    ) -> Looked:
        """The stages for an answer that was paid: what was alike has been compared with it.

        `core`: of the lookup; None where nobody looked.
        """
        if core is None:
            return (yield from self.looked(query, key, hooks, "refresh"))
        yield from flow.learn(core, key, reply)
        return core

    def answered(self, key: Key) -> None:
        """Counts a request that was answered word for word: `max_error` is a share of these too."""
        _core.answered(self._store, key.scope)

    def served(self, core: flow.Core, hit_id: str) -> dict[str, Any]:
        """What is told of a hit by likeness, which can be reported from now on."""
        proposal = core.proposal
        assert proposal is not None and core.semantic is not None, "only what was found is served"
        core.semantic.hit()
        core.semantic.remember(secrets.token_hex(8), hit_id, proposal)
        risk = proposal.risk
        return {
            "reason": "semantic",
            "similarity": proposal.similarity,
            "risk": None if risk is None else risk[0],
        }

    def _asked(self, query: Query) -> Query | None:
        """The query with what may be alike in it; None where nothing may answer but the exact question."""
        settings = self._store.semantic
        said = (var_child_runnable_config.get() or {}).get("configurable", {}).get(SEMANTIC)
        shaped = describe_model(query.attributes["llm_string"], self._namespace).shaped
        if settings is None or not may_be_alike(settings, said, shaped=shaped):
            return None
        found = salient_prompt(query.attributes["prompt"])
        return query if found is None else replace(query, salient=found.text, context=found.context)
