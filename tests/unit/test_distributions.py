"""The two integrations are distributions of their own, named as their frameworks' users expect."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMED = {
    "langchain": ("langchain-lecmux", "langchain_lecmux", "langchain-core"),
    "llama-index": ("llama-index-llms-lecmux", "llama_index/llms/lecmux", "llama-index-core"),
}


def _project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return project


@pytest.mark.parametrize("framework", NAMED)
def test_an_integration_is_a_typed_distribution_with_its_frameworks_naming(framework: str) -> None:
    home = ROOT / "integrations" / framework
    name, package, core = NAMED[framework]
    project = _project(home)

    assert project["name"] == name
    assert (home / package / "py.typed").exists()
    assert (home / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    (pinned,) = (each for each in project["dependencies"] if each.startswith(core))
    assert ">=" in pinned, "a floor"
    assert ",<" in pinned, "and a ceiling"
    assert project["requires-python"] == _project(ROOT)["requires-python"]


@pytest.mark.parametrize("framework", NAMED)
def test_an_extra_of_lecmux_names_it(framework: str) -> None:
    assert _project(ROOT)["optional-dependencies"][framework] == [NAMED[framework][0]]
