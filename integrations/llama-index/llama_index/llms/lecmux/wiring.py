"""What connects a router to the pipeline: which cache, which key, which models may answer."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llama_index.core.llms import LLM

from lecmux import Answer, AsyncCache, Cache, Router, flow
from lecmux.costs import Ledger
from lecmux.errors import ConfigError
from lecmux.facts import facts
from lecmux.query import Query
from lecmux.report import Report
from lecmux.salient import is_shaped
from llama_index.llms.lecmux import codec
from llama_index.llms.lecmux.asking import ROUTE, Asking
from llama_index.llms.lecmux.calls import Caller
from llama_index.llms.lecmux.gathered import Gathered
from llama_index.llms.lecmux.generated import Generated
from llama_index.llms.lecmux.identity import identity
from llama_index.llms.lecmux.metadata import takes_tools
from llama_index.llms.lecmux.responses import Response
from llama_index.llms.lecmux.serving import mark_served, told, usage_facts

_LOGGER = logging.getLogger("llama_index.llms.lecmux")


class AnswerCodec:
    """Between `Generated` and the bytes that are stored."""

    def dump(self, value: Generated, /) -> bytes:
        """By the closed schema."""
        return codec.encode(value)

    def text(self, value: Generated, /) -> str:
        """By which two answers are compared."""
        return value.wording

    def load(self, stored: Any, /) -> Generated:
        """New objects on every call."""
        return codec.decode(stored)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request on its way: the parts for `flow.answer`, and what is done with its outcome."""

    asking: Asking
    query: Query
    core: flow.Core
    caller: Caller
    gathered: Gathered
    renew_tool_calls: bool

    def pipeline(self, *, single_flight: bool) -> flow.Pipeline:
        """The request, ready to be driven."""
        return flow.answer(self.query, self.core, single_flight=single_flight)

    def served(self, answer: Answer) -> Generated:
        """A stored answer as it is handed out."""
        generated: Generated = answer.value
        about = facts(answer.decision) | usage_facts(generated.tokens)
        mark_served(generated, about, renew_tool_calls=self.renew_tool_calls)
        return generated

    def called(self, answer: Answer) -> Response:
        """A model's answer as it is handed out."""
        generated: Generated = answer.value
        return told(generated.response, facts(answer.decision) | usage_facts(generated.tokens))


class Wiring:
    """The parts of one router that stay from call to call."""

    def __init__(
        self,
        models: Mapping[str, LLM],
        router: Router,
        *,
        store: Cache | AsyncCache | None,
        judge: flow.HookRunner | None,
        namespace: str,
        shadow: bool,
        renew_tool_calls: bool,
    ) -> None:
        self._models = dict(models)
        self._router = router
        self._store = store
        self._namespace = namespace
        self._renew_tool_calls = renew_tool_calls
        names, answers = tuple(models), AnswerCodec()
        self._alone = replace(flow.Core(names, None, router, codec=answers), judge=judge, shadow=shadow)
        self._core = self._alone
        if store is not None:  # raises where units do not fit
            self._core = replace(store.core(names, router, codec=answers, shadow=shadow), judge=judge)
            self._alone = replace(self._alone, ledger=store.ledger)
        self._said: set[str] = set()

    @property
    def ledger(self) -> Ledger:
        """What was spent and saved: of the cache, where there is one."""
        return self._alone.ledger

    def report(self) -> Report:
        """The same as a report."""
        if self._store is not None:
            return self._store.report()
        return Report.of(self.ledger, self._router.unit, [self._router])

    def turn(self, asking: Asking, limiter: Any = None) -> Turn:
        """Prepares one request, which waits for `limiter` where a model is called.

        Raises:
            ConfigError: it names a model that is not there, or offers tools that no model can take.
        """
        semantic = None if self._store is None else self._store.semantic
        shaped = semantic is not None and any(map(_is_shaped, self._models.values()))
        query, stable = asking.query(
            identity(self._models), self._namespace, semantic=semantic, shaped=shaped
        )
        if not stable:
            self._say_once("what is asked holds an object or file without a stable form: it is not cached")
        core, allowed = self._core if stable else self._alone, self._allowed(asking)
        if allowed is not None or asking.mode != core.mode:
            core = replace(core, allowed=allowed, mode=asking.mode)
        caller = Caller(self._models, asking, limiter)
        return Turn(asking, query, core, caller, Gathered(), self._renew_tool_calls)

    def _allowed(self, asking: Asking) -> tuple[str, ...] | None:
        """The models that may answer; None for all."""
        arms = self._router.arms
        if asking.route is not None and asking.route not in arms:
            raise ConfigError(f"{ROUTE}={asking.route!r}: there are {', '.join(map(repr, arms))}")
        chosen = tuple(self._models) if asking.route is None else (asking.route,)
        if asking.offer is not None:
            able = tuple(name for name in chosen if self._takes_tools(name))
            if not able:
                raise ConfigError(
                    f"tools were offered, and {' and '.join(map(repr, chosen))} cannot call any: add a model "
                    "whose metadata.is_function_calling_model is True"
                )
            chosen = able
        return None if chosen == tuple(self._models) else chosen

    def _takes_tools(self, arm: str) -> bool:
        return all(takes_tools(self._models[model]) for model in self._router.asked([arm]))

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _LOGGER.warning(text)


def _is_shaped(model: LLM) -> bool:
    """Whether a model's own settings ask for tools or a structured output."""
    return is_shaped(repr(getattr(model, "additional_kwargs", None)))
