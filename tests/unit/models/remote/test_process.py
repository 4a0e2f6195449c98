"""A remote model and its process: signals, forks, exits, and a package that is not installed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("openai", reason="needs lecmux[openai]")

from lecmux.errors import ModelError
from lecmux.models import OpenAICompatible, Timeouts
from lecmux.testing import Hang, ScriptedEndpoint

ASK = [{"role": "user", "content": "hello"}]
PATIENT = Timeouts(connect_seconds=20)


@pytest.fixture
def hanging() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint([Hang(2)]) as endpoint:
        yield endpoint


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A job in the background ignores interrupts, and what it starts inherits that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", ["chat", "stream"])
def test_an_interrupt_ends_the_wait_and_hangs_up(hanging: ScriptedEndpoint, way: str) -> None:
    def interrupt() -> None:
        while not hanging.requests:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    with OpenAICompatible("m", base_url=hanging.base_url, timeouts=PATIENT) as model:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            model.chat(ASK) if way == "chat" else list(model.stream(ASK))

        assert hanging.wait_for_hang_up()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_its_own_connections() -> None:
    with (
        ScriptedEndpoint(["one two three"]) as endpoint,
        OpenAICompatible("m", base_url=endpoint.base_url, timeouts=PATIENT) as model,
    ):
        assert model.chat(ASK).value == "one two three"  # leaves a connection that the child must not use
        stream = model.stream(ASK)
        assert next(stream) == "one "
        with model.stream(ASK) as other:  # leaves another
            assert list(other) == ["one ", "two ", "three"]

        child = os.fork()
        if child == 0:  # nothing of pytest may run here
            try:
                code = 0 if model.chat(ASK).value == "one two three" else 1
                try:
                    next(stream)
                    code |= 2
                except ModelError:
                    pass
                del stream
            except BaseException:
                code = 4
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert list(stream) == ["two ", "three"]
        assert model.chat(ASK).value == "one two three"


EXIT = """
import asyncio, sys
from lecmux.models import OpenAICompatible
model = OpenAICompatible("m", base_url=sys.argv[1])
ask = [{"role": "user", "content": "hello"}]
stream = model.stream(ask)
print(next(stream))
async def leave():
    left = model.astream(ask)
    print(await anext(left))
    asyncio.ensure_future(anext(left))
    await asyncio.sleep(0.05)
asyncio.run(leave())
"""


def test_a_program_ends_beside_streams_that_do_not(hanging: ScriptedEndpoint) -> None:
    done = _run(EXIT, hanging.base_url)

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["one", "one"], "")


MISSING = """
import sys
sys.modules["openai"] = None
from lecmux.errors import MissingExtraError
from lecmux.models import OpenAICompatible
try:
    OpenAICompatible("m", base_url="http://127.0.0.1:9/v1")
except MissingExtraError as error:
    print(error)
"""


def test_without_the_extra_the_error_names_it() -> None:
    assert "lecmux[openai]" in _run(MISSING).stdout


LIGHT = """
import sys
import lecmux.models, lecmux.testing
print([name for name in ("openai", "httpx2", "pydantic", "xllamacpp", "torch") if name in sys.modules])
"""


def test_the_sdk_is_loaded_at_first_use() -> None:
    assert _run(LIGHT).stdout.strip() == "[]"
