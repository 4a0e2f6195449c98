"""The wheels of `make wheel`, installed where there is no Rust and nothing else, hold what they should."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEELS = sorted((ROOT / "dist").glob("*.whl"))
UV = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".uv/bin"), os.environ.get("PATH", "")])) or ""
BASE = Path(getattr(sys, "_base_executable", sys.executable))

pytestmark = [
    pytest.mark.skipif(not WHEELS, reason="no wheels in dist/: `make wheel` builds them"),
    pytest.mark.skipif(not UV, reason="uv is not there: `make wheel` fetches it"),
]

ALONE = """
import lecmux
cache = lecmux.Cache(capacity_bytes=1_000_000)
first = cache.answer("What is 17 * 23?", models={"any": lambda query: "391"})
again = cache.answer("What is 17 * 23?", models={"any": lambda query: "never asked"})
print(first.decision.kind, again.decision.kind, again.value)
"""

LANGCHAIN = """
from langchain_core.language_models import FakeListChatModel
from langchain_lecmux import ChatRouter, LECCache
model = ChatRouter(models={"any": FakeListChatModel(responses=["391", "never asked"])}, cache=LECCache())
first, again = model.invoke("What is 17 * 23?"), model.invoke("What is 17 * 23?")
print(first.response_metadata["lecmux"]["kind"], again.response_metadata["lecmux"]["kind"], again.content)
"""

LLAMA_INDEX = """
from llama_index.core.llms import MockLLM
from llama_index.llms.lecmux import RouterLLM
model = RouterLLM(models={"any": MockLLM()})
first, again = model.complete("391"), model.complete("391")
print(first.additional_kwargs["lecmux"]["kind"], again.additional_kwargs["lecmux"]["kind"], again.text)
"""


def _uv(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs uv with the wheels at hand, no index, and nothing on the path that could build a wheel."""
    kept = {
        name: os.environ[name] for name in ("HOME", "UV_CACHE_DIR", "XDG_CACHE_HOME") if name in os.environ
    }
    return subprocess.run(
        [UV, *map(str, arguments)],
        cwd=ROOT,
        env={
            "PATH": "",
            "UV_OFFLINE": "1",
            "UV_NO_BUILD": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            **kept,
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _venv(folder: Path) -> Path:
    """An empty environment; its interpreter."""
    made = _uv("venv", "--python", BASE, folder)
    assert made.returncode == 0, made.stderr
    return folder / "bin" / "python"


def _run(python: Path, program: str) -> str:
    """What `program` prints, isolated from everything but its environment."""
    done = subprocess.run(
        [python, "-I", "-c", program],
        cwd=python.parent,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _inside(distribution: str) -> set[str]:
    [wheel] = [wheel for wheel in WHEELS if wheel.name.startswith(f"{distribution}-")]
    with zipfile.ZipFile(wheel) as box:
        assert box.testzip() is None
        return set(box.namelist())


@pytest.fixture(scope="module")
def framework_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the locked frameworks and the three wheels, which need nothing beyond."""
    folder = tmp_path_factory.mktemp("frameworks") / "venv"
    arguments = ["--extra", "langchain", "--extra", "llama-index", "--python", BASE]
    synced = _uv(
        "sync",
        "--frozen",
        "--no-dev",
        "--no-install-workspace",
        *arguments,
        UV_PROJECT_ENVIRONMENT=str(folder),
    )
    if synced.returncode != 0:
        pytest.skip(f"uv's cache does not hold the frameworks: {synced.stderr.strip()[-300:]}")
    python = folder / "bin" / "python"
    installed = _uv("pip", "install", "--no-index", "--no-deps", "--python", python, *WHEELS)
    assert installed.returncode == 0, installed.stderr
    checked = _uv("pip", "check", "--python", python)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return python


def test_lecmux_alone_serves_a_hit(tmp_path: Path) -> None:
    python = _venv(tmp_path / "venv")
    [wheel] = [wheel for wheel in WHEELS if wheel.name.startswith("lecmux-")]

    installed = _uv("pip", "install", "--no-index", "--python", python, wheel)

    assert installed.returncode == 0, installed.stderr
    assert _run(python, ALONE) == "call hit 391"


def test_langchain_serves_a_hit(framework_python: Path) -> None:
    assert _run(framework_python, LANGCHAIN) == "call hit 391"


def test_llama_index_serves_a_hit(framework_python: Path) -> None:
    assert _run(framework_python, LLAMA_INDEX) == "call hit 391"


def test_the_compiled_wheel_serves_every_python_from_3_11() -> None:
    [wheel] = [wheel.name for wheel in WHEELS if wheel.name.startswith("lecmux-")]

    assert "-cp311-abi3-" in wheel


def test_the_compiled_wheel_holds_its_types_licence_and_bill_of_materials() -> None:
    inside = _inside("lecmux")

    assert {"lecmux/py.typed", "lecmux/_core.pyi", "lecmux/_core.abi3.so"} <= inside
    assert any(".dist-info/licenses/LICENSE" in name for name in inside)
    assert any(".dist-info/sboms/" in name and name.endswith(".cyclonedx.json") for name in inside)


@pytest.mark.parametrize("distribution", ["lecmux", "langchain_lecmux", "llama_index_llms_lecmux"])
def test_a_wheel_holds_its_package_and_nothing_else(distribution: str) -> None:
    package = "llama_index/llms/lecmux" if distribution.startswith("llama") else distribution
    version = next(wheel.name.split("-")[1] for wheel in WHEELS)

    others = {
        name
        for name in _inside(distribution)
        if not name.startswith((f"{package}/", f"{distribution}-{version}.dist-info/"))
    }

    assert not others
    assert f"{package}/py.typed" in _inside(distribution)


def test_the_three_have_one_version() -> None:
    assert len(WHEELS) == 3
    assert len({wheel.name.split("-")[1] for wheel in WHEELS}) == 1
