"""The multiplexer of the live router: what it expects, learns, shows, keeps and refuses."""

import math
from collections.abc import Iterable
from pathlib import Path

import pytest

from lecmux import Cache, Query, Reply, Router, Usage
from lecmux.errors import ConfigError, CostError, SnapshotError
from lecmux.explain import explain
from lecmux.flow import Core
from lecmux.query import Key
from lecmux.routers import ExpectedCosts, Multiplexer, Prior, TextFeatures
from lecmux.state import StateFile

MODELS = ("small", "large")
SUMS = [f"What is {a} + {a * 7 % 90}?" for a in range(10, 60)]
FACTS = [f"Who wrote the book named {name}?" for name in map(chr, range(97, 123))] + [
    f"Which town lies at the river {name}?" for name in map(chr, range(97, 121))
]
CHEAP, DEAR, WRONG = 1.0, 5.0, 30.0


def fitted(**settings: object) -> Multiplexer:
    """Sums are beyond the small model; 50 questions of each kind, all labelled."""
    multiplexer = Multiplexer(**settings)  # type: ignore[arg-type]
    labels = [(CHEAP + WRONG, DEAR)] * len(SUMS) + [(CHEAP, DEAR)] * len(FACTS)
    return multiplexer.fit([*SUMS, *FACTS], labels)


def routed(router: Router, text: str) -> str | None:
    """The model for a text that is met for the first time."""
    router.meet(Key(text), Query(text))
    return router.route(Key(text)).model


class TestExpects:
    def test_new_questions_of_a_kind_that_is_known(self) -> None:
        router = Router(MODELS, multiplexer=fitted())

        assert routed(router, "What is 75 + 11?") == "large"
        assert routed(router, "Who wrote the book named Emma?") == "small"

    def test_nothing_before_there_are_labels(self) -> None:
        router = Router(MODELS, multiplexer=Multiplexer())
        router.meet(Key("a"), Query("a"))

        decision = router.route(Key("a"))

        assert (decision.prior, decision.reason) == ({}, "untried")
        assert Multiplexer().expected("a") is None

    def test_own_costs_overrule_it(self) -> None:
        router = Router(MODELS, multiplexer=fitted())
        key = Key("Who wrote the book named Zed?")
        router.meet(key, Query(key.text))
        for _ in range(3):
            router.learn(key, "small", paid=CHEAP, error=WRONG)

        assert router.route(key).model == "large"

    def test_a_query_that_was_not_met_is_known_by_its_costs_alone(self) -> None:
        assert Router(MODELS, multiplexer=fitted()).route(Key("What is 75 + 11?")).prior == {}

    def test_a_strength_can_be_given(self) -> None:
        key = Key("Who wrote the book named Zed?")
        models = []
        for strength in (0.5, 1000.0):
            router = Router(MODELS, multiplexer=fitted(strength=strength))
            router.meet(key, Query(key.text))
            router.learn(key, "small", paid=CHEAP, error=WRONG)
            models.append(router.route(key).model)

        assert models == ["large", "small"]


class TestLearns:
    def test_from_the_models_that_were_called(self) -> None:
        multiplexer = Multiplexer()
        router = Router(MODELS, multiplexer=multiplexer, price_of_wrong_seconds=WRONG)
        for sums, facts in zip(SUMS, FACTS, strict=True):
            for text, hard in ((sums, True), (facts, False)):
                model = routed(router, text)
                error = WRONG if hard and model == "small" else 0.0
                router.learn(Key(text), str(model), paid=CHEAP if model == "small" else DEAR, error=error)

        assert sum(multiplexer.labels) == len(SUMS) + len(FACTS)
        assert routed(router, "What is 75 + 11?") == "large"
        assert routed(router, "Who wrote the book named Emma?") == "small"

    def test_a_question_teaches_once_a_model(self) -> None:
        multiplexer = Multiplexer()
        router = Router(MODELS, multiplexer=multiplexer)
        router.meet(Key("a"), Query("a"))
        for _ in range(5):
            router.learn(Key("a"), "small", paid=1.0, error=0.0)

        assert multiplexer.labels == (1, 0)

    def test_errors_that_become_known_later(self) -> None:
        multiplexer = fitted()
        before = multiplexer.expected("Who wrote the book named Emma?")
        router = Router(MODELS, multiplexer=multiplexer, price_of_wrong_seconds=WRONG)
        cache = Cache(1_000_000)

        def small(query: Query) -> Reply:
            return Reply("x", Usage(seconds=CHEAP))

        for name in range(40):
            text = f"Who wrote the book named {name} Emmas?"
            answer = cache.answer(text, models={"small": small, "large": small}, router=router)
            assert router.observe(answer.decision.id, quality=0.0)

        after = multiplexer.expected("Who wrote the book named Emma?")
        assert before is not None
        assert after is not None
        assert after[0] > before[0] + WRONG / 20

    def test_nothing_where_it_is_told_not_to(self) -> None:
        multiplexer = fitted(learn=False)
        labels = multiplexer.labels
        router = Router(MODELS, multiplexer=multiplexer)
        router.meet(Key("a"), Query("a"))
        router.learn(Key("a"), "small", paid=1.0, error=0.0)

        assert multiplexer.labels == labels

    def test_labels_may_be_missing(self) -> None:
        multiplexer = Multiplexer().fit(SUMS, [(CHEAP, None if at % 2 else math.nan) for at in range(50)])

        assert multiplexer.labels == (50, 0)
        assert len(multiplexer.skills) == 2


class TestShows:
    def test_decisions_and_explanations_hold_the_prior(self) -> None:
        router = Router(MODELS, multiplexer=fitted())
        core = Core(MODELS, router=router)

        told = explain(Query("What is 75 + 11?"), core)

        prior = told.models["small"].prior
        assert prior is not None
        assert prior > CHEAP + WRONG / 2
        assert "by its features" in str(told)
        assert core.choose(Key("What is 75 + 11?")).prior["small"] == prior


class TestKeeps:
    def test_a_file_holds_what_it_learnt(self, tmp_path: Path) -> None:
        Router(MODELS, multiplexer=fitted()).save(tmp_path / "router")

        again = Router.load(tmp_path / "router")

        assert isinstance(again.multiplexer, Multiplexer)
        assert again.multiplexer.expected("What is 75 + 11?") == fitted().expected("What is 75 + 11?")
        assert routed(again, "What is 75 + 11?") == "large"

    def test_a_state_file_does_too(self, tmp_path: Path) -> None:
        with StateFile(tmp_path / "state", router=Router(MODELS, multiplexer=fitted())):
            pass
        router = Router(MODELS, multiplexer=Multiplexer())

        with StateFile(tmp_path / "state", router=router):
            assert routed(router, "What is 75 + 11?") == "large"

    def test_a_file_of_a_router_without_one_teaches_one_with(self, tmp_path: Path) -> None:
        plain = Router(MODELS)
        plain.learn(Key("a"), "small", paid=1.0, error=0.0)
        plain.save(tmp_path / "router")

        again = Router.load(tmp_path / "router", multiplexer=Multiplexer())

        assert again.route(Key("a")).tries["small"] == 1.0
        assert again.multiplexer is not None

    def test_a_callable_is_not_kept(self, tmp_path: Path) -> None:
        Router(MODELS, multiplexer=Multiplexer(lengths)).save(tmp_path / "router")

        with pytest.raises(SnapshotError, match="callable"):
            Router.load(tmp_path / "router")
        assert Router.load(tmp_path / "router", multiplexer=Multiplexer(lengths)).models == MODELS

    def test_other_features_do_not_fit(self, tmp_path: Path) -> None:
        Router(MODELS, multiplexer=fitted()).save(tmp_path / "router")

        with pytest.raises(SnapshotError, match="does not fit"):
            Router.load(tmp_path / "router", multiplexer=fitted(features=lengths))


def lengths(query: Query) -> Iterable[float]:
    """Two features of one's own."""
    return len(query.text) / 100, float("+" in query.text)


class TestFeatures:
    def test_numbers_of_ones_own(self) -> None:
        router = Router(MODELS, multiplexer=fitted(features=lengths))

        assert routed(router, "What is 75 + 11?") == "large"
        assert routed(router, "Who wrote the book named Emma?") == "small"

    def test_the_last_message_is_read_of_a_chat(self) -> None:
        class Message:
            content = "What is 2 + 3?"

        chat = Query('[{"role": "system", "content": "..."}]', attributes={"messages": [Message()]})

        assert TextFeatures()(chat).items() == TextFeatures()(Query("What is 2 + 3?")).items()

    def test_a_failing_function_is_an_incident(self) -> None:
        def broken(query: Query) -> Iterable[float]:
            raise RuntimeError("no features today")

        router = Router(MODELS, multiplexer=Multiplexer(broken))
        models = dict.fromkeys(MODELS, lambda query: Reply("x", Usage(seconds=1.0)))

        answer = Cache(1_000_000).answer("a", models=models, router=router)

        assert answer.value == "x"
        assert answer.decision.prior == {}


class TestExpectedCosts:
    def test_a_predictor_of_ones_own_decides_first(self) -> None:
        known = ExpectedCosts(lambda query: {"small": 9.0, "large": 2.0} if "+" in query.text else None)
        router = Router(MODELS, multiplexer=known)

        assert routed(router, "1 + 1") == "large"
        assert router.route(Key("1 + 1")).prior == {"small": 9.0, "large": 2.0}
        assert isinstance(known, Prior)

    def test_all_arms_are_named(self) -> None:
        router = Router(MODELS, multiplexer=ExpectedCosts(lambda query: {"small": 1.0}))

        with pytest.raises(ConfigError, match="large"):
            router.meet(Key("a"), Query("a"))


class TestRefuses:
    @pytest.mark.parametrize(
        "wrong", [{"features": 3}, {"strength": 0.0}, {"penalty": -1.0}, {"strength": math.nan}]
    )
    def test_settings(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ConfigError):
            Multiplexer(**wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize("buckets", [-1, 4001, 1.5])
    def test_buckets(self, buckets: int) -> None:
        with pytest.raises(ConfigError):
            TextFeatures(buckets)

    def test_labels_that_do_not_fit(self) -> None:
        with pytest.raises(ConfigError, match="rows"):
            Multiplexer().fit(["a", "b"], [(1.0, 2.0)])
        with pytest.raises(CostError, match="row 1"):
            Multiplexer().fit(["a", "b"], [(1.0, 2.0), (1.0, -2.0)])

    def test_what_is_no_prior(self) -> None:
        with pytest.raises(ConfigError, match="multiplexer"):
            Router(MODELS, multiplexer="text")  # type: ignore[arg-type]

    def test_another_routers_multiplexer(self) -> None:
        multiplexer = Multiplexer()
        Router(MODELS, multiplexer=multiplexer)

        with pytest.raises(ConfigError, match="another"):
            Router(("a", "b", "c"), multiplexer=multiplexer)
        with pytest.raises(ConfigError, match="3 arms"):
            Router(("a", "b", "c"), multiplexer=fitted())
