"""LangChain's own model router, steered by what lecmux learns.

`ModelRouterMiddleware` asks a decision model which of its choices to take. `LECDecisionModel` answers from
the costs it has seen, and from how right the answers were; it reads no instructions and calls no model.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import LLMResult
from pydantic import ConfigDict, Field, PrivateAttr

from langchain_lecmux.canonical import UnstableKeyError, canonical_key
from langchain_lecmux.generated import Generated, reply
from lecmux import Decision, Hooks, Query, Reply, Router, flow
from lecmux.errors import ConfigError, MissingExtraError

try:
    from langchain_core.decisions import BaseDecisionModel, ClassifierResponse
    from langchain_core.decisions.types import Choice, ChoiceAnswer
except ImportError as error:
    raise MissingExtraError(
        "LECDecisionModel needs langchain-core 1.8 or newer: pip install 'langchain-core>=1.8'"
    ) from error

__all__ = ["LECDecisionModel"]

Model = TypeVar("Model", bound=BaseChatModel)

_FINGERPRINT: Final = "lecmux: decision"
_MOST_OPEN: Final = 4096


@dataclass(frozen=True, slots=True)
class _Asked:
    """A decision that waits for its first call."""

    query: Query
    decision: Decision


class LECDecisionModel(BaseDecisionModel):  # type: ignore[misc]  # typed from core 1.8
    """Answers `Choice` questions whose labels are models of a `lecmux.Router`.

    The probabilities are those with which the choice was made; the rest of each is spread evenly. An answer's
    `request_id` is for `observe`. Costs are learnt from the models that `learning` was given::

        costs = LECDecisionModel(router=Router(["fast", "strong"], prices=...))
        ModelRouterMiddleware(
            choices={
                "fast": ModelChoice(costs.learning("fast", fast), criteria="short tasks"),
                "strong": ModelChoice(costs.learning("strong", strong), criteria="all others"),
            },
            instructions="Choose the least costly model.",
            classifier=costs,
        )

    Each call of a run is learnt under the user's question; what a run costs is the sum of its calls.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: str = "lecmux-router"
    router: Router
    """Chooses and learns."""
    quality: Any = Field(default=None, exclude=True)
    """How right an answer is, where known at once: `(query, reply) -> float | None`, or an object with it."""

    _core: flow.Core = PrivateAttr()
    _open: dict[tuple[str, str], _Asked] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        """Prepares the stages that need no cache."""
        super().model_post_init(context)
        hooks = flow.HookRunner(Hooks(quality=self.quality))
        self._core = flow.Core(self.router.models, None, self.router, hooks)

    @property
    def _provider(self) -> str:
        return "lecmux"

    def _classify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        query = _query(state)
        decided = {name: self._decide(query, name, question) for name, question in questions.items()}
        answers = {
            name: _answer(decision, list(questions[name].criteria)) for name, decision in decided.items()
        }
        first = next(iter(decided.values()), None)
        return ClassifierResponse(model=self.model, answers=answers, request_id=first and first.id)

    async def _aclassify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        return self._classify(state, questions)

    def _decide(self, query: Query, name: str, question: Any) -> Decision:
        if not isinstance(question, Choice):
            raise ConfigError(f"question {name!r}: a router answers Choice questions, no {question.type}")
        core = replace(self._core, allowed=tuple(question.criteria))  # refuses labels that name no model
        key = core.key(query)
        decision = core.route(query, key, core.choose(key, query))
        self._open[query.text, str(decision.model)] = _Asked(query, decision)
        if len(self._open) > _MOST_OPEN:
            oldest = next(iter(tuple(self._open)))
            self._open.pop(oldest, None)
        return decision

    def learning(self, label: str, model: Model) -> Model:
        """A copy of `model` whose calls teach the router what choosing `label` costs.

        Raises:
            ConfigError: the router has no model of that name.
        """
        if label not in self.router.models:
            raise ConfigError(f"no model {label!r} here; there are {', '.join(self.router.models)}")
        heard = model.callbacks
        meter = _Meter(label, self._learn)
        if heard is None or isinstance(heard, list):
            return model.model_copy(update={"callbacks": [*(heard or []), meter]})
        manager = heard.copy()
        manager.add_handler(meter)
        return model.model_copy(update={"callbacks": manager})

    def observe(self, request_id: str, *, quality: float) -> bool:
        """Takes in how right the answer was (0.0 to 1.0), once the chosen model was called.

        False: `request_id` is unknown, too old, or its model was not called yet.
        """
        return self.router.observe(request_id, quality=quality)

    def _learn(self, label: str, query: Query, paid: Reply) -> None:
        asked = self._open.pop((query.text, label), None)
        key = self._core.key(query)
        if asked is None:  # a later call of the same run, or a call that nobody asked us about
            core = replace(self._core, allowed=(label,))
            asked = _Asked(query, core.route(query, key, core.choose(key, query)))
        self._core.observe(asked.query, key, asked.decision, paid)


class _Meter(BaseCallbackHandler):
    """Hears what the calls of one model used."""

    run_inline = True

    def __init__(self, label: str, learn: Callable[[str, Query, Reply], None]) -> None:
        super().__init__()
        self._label = label
        self._learn = learn
        self._started: dict[UUID, tuple[Query, float]] = {}

    def on_chat_model_start(
        self, serialized: Any, messages: list[list[BaseMessage]], *, run_id: UUID, **_: Any
    ) -> None:
        """A call begins."""
        asked = next((each for each in reversed(messages[0]) if isinstance(each, HumanMessage)), None)
        if asked is not None:
            self._started[run_id] = (_query(asked), time.perf_counter())

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """It ended: its cost is learnt."""
        query, started = self._started.pop(run_id, (None, 0.0))
        if query is None:
            return
        generated = Generated(tuple(response.generations[0]))
        paid = reply(generated, seconds=time.perf_counter() - started)
        self._learn(self._label, query, replace(paid, model=self._label))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """It failed: nothing is learnt."""
        self._started.pop(run_id, None)


def _query(state: Any) -> Query:
    """What is asked, without what differs from run to run; a plain text is a question of the user."""
    asked = HumanMessage(state) if isinstance(state, str) else state
    try:
        text = canonical_key(dumps([asked] if isinstance(asked, BaseMessage) else asked))
    except UnstableKeyError:
        text = ""
    return Query(text, fingerprint=_FINGERPRINT, attributes={"state": state})


def _answer(decision: Decision, labels: list[str]) -> ChoiceAnswer:
    chosen, certain = str(decision.model), decision.propensity
    others = (1.0 - certain) / max(1, len(labels) - 1)
    probabilities = {label: certain if label == chosen else others for label in labels}
    return ChoiceAnswer(type="choice", choice=chosen, probabilities=probabilities, confidence=certain)
