"""What every router can be told, and what it offers beside its answers."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Self

from langchain_core.runnables import ConfigurableFieldSpec
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from langchain_lecmux.asking import CACHE, ROUTE
from langchain_lecmux.stores import Stores
from lecmux import Cascade, Hooks, Router, ValueOfInformation, flow
from lecmux.costs import AnyPrice
from lecmux.errors import ConfigError
from lecmux.query import CacheMode
from lecmux.report import Report


class RouterSettings(BaseModel):
    """The settings of a router over named things: chat models, or runnables."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    prices: Mapping[str, AnyPrice] | None = None
    """By those names. Where not every one has a price, costs are seconds, and every decision says so."""
    cache: Any = Field(default=None, exclude=True)
    """A `LECCache`, `lecmux.Cache` or `AsyncCache`; None: the global LECCache if one is set; False: none."""
    quality: Any = Field(default=None, exclude=True)
    """How right an answer is, where known at once: `(query, reply) -> float | None`, or an object with it."""
    price_of_wrong_usd: float = 0.0
    price_of_wrong_seconds: float = 0.0
    price_per_second_usd: float = 0.0
    estimator: Any = Field(default_factory=ValueOfInformation)
    """How sure to be of a cost before it counts: an estimator of `lecmux`."""
    cost_floor: float = 0.0
    """The least an answer can cost."""
    cost_ceiling: float | None = None
    """The most it can cost; estimators that bound by the range need it."""
    multiplexer: Any = Field(default=None, exclude=True)
    """What is expected of a question before it has costs of its own: `lecmux.routers.Multiplexer()`."""
    shadow: bool = False
    """Decide, and record what that would have saved, but always ask the `baseline` and give its answer."""
    baseline: str | None = None
    """What savings are measured against; None: the dearest by price, else the last."""
    arms: Sequence[Cascade] = Field(default=(), exclude=True)
    """Cascades, to be chosen among like models."""
    fallback: bool = True
    """Whether another is asked where one fails, before the first chunk."""
    timeout_seconds: float | None = None
    """Of each call, and in a stream of each chunk, the first one included. What takes longer has failed: what
    is awaited is cancelled, any other call runs on on its own thread, and its answer is dropped. Typed event
    streams (v3) have their models' own timeouts."""
    path: Any = Field(default=None, exclude=True)
    """A file to start from and to keep up to date: what was learnt, and the answers of a `cache` that was
    given and has no file of its own. Written at `close`, at exit and every few minutes."""
    namespace: str = ""
    """Keeps this router's answers apart from those of others over the same things."""
    seed: int = 0
    """Fixes every tie and every coin."""

    _router: Router = PrivateAttr()
    _stores: Stores = PrivateAttr()
    _deadline: flow.Deadline = PrivateAttr(default_factory=flow.Deadline)

    @property
    def _limit(self) -> flow.TimeLimit:
        return flow.TimeLimit(self.timeout_seconds, self._deadline)

    @property
    def router(self) -> Router:
        """What was learnt, and the choice."""
        return self._router

    def observe(self, decision_id: str, *, quality: float) -> bool:
        """Takes in how right an answer was (0.0 to 1.0), when that becomes known; False: too long ago.

        `decision_id` is the `id` of the decision. A stored answer is served on only while it is expected to
        cost less than a new one.
        """
        return self._router.observe(decision_id, quality=quality)

    def report(self) -> Report:
        """What was spent and saved against everything to the best model, by scope, model and day.

        With a cache, of all that use it; without, of this router.
        """
        return self._stores.report()

    def close(self) -> None:
        """Saves to `path` a last time; the models stay open."""
        if self._stores.state:
            self._stores.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _made_router(self, names: Iterable[str]) -> Router:
        _ = self._limit  # refuses what cannot work
        return Router(
            tuple(names),
            prices=self.prices,
            price_of_wrong_usd=self.price_of_wrong_usd,
            price_of_wrong_seconds=self.price_of_wrong_seconds,
            price_per_second_usd=self.price_per_second_usd,
            estimator=self.estimator,
            multiplexer=self.multiplexer,
            cost_floor=self.cost_floor,
            cost_ceiling=self.cost_ceiling,
            baseline=self.baseline,
            arms=self.arms,
            fallback=self.fallback,
            seed=self.seed,
        )

    def _made_stores(self, codec: flow.Codec | None) -> Stores:
        return Stores(
            self._router,
            cache=self.cache,
            codec=codec,
            judge=flow.HookRunner(Hooks(quality=self.quality)) if self.quality else None,
            shadow=self.shadow,
            path=self.path,
        )

    def _specs(self) -> list[ConfigurableFieldSpec]:
        """What a call may say to the router."""
        names = ", ".join(self._router.arms)
        route = ConfigurableFieldSpec(
            id=ROUTE,
            annotation=str,
            name="Route",
            description=f"Which to ask: one of {names}.",
            default=None,
        )
        cache = ConfigurableFieldSpec(
            id=CACHE,
            annotation=CacheMode,
            name="Cache",
            description="Use the cache, refresh what it holds with a new answer, or skip it.",
            default="use",
        )
        return [route, cache]


def name_typos(what: type, settings: Iterable[str], known: Iterable[str]) -> None:
    """Refuses what is nearly a setting of ours; those of other models pass, as everywhere in LangChain.

    Raises:
        ConfigError: naming the setting that was meant.
    """
    for name in set(settings) - set(known):
        if near := get_close_matches(name, known, n=1, cutoff=0.92):
            raise ConfigError(f"{what.__name__} has no setting {name!r}: did you mean {near[0]!r}?")
