"""Settings of models behind an endpoint, and the secrets among them."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from lecmux.errors import (
    ConfigError,
    ModelAccessError,
)
from lecmux.models import Cooldown, Endpoint, OpenAICompatible, Retries, Timeouts

ASK = [{"role": "user", "content": "What is the capital of France?"}]

UNFIT: list[Callable[[], Any]] = [
    lambda: OpenAICompatible("", base_url="http://a/v1"),
    lambda: OpenAICompatible("m", base_url="localhost:8000/v1"),
    lambda: OpenAICompatible("m", base_url=""),
    lambda: OpenAICompatible("m", base_url=None),  # type: ignore[arg-type]
    lambda: OpenAICompatible("m", base_url="http://user:secret@host/v1"),
    lambda: Timeouts(total_seconds=0),
    lambda: Timeouts(connect_seconds=float("nan")),
    lambda: Timeouts(first_token_seconds=-1),
    lambda: Retries(times=-1),
    lambda: Retries(budget=float("inf")),
    lambda: Cooldown(failures=0),
    lambda: Cooldown(first_seconds=-1),
]


@pytest.mark.parametrize("make", UNFIT)
def test_settings_that_cannot_work(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        make()

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://vllm:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
    ],
)
def test_an_endpoint_nearby_answers_sooner(base_url: str, local: bool) -> None:
    endpoint = Endpoint(base_url)

    assert endpoint.local is local
    assert endpoint.timeouts.first_token_seconds == (30 if local else 60)
    assert (endpoint.timeouts.connect_seconds, endpoint.timeouts.total_seconds) == (2, 300)


def test_no_secret_leaks(
    remotes: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-the-environment")
    caplog.set_level(logging.DEBUG)
    served = remotes.serve("never", api_key="another")
    model = remotes.ask(served, api_key="sk-canary")

    with pytest.raises(ModelAccessError) as caught:
        model.chat(ASK)
    with pytest.raises(ModelAccessError):
        remotes.ask(served).chat(ASK)

    told = "".join((str(caught.value), repr(model), repr(model.endpoints), caplog.text))
    assert "sk-canary" not in told
    assert served.headers[0]["Authorization"] == "Bearer sk-canary"
    assert "Authorization" not in served.headers[1]
    assert "of-the-environment" not in "".join(map(str, served.headers))


def test_openais_own_service_gets_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")

    with OpenAICompatible("gpt", base_url="https://api.openai.com/v1") as model:
        assert model.endpoints[0].api_key == "sk-of-the-environment"


def test_an_unknown_setting_is_named(remotes: Any) -> None:
    model = remotes.ask(remotes.serve("never"))

    with pytest.raises(TypeError, match="top_k"):
        model.chat(ASK, top_k=3)  # type: ignore[call-arg]
