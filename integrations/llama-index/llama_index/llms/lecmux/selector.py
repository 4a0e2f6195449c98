"""`LECSelector`: chooses the query engine for a query, and learns where the choice was wrong or dear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llama_index.core.base.base_selector import BaseSelector, SelectorResult, SingleSelection
from llama_index.core.schema import QueryBundle
from llama_index.core.tools.types import ToolMetadata

from lecmux import Hooks, Price, Query, Reply, Router, ValueOfInformation, flow
from lecmux.costs.prices import check_amount
from lecmux.errors import ConfigError
from lecmux.policies.estimate import Estimator

__all__ = ["LECSelection", "LECSelector"]


class LECSelection(SingleSelection):
    """A selection with the decision behind it; `decision_id` is for `LECSelector.observe`."""

    decision_id: str


class LECSelector(BaseSelector):
    """For `RouterQueryEngine(selector=...)` and `RouterRetriever(selector=...)`.

    A query that nothing is known of is decided by `prior`, such as an `LLMSingleSelector`. From then on the
    selector knows better, without a call: it names the engine of least expected cost, by the costs given and
    by what `observe` was told of the answers.

    The selection of each query is in `response.metadata["selector_result"].selections[0]`.

    Args:
        prior: decides where nothing is known. Several selections of it are passed on, and not learnt from.
        costs_usd: what one query costs, by the name of the engine's tool; 0.0 for those not named.
        price_of_wrong_usd: what a wrong answer costs you.
        estimator: how sure to be of a cost before it counts.
        seed: fixes every tie and every coin.

    Raises:
        ConfigError: `prior` is no selector.
        CostError: a cost that is NaN, negative or infinite.
    """

    def __init__(
        self,
        prior: BaseSelector,
        *,
        costs_usd: Mapping[str, float] | None = None,
        price_of_wrong_usd: float = 1.0,
        estimator: Estimator = ValueOfInformation(),
        seed: int = 0,
    ) -> None:
        if not isinstance(prior, BaseSelector):
            raise ConfigError(f"prior must be a selector such as LLMSingleSelector, not {prior!r}")
        for name, cost in (costs_usd or {}).items():
            check_amount(f"costs_usd[{name!r}]", cost)
        self._prior = prior
        self._costs = dict(costs_usd or {})
        self._settings: dict[str, Any] = {
            "price_of_wrong_usd": price_of_wrong_usd,
            "estimator": estimator,
            "seed": seed,
        }
        self._hooks = flow.HookRunner(Hooks(cost=self._cost))
        self._routers: dict[tuple[str, ...], Router] = {}
        self._router(("any",))  # raises here where the settings cannot work

    def observe(self, decision_id: str, *, quality: float) -> bool:
        """Takes in how right an answer was (0.0 to 1.0); False: too long ago."""
        return any(router.observe(decision_id, quality=quality) for router in list(self._routers.values()))

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts_dict: dict[str, Any]) -> None:
        """It has none of its own."""

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {"prior": self._prior}

    def _select(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        turn = self._turn(choices, query)
        if turn.known:
            return self._decided(turn, None)
        return self._decided(turn, self._prior.select(list(choices), query))

    async def _aselect(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> SelectorResult:
        turn = self._turn(choices, query)
        if turn.known:
            return self._decided(turn, None)
        return self._decided(turn, await self._prior.aselect(list(choices), query))

    def _turn(self, choices: Sequence[ToolMetadata], query: QueryBundle) -> "_Turn":
        names = _names(choices)
        router = self._router(names)
        asked = Query(query.query_str)
        core = flow.Core(names, None, router, self._hooks)
        key = core.key(asked)
        return _Turn(names, asked, router, key is not None and any(router.route(key).tries.values()))

    def _decided(self, turn: "_Turn", prior: SelectorResult | None) -> SelectorResult:
        """The router's choice, or the prior's where there is one; what it costs is learnt."""
        if prior is not None and len(prior.selections) != 1:
            return prior
        chosen = None if prior is None else prior.selections[0]
        allowed = None if chosen is None else (turn.names[chosen.index],)
        core = flow.Core(turn.names, None, turn.router, self._hooks, allowed=allowed)
        answer = flow.run(flow.answer(turn.query, core), lambda call: Reply(call.model, model=call.model))
        decision = answer.decision
        selection = LECSelection(
            index=turn.names.index(answer.value),
            reason=decision.reason if chosen is None else chosen.reason,
            decision_id=decision.id,
        )
        return SelectorResult(selections=[selection])

    def _router(self, names: tuple[str, ...]) -> Router:
        """One for each set of engines."""
        router = self._routers.get(names)
        if router is None:
            router = Router(names, prices=dict.fromkeys(names, Price.free()), **self._settings)
            router = self._routers.setdefault(names, router)
        return router

    def _cost(self, request: Query, reply: Reply) -> float:
        name = str(reply.model)
        return self._costs.get(name, self._costs.get(name.partition("#")[0], 0.0))


@dataclass(frozen=True, slots=True)
class _Turn:
    names: tuple[str, ...]
    query: Query
    router: Router
    known: bool


def _names(choices: Sequence[ToolMetadata]) -> tuple[str, ...]:
    """The tools' names; of equal ones all but the first get their place."""
    names: list[str] = []
    for place, choice in enumerate(choices):
        name = choice.name or "engine"
        names.append(f"{name}#{place}" if name in names else name)
    return tuple(names)
