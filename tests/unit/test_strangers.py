"""What a stranger gets wrong first: each is a typed error that says what to give instead."""

from collections.abc import Callable
from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Hooks, Query, Reply, Router
from lecmux.costs import PriceList
from lecmux.errors import ConfigError, LecmuxError, ModelRequestError, PriceError, ValueTypeError
from lecmux.models import Endpoint, Gguf, OpenAICompatible, Timeouts
from lecmux.state import StateFile

MODELS = {"m": lambda query: "x"}


async def _awaited(query: Query) -> str:
    return "x"


MADE_WRONG: list[tuple[Callable[[], Any], type[LecmuxError], str]] = [
    (lambda: Router(None), ConfigError, r"models must be a sequence of names, not None"),
    (lambda: Router(3), ConfigError, r"models must be a sequence of names, not 3"),
    (lambda: Router(["a"], prices=[1]), PriceError, r"prices must map models to prices, .*not \[1\]"),
    (lambda: Router(["a", "b"], arms=3), ConfigError, r"arms must be a sequence of Cascade\(...\), not 3"),
    (lambda: Cache(1000, hooks=3), ConfigError, r"hooks must be Hooks\(...\), not 3"),
    (lambda: Cache(1000, hooks={"cost": len}), ConfigError, r"hooks must be Hooks\(...\), not"),
    (lambda: Cache(1000, hooks=Hooks(listeners=3)), ConfigError, r"listeners must be a sequence, not 3"),
    (lambda: Cache(1000, tenant_share="x"), ConfigError, r"tenant_share must be a number.*not 'x'"),
    (lambda: PriceList().price(3), PriceError, r"name of a model.*not 3"),
    (lambda: StateFile(3, router=Router(["a"])), ConfigError, r"path must be the path of a file, not 3"),
    (lambda: Gguf(3), ConfigError, r"path_or_name must be a name or a path, not 3"),
    (lambda: Timeouts(total_seconds=10**400), ConfigError, r"total_seconds"),
    (lambda: Endpoint("http://a/v1", timeouts=3), ConfigError, r"timeouts must be Timeouts\(...\), not 3"),
    (lambda: Endpoint("http://a/v1", api_key=3), ConfigError, r"api_key must be a str"),
    (lambda: Endpoint("http://a/v1", headers=["x"]), ConfigError, r"headers must map names to str"),
    (lambda: Endpoint("http://a/v1", headers={"x": 3}), ConfigError, r"headers must map names to str"),
]


@pytest.mark.parametrize(("make", "kind", "says"), MADE_WRONG)
def test_settings(make: Callable[[], Any], kind: type[LecmuxError], says: str) -> None:
    with pytest.raises(kind, match=says):
        make()


ASKED_WRONG: list[tuple[dict[str, Any], type[LecmuxError], str]] = [
    ({"models": None}, ConfigError, r"models must map names to callables, not None"),
    ({"models": [len]}, ConfigError, r"models must map names to callables, not \["),
    ({"models": {"m": 3}}, ConfigError, r"the model 'm' must be callable, not 3"),
    ({"models": {1: len}}, ConfigError, r"names of models must be str, not 1"),
    ({"router": 3}, ConfigError, r"router must be a Router, not 3"),
    ({"query": 3}, ConfigError, r"query must be a Query or its text, not 3"),
    ({"query": None}, ConfigError, r"query must be a Query or its text, not None"),
    (
        {"models": {"m": lambda query: Reply("x", usage=3)}},
        ValueTypeError,
        r"usage of a Reply must be a Usage",
    ),
]


@pytest.mark.parametrize(("wrong", "kind", "says"), ASKED_WRONG)
async def test_requests(wrong: dict[str, Any], kind: type[LecmuxError], says: str) -> None:
    asked = {"query": "q", "models": MODELS, **wrong}

    with pytest.raises(kind, match=says):
        Cache(10_000).answer(**asked)
    with pytest.raises(kind, match=says):
        await AsyncCache(10_000).answer(**asked)


@pytest.mark.filterwarnings("error")
def test_an_async_model_under_a_plain_cache() -> None:
    cache = Cache(10_000)

    with pytest.raises(ConfigError, match="'m' is async: ask it through AsyncCache"):
        cache.answer("q", models={"m": _awaited})

    assert len(cache) == 0


def test_an_id_that_cannot_be_one_is_forgotten_already() -> None:
    assert not Cache(10_000).forget("\ud800")


UNFIT_ENDPOINTS: list[tuple[dict[str, Any], str]] = [
    ({"fallbacks": "http://b/v1"}, r"fallbacks must be a sequence of Endpoint\(...\), not 'http://b/v1'"),
    ({"fallbacks": ["http://b/v1"]}, r"fallbacks must be a sequence of Endpoint\(...\)"),
    ({"timeouts": 3}, r"timeouts must be Timeouts\(...\), not 3"),
    ({"retries": 3}, r"retries must be Retries\(...\), not 3"),
    ({"cooldown": 3}, r"cooldown must be Cooldown\(...\), not 3"),
    ({"concurrency": 3}, r"concurrency must be Concurrency\(...\), not 3"),
    ({"headers": ["x"]}, r"headers must map names to str"),
    ({"body": ["x"]}, r"body must map fields to values, not \['x'\]"),
    ({"api_key": 3}, r"api_key must be a str"),
]


@pytest.mark.parametrize(("wrong", "says"), UNFIT_ENDPOINTS)
def test_endpoints(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        OpenAICompatible("m", base_url="http://a/v1", **wrong)


UNFIT_CALLS: list[tuple[Any, dict[str, Any], str]] = [
    (3, {}, r"messages must be a sequence"),
    (None, {}, r"messages must be a sequence"),
    ([{"role": "user", "content": "x"}], {"stop": 3}, r"stop must be strings"),
    ([{"role": "user", "content": "x"}], {"tools": 3}, r"tools must be a sequence of mappings"),
    ([{"role": "user", "content": "x"}], {"tools": [3]}, r"tools must be a sequence of mappings"),
    ([{"role": "user", "content": "x"}], {"body": 3}, r"body must map fields to values, not 3"),
    ([{"role": "user", "content": "x"}], {"seed": object()}, r"a request must be JSON"),
    ([{"role": "user", "content": "x"}], {"body": {"a": object()}}, r"a request must be JSON"),
    ([{"role": "user", "content": "x"}], {"body": {"a": float("nan")}}, r"a request must be JSON"),
    ([{"role": "user", "content": [object()]}], {}, r"a request must be JSON"),
]


@pytest.mark.parametrize(("messages", "settings", "says"), UNFIT_CALLS)
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_calls(messages: Any, settings: dict[str, Any], says: str, way: str) -> None:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    model = OpenAICompatible("m", base_url="http://127.0.0.1:1/v1")

    with pytest.raises((ConfigError, ModelRequestError), match=says):
        getattr(model, way)(messages, **settings)
