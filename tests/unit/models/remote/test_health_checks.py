"""An endpoint of one's own that cools down is asked for its health, and tried as soon as it is well."""

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lecmux.errors import ConfigError, ModelError
from lecmux.models import Cooldown, OpenAICompatible, Retries, Timeouts
from lecmux.testing import FakeClock, Refuse

ASK = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = b"""{"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"},
"finish_reason": "stop"}]}"""


class Engine(http.server.ThreadingHTTPServer):
    """A server that can be ill, and says how it is."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.ill = True
        self.page_status: int | None = None
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Answers(http.server.BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self.server.keys.append(self.headers.get("Authorization"))
        self._say(self.server.page_status or (503 if self.server.ill else 200), b"")
        self.server.paths.append(self.path)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append("asked")
        if self.server.ill:
            self._say(500, b"{}")
        else:
            self._say(200, ANSWER)

    def log_message(self, *_: object) -> None: ...

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine() -> Iterator[Engine]:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    made = Engine()
    yield made
    made.shutdown()
    made.server_close()


def client(engine: Engine, *, check_seconds: float = 0.02, **settings: Any) -> OpenAICompatible:
    return OpenAICompatible(
        "m",
        base_url=f"http://127.0.0.1:{engine.server_port}/v1",
        timeouts=Timeouts(connect_seconds=20),
        retries=Retries(times=0),
        cooldown=Cooldown(failures=1, first_seconds=1000, longest_seconds=1000, check_seconds=check_seconds),
        clock=FakeClock(),
        **settings,
    )


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


def waited_for(engine: Engine, path: str, count: int = 1) -> None:
    wait_until(lambda: engine.paths.count(path) >= count)


def test_an_endpoint_that_is_well_again_is_tried_before_its_cooldown_ends(engine: Engine) -> None:
    with client(engine) as model:
        with pytest.raises(ModelError):
            model.chat(ASK)
        waited_for(engine, "/health", 2)
        health = model._remote._lanes[0].health
        assert not health.admits(0.0), "it said that it is ill"

        engine.ill = False
        wait_until(lambda: health.admits(0.0))

        assert model.chat(ASK).value == "Paris"


def test_a_healthy_endpoint_is_not_asked_how_it_is(engine: Engine) -> None:
    engine.ill = False
    with client(engine) as model:
        model.chat(ASK)
        threading.Event().wait(0.2)

    assert engine.paths == ["asked"]


@pytest.mark.parametrize("status", [404, 401, 405])
def test_an_endpoint_without_such_a_page_is_asked_once(engine: Engine, status: int) -> None:
    engine.page_status = status
    with client(engine) as model:
        with pytest.raises(ModelError):
            model.chat(ASK)
        waited_for(engine, "/health")
        with pytest.raises(ModelError):
            model.chat(ASK)
        threading.Event().wait(0.2)

        assert not model._remote._lanes[0].health.admits(0.0)

    assert engine.paths.count("/health") == 1


def test_closing_the_model_ends_the_checks(engine: Engine) -> None:
    model = client(engine)
    with pytest.raises(ModelError):
        model.chat(ASK)
    waited_for(engine, "/health")
    model.close()
    asked = engine.paths.count("/health")
    threading.Event().wait(0.2)

    assert engine.paths.count("/health") <= asked + 1


def test_checks_can_be_switched_off(engine: Engine) -> None:
    with client(engine, check_seconds=0.0) as model:
        with pytest.raises(ModelError):
            model.chat(ASK)
        threading.Event().wait(0.2)

    assert "/health" not in engine.paths


@pytest.mark.parametrize("api_key", [None, "sk-1"])
def test_a_check_brings_the_key_of_the_endpoint_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, api_key: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    with client(engine, api_key=api_key) as model:
        with pytest.raises(ModelError):
            model.chat(ASK)
        waited_for(engine, "/health")

    assert set(engine.keys) == {api_key and f"Bearer {api_key}"}


def test_an_endpoint_that_asked_to_be_left_alone_is_left_alone(remotes: Any) -> None:
    served = remotes.serve(Refuse(429))
    with remotes.ask(served, retries=Retries(times=0), cooldown=Cooldown(check_seconds=0.02)) as model:
        with pytest.raises(ModelError):
            model.chat(ASK)

        assert not model._remote._lanes[0].health.cools_down


def test_an_interval_that_cannot_work_is_refused() -> None:
    with pytest.raises(ConfigError, match="check_seconds"):
        Cooldown(check_seconds=-1)
