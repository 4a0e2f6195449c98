"""The learning router: expected cost by arm and query, under the money rules of the objective.

An arm is a model, or a cascade over two models.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Self

from lecmux import _core, _fork, _snapshot
from lecmux._envelope import entry_in
from lecmux.costs.history import AnyPrice
from lecmux.costs.objective import Objective
from lecmux.errors import ConfigError, SnapshotError
from lecmux.policies._check import MOST, not_negative, positive, whole
from lecmux.policies.estimate import Estimator, ValueOfInformation
from lecmux.query import Decision, Key, Query, Unit, Usage, new_id
from lecmux.routers._arms import Arms, checked_models
from lecmux.routers._cooldown import Cooldown
from lecmux.routers._met import MetQueries
from lecmux.routers._open import Open, OpenDecisions, Origin
from lecmux.routers._saved import check_fits, sealed, taught, unknown_settings, unsealed
from lecmux.routers.cascade import Cascade
from lecmux.routers.multiplexer import Prior

__all__ = ["Router"]

_LOGGER = logging.getLogger("lecmux")
_MOST_KEYS = 65_536
_NOMINAL = Usage(1_000, 250, 1.0)


class Router:
    """Chooses the model of least expected cost, and tries another where the knowledge may repay it.

    The cost of an answer is dollars + seconds x `price_per_second_usd` + `price_of_wrong_usd` x
    (1 - quality). Where not every model has a price it is seconds + `price_of_wrong_seconds` x
    (1 - quality); the log says so once, and every decision names its unit. Only what was paid for is
    learnt: the cost of the model that ran.

    Args:
        models: names, at least one.
        prices: by model name.
        price_of_wrong_usd: what a wrong answer costs you; needs a price for every model.
        price_of_wrong_seconds: the same where costs are seconds.
        price_per_second_usd: what a second of waiting costs you; needs a price for every model.
        baseline: the model that "everything to the best model" means: savings are counted against it, and
            requests in shadow are answered by it. None: the dearest for 1,000 tokens in, 250 out, in one
            second; of equals the last named.
        arms: cascades, to be chosen among like models.
        fallback: whether another model is asked where one fails; a model that fails time and again rests.
        estimator: how sure to be of a cost before it counts.
        cost_floor: the least an answer can cost.
        cost_ceiling: the most it can cost; the range bounds (Hoeffding, EmpiricalBernstein) need it.
        max_keys: queries whose costs are remembered apart.
        multiplexer: what is expected of a query before it has costs of its own: `Multiplexer()` learns it
            from features of the query. None: a query is known by its own costs alone.
        seed: fixes every tie and every coin.

    Raises:
        ConfigError: for settings that cannot work.
        PriceError: for a price of a model that is not there, and for an amount that would not count.
        CostError: for an amount that is NaN, negative or infinite.
    """

    def __init__(
        self,
        models: Sequence[str],
        *,
        prices: Mapping[str, AnyPrice] | None = None,
        price_of_wrong_usd: float = 0.0,
        price_of_wrong_seconds: float = 0.0,
        price_per_second_usd: float = 0.0,
        baseline: str | None = None,
        arms: Sequence[Cascade] = (),
        fallback: bool = True,
        estimator: Estimator = ValueOfInformation(),
        cost_floor: float = 0.0,
        cost_ceiling: float | None = None,
        max_keys: int = _MOST_KEYS,
        multiplexer: Prior | None = None,
        seed: int = 0,
    ) -> None:
        self.models = checked_models(models)
        not_negative("cost_floor", cost_floor)
        if cost_ceiling is not None:
            positive("cost_ceiling", cost_ceiling)
        whole("max_keys", max_keys)
        whole("seed", seed, least=0, most=MOST)
        if not isinstance(estimator, Estimator):
            raise ConfigError(f"estimator must be one such as ValueOfInformation(), not {estimator!r}")
        self.objective = Objective.resolve(
            self.models,
            prices=prices,
            price_of_wrong_usd=price_of_wrong_usd,
            price_of_wrong_seconds=price_of_wrong_seconds,
            price_per_second_usd=price_per_second_usd,
        )
        self.baseline = self._best() if baseline is None else self._known(baseline)
        self.fallback = bool(fallback)
        self.cooldown = Cooldown()
        self._arms = Arms(self.models, arms)
        if multiplexer is not None:
            if not isinstance(multiplexer, Prior):
                raise ConfigError(f"multiplexer must be one such as Multiplexer(), not {multiplexer!r}")
            multiplexer.bind(self._arms.names)
        self._met = None if multiplexer is None else MetQueries(multiplexer)
        self._settings = {
            "models": self.models,
            "prices": {name: price._spec() for name, price in (prices or {}).items()},
            "price_of_wrong_usd": price_of_wrong_usd,
            "price_of_wrong_seconds": price_of_wrong_seconds,
            "price_per_second_usd": price_per_second_usd,
            "baseline": baseline,
            "arms": self._arms.spec(),
            "fallback": self.fallback,
            "estimator": estimator._spec(),
            "cost_floor": cost_floor,
            "cost_ceiling": cost_ceiling,
            "max_keys": max_keys,
            "seed": seed,
        }
        self._core = _core.Router(
            len(self._arms.names),
            estimator=estimator._spec(),
            cost_floor=cost_floor,
            cost_ceiling=cost_ceiling,
            max_keys=max_keys,
            seed=seed,
        )
        self._index = {name: place for place, name in enumerate(self._arms.names)}
        self._paid: dict[str, tuple[int, float]] = {}
        self._open = OpenDecisions()
        self._said_wrong_is_free = False
        self._changes = 0  # a race among threads loses a number, never the change itself
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def unit(self) -> Unit:
        """The unit of all costs here: "usd", or "seconds" where not every model has a price."""
        return self.objective.unit

    @property
    def arms(self) -> tuple[str, ...]:
        """The names to choose among: of the models, then of the cascades."""
        return self._arms.names

    def arms_within(self, allowed: Collection[str]) -> list[str]:
        """The arms that ask none but `allowed` models; a cascade may also be allowed by its name."""
        return self._arms.within(allowed)

    def cascade(self, arm: str | None) -> Cascade | None:
        """The cascade of that name; None where it is a model's."""
        return self._arms.cascades.get(arm) if arm else None

    def asked(self, allowed: Collection[str]) -> set[str]:
        """The models that may answer where only `allowed`, models and cascades, may be chosen."""
        return self._arms.asked(allowed)

    def awake(self, allowed: Collection[str] | None, now: Callable[[], float]) -> Collection[str] | None:
        """`allowed` less what rests after failures; where all rest, the least bad model of them."""
        if self.cooldown.calm or not self.fallback:
            return allowed
        may = self.models if allowed is None else self.asked(allowed)
        models = [model for model in self.models if model in may]
        awake = self.cooldown.rested(models, now())
        if len(awake) == len(models):
            return allowed
        cascades = self._arms.cascades
        named = [name for name in allowed or () if name in cascades and {*cascades[name].models} <= {*awake}]
        return [*awake, *named]

    @property
    def multiplexer(self) -> Prior | None:
        """What is expected of queries before they have costs of their own; None: nothing."""
        return self._met.prior if self._met is not None else None

    def meet(self, key: Key, query: Query) -> None:
        """Shows the multiplexer, where there is one, the query behind a key; later it is asked by the key."""
        if self._met is not None:
            self._met.meet(key, query)

    def route(
        self,
        key: Key,
        *,
        count: float | None = None,
        allowed: Collection[str] | None = None,
        cascades: bool = True,
    ) -> Decision:
        """Chooses an arm; nothing is learnt or paid yet.

        Args:
            key: the query.
            count: how often it was asked, this time included; None takes the calls made for it.
            allowed: the models to choose among; None for all. A cascade is among them where both its models
                are, or where it is named.
            cascades: False leaves them out.

        Raises:
            ConfigError: for a name in `allowed` that is not here.
        """
        places = self._places(allowed, cascades=cascades)
        choice = self._decide(key, 1.0 if count is None else count, places)
        if count is None:
            choice = self._decide(key, sum(choice.tries) + 1.0, places)
        names = self._arms.names
        arm = names[choice.model]
        cascade = self.cascade(arm)
        return Decision(
            id=new_id(),
            kind="call",
            model=cascade.first if cascade else arm,
            reason=choice.reason,
            unit=self.unit,
            lower=dict(zip(names, choice.lower, strict=True)),
            mean={m: x for m, x in zip(names, choice.mean, strict=True) if x is not None},
            tries=dict(zip(names, map(float, choice.tries), strict=True)),
            propensity=choice.propensity,
            arm=arm,
            prior=dict(zip(names, choice.prior, strict=True)) if choice.prior else {},
        )

    def value(self, key: Key, *, count: float = 1.0) -> float:
        """What a miss is worth: the lower bound of the cost of the model that would be called."""
        return self._core.value(
            key.text, scope=key.scope, fingerprint=key.fingerprint, count=count, expected=self._expected(key)
        )

    def expected(self, key: Key, *, count: float = 1.0) -> float:
        """What a call now is expected to cost: the chosen arm's mean; while it is untried, prior or bound."""
        choice = self._decide(key, count, None)
        mean = choice.mean[choice.model]
        if mean is None and choice.prior:
            return choice.prior[choice.model]
        return choice.lower[choice.model] if mean is None else mean

    def learn(self, key: Key, arm: str, *, paid: float, error: float) -> None:
        """Notes what one answer cost: `paid` for it, and the price of the error known by now."""
        self.warn(key, arm, cost=paid + error)
        with self._lock:
            calls, total = self._paid.get(arm, (0, 0.0))
            self._paid[arm] = (calls + 1, total + paid)

    def warn(self, key: Key, arm: str, *, cost: float) -> None:
        """Notes what choosing an arm came to, where its own call failed: all that was paid from there on."""
        place = self._place(arm)
        first = self._core.observe(key.text, place, cost, scope=key.scope, fingerprint=key.fingerprint)
        self._changes += 1
        if self._met is not None:
            self._met.learn(key, place, cost, first=first)

    def saving(self, model: str, *, paid: float, usage: Usage) -> float:
        """Typical cost of the baseline less `paid`; 0.0 for the baseline itself, and while it is unknown."""
        typical = None if model == self.baseline else self.typical(self.baseline, usage)
        return 0.0 if typical is None else typical - paid

    def typical(self, arm: str, usage: Usage) -> float | None:
        """Mean cost of the answers of an arm; before the first, `usage` at its price, if it has one."""
        calls, total = self._paid.get(arm, (0, 0.0))
        if calls:
            return total / calls
        return self.objective.spend(arm, usage) if self.unit == "usd" and arm in self.models else None

    def remember(self, entry: Open) -> None:
        """Keeps a decision open for `observe`."""
        self._open.add(entry)

    def origin(self, decision_id: str) -> Origin | None:
        """The model call of that id, while any decision that served its answer is open."""
        return self._open.origin(decision_id)

    def observe(self, decision_id: str, *, quality: float) -> bool:
        """Takes in the quality of an answer, learnt later; a newer word on an answer replaces the older.

        The cost of the model that gave it is amended, and a stored copy of the answer gets its price: it is
        served only while a new call would cost more.

        Args:
            decision_id: `Decision.id` of a call or of a hit.
            quality: 0.0 (wrong) to 1.0 (right).

        Returns:
            False when the decision is no longer remembered: the latest 16,384 are.

        Raises:
            ConfigError: when `quality` is not in [0, 1].
        """
        if isinstance(quality, bool) or not isinstance(quality, (int, float)) or not 0 <= quality <= 1:
            raise ConfigError(f"quality must lie in [0, 1], not {quality!r}")
        entry = self._open.get(decision_id)
        if entry is None:
            return False
        error = self.objective.error(quality)
        if quality < 1 and error == 0:
            self._say_wrong_is_free()
        unknown, uncharged = self._open.restate(entry, error)
        self._changes += 1
        origin = entry.origin
        if unknown:
            key = origin.key
            place = self._place(origin.arm)
            self._core.amend(key.text, place, unknown, scope=key.scope, fingerprint=key.fingerprint)
            if self._met is not None:
                self._met.amend(key, place, unknown)
        self._revalue(entry, error)
        entry.settle(entry, uncharged, quality)
        return True

    def _say_wrong_is_free(self) -> None:
        """Once: whoever reports errors wants them to count."""
        if not self._said_wrong_is_free:
            self._said_wrong_is_free = True
            _LOGGER.warning(
                "an answer was reported wrong, but wrong answers are free: set price_of_wrong_%s", self.unit
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes settings and all that was learnt: atomic, versioned, checksummed, for the owner only.

        Decisions still open for `observe` are not kept.
        """
        _snapshot.write(path, self._sealed())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        arms: Sequence[Cascade] = (),
        multiplexer: Prior | None = None,
    ) -> Self:
        """The router that `save` wrote, with what it had learnt.

        Args:
            path: of the file.
            arms: the cascades it had; a file keeps no check.
            multiplexer: the one it had, where its features are a callable of yours: a file keeps none. One
                over `TextFeatures()` comes from the file.

        Raises:
            SnapshotError: for a file that is corrupt, foreign or of another version, or of other cascades.
            OSError: when it cannot be read.
        """
        router = cls._unsealed(_snapshot.read(path), path, multiplexer)
        given = Arms(router.models, arms)
        if given.spec() != router._arms.spec():
            raise SnapshotError(f"{path} holds the cascades {router._arms.spec()}: pass them as arms=[...]")
        router._arms = given
        return router

    def _sealed(self) -> bytes:
        """What `save` writes."""
        return sealed(self._settings, self._paid, self._core, self.multiplexer)

    @classmethod
    def _unsealed(cls, data: bytes, path: str | os.PathLike[str], multiplexer: Prior | None = None) -> Self:
        """The router in `data`, which was read from `path`."""
        saved = unsealed(data, path)
        try:
            router = cls(**saved.settings, multiplexer=taught(saved, multiplexer, path))
        except (KeyError, TypeError, ValueError) as error:
            raise unknown_settings(path, error) from error
        router._core, router._paid = saved.core, saved.paid
        return router

    def _adopt(self, data: bytes, path: str | os.PathLike[str]) -> None:
        """Goes on with what the router in `data` had learnt, in place of what this one has.

        Raises:
            SnapshotError: when it learnt of other models, in another unit, or under other rules.
        """
        saved = unsealed(data, path)
        other = type(self)(**saved.settings)
        check_fits((self.unit, self._settings), (other.unit, other._settings), path)
        taught(saved, self.multiplexer, path)
        with self._lock:
            self._core, self._paid = saved.core, saved.paid

    def _revalue(self, entry: Open, error: float) -> None:
        """Prices the stored copy, unless another answer has taken its place."""
        store, origin = entry.store(), entry.origin
        if store is None:
            return
        key = origin.key
        hit = store.peek(key.text, scope=key.scope, fingerprint=key.fingerprint)
        if hit is None or entry_in(hit.value).origin != origin.id:
            return
        worth = self.value(key, count=hit.count)
        store.revalue(key.text, worth=worth, hit_cost=error, scope=key.scope, fingerprint=key.fingerprint)

    def _expected(self, key: Key) -> _core.Expected | None:
        return self._met.expect(key) if self._met is not None else None

    def _decide(self, key: Key, count: float, allowed: Sequence[int] | None) -> _core.Choice:
        return self._core.decide(
            key.text,
            scope=key.scope,
            fingerprint=key.fingerprint,
            count=count,
            allowed=allowed,
            expected=self._expected(key),
        )

    def _best(self) -> str:
        """The dearest by price; of equals the last named."""
        prices = self.objective.prices
        if not prices:
            return self.models[-1]
        return max(reversed(self.models), key=lambda model: prices[model].cost_usd(_NOMINAL))

    def _known(self, model: str) -> str:
        if model not in self.models:
            raise ConfigError(f"no model {model!r} here; there are {', '.join(self.models)}")
        return model

    def _places(self, allowed: Collection[str] | None, *, cascades: bool) -> list[int] | None:
        """Where the arms to choose among stand in the core; None for all of them."""
        if allowed is None and (cascades or not self._arms.cascades):
            return None
        places = [self._place(name) for name in (self.models if allowed is None else allowed)]
        if not self._arms.cascades:
            return places
        if not cascades:
            return [place for place in places if place < len(self.models)]
        return [self._index[name] for name in self._arms.within(allowed or ())]

    def _place(self, name: str) -> int:
        try:
            return self._index[name]
        except KeyError:
            raise ConfigError(f"no model {name!r} here; there are {', '.join(self._arms.names)}") from None
