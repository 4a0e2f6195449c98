"""The rules for hooks: abstain, fail, overrun, hard deadline."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lecmux import Cache, Decision, Hooks, Price, Query, Reply, Router, Threaded, Usage
from lecmux._hook_runner import HookFailedError, HookRunner
from lecmux.errors import ConfigError
from lecmux.events import Event, Incident, Shadow
from lecmux.hooks import (
    AdmitHook,
    CostHook,
    Listener,
    Normaliser,
    QualityHook,
    RouteHook,
    SameAnswerHook,
    ScopeHook,
    TextHook,
    TtlHook,
)
from lecmux.testing import FakeClock, ScriptedModel

QUERY, REPLY = Query("q", scope="own"), Reply("r")
HOOKS = ["cost", "admit", "ttl", "quality"]
GOOD: dict[str, Any] = {"cost": 0.5, "admit": False, "ttl": 60.0, "quality": 0.25}
BAD: dict[str, list[Any]] = {
    "cost": [float("nan"), -1.0, float("inf"), "1", True],
    "admit": ["yes", 1],
    "ttl": [0.0, -5, float("nan"), True],
    "quality": [1.5, -0.1, float("nan"), "good"],
}


class Overrunning:
    """A hook that takes `seconds` a call, by a fake clock."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self.clock, self.seconds, self.calls = clock, seconds, 0

    def __call__(self, *_: Any) -> float:
        self.calls += 1
        self.clock.advance(self.seconds)
        return 0.5


def _ask(runner: HookRunner, name: str) -> Any:
    return getattr(runner, name)(QUERY, REPLY)


@pytest.mark.parametrize("name", HOOKS)
def test_a_bare_callable_is_asked(name: str) -> None:
    runner = HookRunner(Hooks(**{name: lambda request, reply: GOOD[name]}))

    assert _ask(runner, name) == GOOD[name]
    assert runner.incidents == 0


@pytest.mark.parametrize("name", HOOKS)
def test_an_object_with_the_method_is_asked(name: str) -> None:
    hook = type("Hook", (), {name: lambda self, request, reply: GOOD[name]})()

    assert _ask(HookRunner(Hooks(**{name: hook})), name) == GOOD[name]


@pytest.mark.parametrize("name", HOOKS)
def test_none_abstains(name: str) -> None:
    runner = HookRunner(Hooks(**{name: lambda request, reply: None}))

    assert _ask(runner, name) is None
    assert _ask(HookRunner(), name) is None
    assert runner.incidents == 0


@pytest.mark.parametrize("name", HOOKS)
def test_an_exception_is_counted_logged_once_and_the_built_in_decides(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Query, reply: Reply) -> Any:
        raise OSError("no disk")

    runner = HookRunner(Hooks(**{name: broken}))
    with caplog.at_level(logging.WARNING, "lecmux"):
        assert [_ask(runner, name) for _ in range(5)] == [None] * 5

    assert runner.incidents == 5
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"the {name} hook failed; said once, counted from now on: OSError in broken, {__file__}:"
    )


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in HOOKS for value in BAD[name]])
def test_an_impossible_answer_counts_as_an_exception(name: str, value: Any) -> None:
    runner = HookRunner(Hooks(**{name: lambda request, reply: value}))

    assert _ask(runner, name) is None
    assert runner.incidents == 1


def test_three_overruns_in_a_row_switch_a_hook_off(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    hook = Overrunning(clock, seconds=0.2)
    runner = HookRunner(Hooks(cost=hook, time_budget_seconds=0.1), clock=clock)

    with caplog.at_level(logging.WARNING, "lecmux"):
        answers = [runner.cost(QUERY, REPLY) for _ in range(6)]

    assert answers == [0.5, 0.5, 0.5, None, None, None], "an overrun is measured on return: its answer counts"
    assert hook.calls == 3
    assert runner.incidents == 4, "three overruns and the switching off"
    assert len(caplog.records) == 1
    assert "switched off" in caplog.records[0].getMessage()


def test_a_call_in_time_forgives_earlier_overruns() -> None:
    clock = FakeClock()
    hook = Overrunning(clock, seconds=0.2)
    runner = HookRunner(Hooks(cost=hook, time_budget_seconds=0.1), clock=clock)
    for seconds in (0.2, 0.2, 0.05, 0.2, 0.2, 0.05, 0.2):
        hook.seconds = seconds
        runner.cost(QUERY, REPLY)

    assert runner.cost(QUERY, REPLY) == 0.5
    assert hook.calls == 8


def test_a_scope_hook_names_the_tenant_or_abstains() -> None:
    assert HookRunner(Hooks(scope=lambda request: "acme")).scope(QUERY) == "acme"
    assert HookRunner(Hooks(scope=lambda request: None)).scope(QUERY) == "own"
    assert HookRunner().scope(QUERY) == "own"


@pytest.mark.parametrize("broken", [lambda request: 1 / 0, lambda request: 7])
def test_a_failing_scope_hook_never_falls_back_to_another_tenants_scope(broken: Any) -> None:
    hooks = Hooks(scope=broken)
    with pytest.raises(HookFailedError):
        HookRunner(hooks).scope(QUERY)

    cache = Cache(100_000, hooks=hooks)
    cache.put("q", "of the shared scope")
    model = ScriptedModel({"q": "fresh"})

    assert cache.answer("q", models={"m": model}).value == "fresh"
    assert cache.answer("q", models={"m": model}).value == "fresh"
    assert len(cache) == 1, "nothing was stored"
    assert cache.stats().incidents == 2, "each request counts once"


def test_a_scope_hook_that_was_switched_off_keeps_requests_out_of_the_cache() -> None:
    clock = FakeClock()
    runner = HookRunner(Hooks(scope=lambda request: clock.advance(1.0) or "acme"), clock=clock)
    assert [runner.scope(QUERY) for _ in range(3)] == ["acme"] * 3

    with pytest.raises(HookFailedError):
        runner.scope(QUERY)


def test_threaded_gives_a_hard_deadline() -> None:
    release = threading.Event()
    hook = Threaded(lambda request, reply: release.wait(60) and 1.0, timeout_seconds=0.05)
    runner = HookRunner(Hooks(cost=hook, time_budget_seconds=5.0))

    started = time.monotonic()
    assert runner.cost(QUERY, REPLY) is None
    assert time.monotonic() - started < 5
    release.set()
    assert runner.incidents == 1


def test_threaded_switches_off_after_three_missed_deadlines() -> None:
    release = threading.Event()
    calls = []

    def stuck(request: Query, reply: Reply) -> float:
        calls.append(request)
        release.wait(60)
        return 1.0

    runner = HookRunner(Hooks(cost=Threaded(stuck, timeout_seconds=0.02)))
    for _ in range(6):
        assert runner.cost(QUERY, REPLY) is None
    release.set()

    assert len(calls) == 3


def test_threaded_bounds_the_threads_that_are_stuck() -> None:
    release = threading.Event()
    hook = Threaded(release.wait, timeout_seconds=0.02, most_stuck=2)
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            hook(60)

    assert threading.active_count() - before <= 2
    release.set()


def test_threaded_passes_answers_errors_and_context_through() -> None:
    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant")
    tenant.set("acme")

    assert Threaded(lambda request: tenant.get(), timeout_seconds=5)(QUERY) == "acme"
    with pytest.raises(ZeroDivisionError):
        Threaded(lambda request: 1 / 0, timeout_seconds=5)(QUERY)


def test_threaded_wraps_an_object_with_the_method() -> None:
    class Judge:
        def quality(self, request: Query, reply: Reply, /) -> float:
            return 0.75

    assert HookRunner(Hooks(quality=Threaded(Judge(), timeout_seconds=5))).quality(QUERY, REPLY) == 0.75


def test_a_failing_listener_does_not_tell_itself_of_its_failure() -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise OSError("no disk")

    runner = HookRunner(Hooks(listeners=[broken, heard.append]))
    runner.emit(Incident("test", "one"))
    runner.incident("exact", ValueError("two"))

    assert heard == [Incident("test", "one"), Incident("exact", "ValueError: two")]
    assert runner.incidents == 3


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_settings_that_cannot_work_are_refused(budget: float) -> None:
    with pytest.raises(ConfigError):
        Hooks(time_budget_seconds=budget)
    with pytest.raises(ConfigError):
        Threaded(print, timeout_seconds=budget)
    with pytest.raises(ConfigError):
        HookRunner(Hooks(cost=5))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "method"),
    [
        (CostHook, "cost"),
        (AdmitHook, "admit"),
        (TtlHook, "ttl"),
        (ScopeHook, "scope"),
        (QualityHook, "quality"),
        (TextHook, "text"),
        (RouteHook, "route"),
        (SameAnswerHook, "same_answer"),
        (Listener, "on_event"),
    ],
)
def test_protocols_are_checked_by_their_method(protocol: type, method: str) -> None:
    assert isinstance(type("Hook", (), {method: print})(), protocol)
    assert not isinstance(object(), protocol)


def _cached(**hooks: Any) -> Callable[[FakeClock], Cache]:
    return lambda clock: Cache(100_000, clock=clock, hooks=Hooks(**hooks))


def test_the_hooks_are_asked_where_they_belong() -> None:
    clock = FakeClock()
    cache = _cached(
        cost=lambda request, reply: 2.5,
        admit=lambda request, reply: reply.value != "secret",
        ttl=lambda request, reply: 10.0,
        scope=lambda request: request.attributes.get("user"),
    )(clock)
    model = ScriptedModel({"q": "public", "s": "secret"})

    called = cache.answer(Query("q", attributes={"user": "ann"}), models={"m": model})
    cache.answer("s", models={"m": model})

    assert called.decision.cost == 2.5
    assert cache.get("q") is None
    assert cache.get("q", scope="ann") == "public"
    assert cache.get("s") is None
    clock.advance(10.5)
    assert cache.get("q", scope="ann") is None


def test_the_quality_hook_prices_a_wrong_answer() -> None:
    router = Router(["m"], prices={"m": Price(usd_per_second=1.0)}, price_of_wrong_usd=5.0)
    cache = _cached(quality=lambda request, reply: 0.5)(FakeClock())

    cache.answer("q", models={"m": ScriptedModel({"q": "half right"}, seconds=2.0)}, router=router)

    assert cache.stats().spent_usd == 2.0
    assert cache.stats().price_of_errors_usd == 2.5


def test_a_hook_may_use_the_cache_it_serves() -> None:
    holder: list[Cache] = []

    def ttl(request: Query, reply: Reply) -> float | None:
        holder[0].put("noted", request.text)
        return None

    holder.append(_cached(ttl=ttl)(FakeClock()))
    holder[0].answer("q", models={"m": ScriptedModel({"q": "r"})})

    assert holder[0].get("noted") == "q"
    assert holder[0].stats().incidents == 0


def test_a_class_in_place_of_an_object_is_refused_at_once() -> None:
    class Pricer:
        def cost(self, request: Query, reply: Reply, /) -> float:
            return 1.0

    with pytest.raises(ConfigError, match="pass an object"):
        HookRunner(Hooks(cost=Pricer))  # type: ignore[arg-type]


def test_the_text_hook_makes_the_key_and_the_model_is_asked_the_whole() -> None:
    cache = _cached(text=lambda request: request.text.removeprefix("please "))(FakeClock())
    model = ScriptedModel({"please sing": "la"})

    assert cache.answer("please sing", models={"m": model}).decision.kind == "call"
    assert cache.answer("sing", models={"m": model}).decision.kind == "hit"
    assert model.calls == ["please sing"]


def test_a_normaliser_serves_one_answer_for_several_ways_to_write() -> None:
    cache = _cached(normalise=Normaliser(case=True, punctuation=True))(FakeClock())
    model = ScriptedModel(default="r")
    for text in ("What is RAM?", "what is  ram", "What is ram ?", "What is ROM?"):
        cache.answer(text, models={"m": model})

    assert model.calls == ["What is RAM?", "What is ram ?", "What is ROM?"]


@pytest.mark.parametrize("hook", ["text", "normalise"])
@pytest.mark.parametrize("broken", [lambda text: 1 / 0, lambda text: 7])
def test_a_failing_text_hook_leaves_the_text_as_it_is(hook: str, broken: Any) -> None:
    cache = _cached(**{hook: broken})(FakeClock())
    model = ScriptedModel(default="r")

    kinds = [cache.answer("A  b", models={"m": model}).decision.kind for _ in range(2)]

    assert kinds == ["call", "hit"]
    assert cache.get("A  b") == "r"
    assert cache.stats().incidents == 2


def test_the_route_hook_names_the_model_or_abstains() -> None:
    seen: list[Decision] = []

    def route(request: Query, decision: Decision) -> str | None:
        seen.append(decision)
        return {"easy": "small", "hard": "large"}.get(request.text)

    cache = _cached(route=route)(FakeClock())
    models = {name: ScriptedModel(default=name) for name in ("small", "large")}
    router = Router(["small", "large"])

    routed = [cache.answer(text, models=models, router=router).decision for text in ("hard", "easy", "other")]

    assert [decision.model for decision in routed[:2]] == ["large", "small"]
    assert [decision.reason == "hook" for decision in routed] == [True, True, False]
    assert [set(decision.lower) for decision in seen] == [{"small", "large"}] * 3
    assert cache.stats().incidents == 0


@pytest.mark.parametrize("word", ["huge", 7, ""])
def test_a_route_hook_that_names_no_model_is_counted_and_the_router_decides(word: Any) -> None:
    cache = _cached(route=lambda request, decision: word)(FakeClock())
    models = {name: ScriptedModel(default=name) for name in ("small", "large")}

    answer = cache.answer("q", models=models, router=Router(["small", "large"]))

    assert answer.decision.reason != "hook"
    assert cache.stats().incidents == 1


def test_a_route_hook_is_not_asked_where_there_is_no_choice() -> None:
    cache = _cached(route=lambda request, decision: 1 / 0)(FakeClock())
    models = {name: ScriptedModel(default=name) for name in ("small", "large")}

    assert cache.answer("q", models={"small": models["small"]}).decision.model == "small"
    forced = cache.answer(
        "q", models=models, router=Router(["small", "large"]), route="large", cache="refresh"
    )

    assert forced.decision.model == "large"
    assert cache.stats().incidents == 0


def test_the_same_answer_hook_compares_in_shadow() -> None:
    heard: list[Event] = []
    cache = _cached(same_answer=lambda one, other: one.lower() == other.lower(), listeners=[heard.append])(
        FakeClock()
    )
    cache.answer("q", models={"m": ScriptedModel(default="Paris")})
    cache.answer("q", models={"m": ScriptedModel(default="PARIS")}, shadow=True)
    cache.answer("q", models={"m": ScriptedModel(default="Rome")}, shadow=True)

    assert [event.same for event in heard if isinstance(event, Shadow)] == [True, False]


def test_without_a_hook_equal_answers_are_the_same() -> None:
    assert HookRunner().same_answer({"a": 1}, {"a": 1})
    assert not HookRunner(Hooks(same_answer=lambda one, other: None)).same_answer("a", "b")


SECRET = "sk-canary-4711"


def _troubled(**settings: Any) -> Cache:
    def broken(*arguments: Any) -> Any:
        raise ValueError(f"cannot read {arguments!r}")

    names = ("scope", "cost", "quality", "admit", "ttl", "text", "route", "same_answer")
    cache = Cache(100_000, hooks=Hooks(**dict.fromkeys(names, broken), listeners=[broken], **settings))
    models = {name: ScriptedModel(default=f"answer with {SECRET}") for name in ("small", "large")}
    router = Router(["small", "large"])
    for _ in range(2):
        cache.answer(f"prompt with {SECRET}", models=models, router=router)
        cache.answer(Query(f"{SECRET} \ud800"), models=models, router=router, shadow=True)
    return cache


def test_the_log_holds_no_prompt_and_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        cache = _troubled()

    assert cache.stats().incidents > 5
    assert caplog.records
    assert SECRET not in caplog.text


def test_the_log_quotes_errors_where_asked_to(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _troubled(log_texts=True)

    assert SECRET in caplog.text
    assert "Traceback" in caplog.text
    with pytest.raises(ConfigError, match="log_texts"):
        Hooks(log_texts="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("returns", ["four", Reply("four"), Reply("four", Usage(seconds=2.0))])
def test_hooks_see_which_model_answered(returns: Any) -> None:
    seen = []

    def quality(request: Query, reply: Reply) -> float:
        seen.append(("quality", reply.model))
        return 1.0

    def admit(request: Query, reply: Reply) -> bool:
        seen.append(("admit", reply.model))
        return True

    cache = Cache(100_000, hooks=Hooks(quality=quality, admit=admit))
    models = {"small": lambda query: returns, "large": lambda query: returns}

    answer = cache.answer("2 + 2?", models=models, router=Router(["small", "large"]), route="large")

    assert seen == [("quality", "large"), ("admit", "large")]
    assert answer.reply is not None
    assert answer.reply.model == "large"


def test_a_name_that_the_model_gives_itself_stays() -> None:
    cache = Cache(100_000)

    answer = cache.answer("q", models={"m": lambda query: Reply("x", model="m-2026-11")})

    assert answer.reply is not None
    assert answer.reply.model == "m-2026-11"
