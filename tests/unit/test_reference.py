"""The reference has every public name: what a module lists in `__all__` is on a page of `docs/reference`."""

import ast
import importlib
import inspect
import itertools
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "reference").glob("*.md"))
MODULES = [
    "lecmux",
    "lecmux.cache",
    "lecmux.call_ids",
    "lecmux.costs",
    "lecmux.costs.history",
    "lecmux.embedders",
    "lecmux.erase",
    "lecmux.errors",
    "lecmux.event_log",
    "lecmux.events",
    "lecmux.explain",
    "lecmux.facts",
    "lecmux.flow",
    "lecmux.hooks",
    "lecmux.key_text",
    "lecmux.models",
    "lecmux.named_hooks",
    "lecmux.normaliser",
    "lecmux.policies",
    "lecmux.query",
    "lecmux.reproduce",
    "lecmux.report",
    "lecmux.routers",
    "lecmux.salient",
    "lecmux.sim",
    "lecmux.sim.traces",
    "lecmux.state",
    "lecmux.stats",
    "lecmux.tagged",
    "lecmux.testing",
    "lecmux.testing.contracts",
    "lecmux.values",
    "langchain_lecmux",
    "llama_index.llms.lecmux",
]
_ENTRY = re.compile(
    r"^\.\. auto(?P<kind>module|class|function):: (?P<name>[\w.]+)(?P<options>(?:\n   :.*)*)", re.MULTILINE
)


def _thing(name: str) -> Any:
    """What a dotted name leads to: a module, or something in one."""
    try:
        return importlib.import_module(name)
    except ImportError:
        module, _, last = name.rpartition(".")
        return getattr(importlib.import_module(module), last)


def _described(module: ModuleType) -> set[str]:
    """Module-level names with a text below them: the only ones, beside classes and functions, that show."""
    body = ast.parse(inspect.getsource(module)).body
    return {
        target.id
        for line, below in itertools.pairwise(body)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        for target in (line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)])
        if isinstance(target, ast.Name)
    }


def _of_module(module: ModuleType, left_out: set[str]) -> list[Any]:
    listed = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    things = {name: getattr(module, name) for name in listed if name not in left_out}
    described = _described(module)
    return [
        thing
        for name, thing in things.items()
        if inspect.isclass(thing) or inspect.isfunction(thing) or name in described
    ]


def _documented() -> list[Any]:
    """Each object that the pages show."""
    shown: list[Any] = []
    for page in PAGES:
        for entry in _ENTRY.finditer(page.read_text()):
            thing = _thing(entry["name"])
            if entry["kind"] == "module":
                left_out = re.findall(r":exclude-members:(.*)", entry["options"])
                shown += _of_module(thing, set(re.findall(r"\w+", " ".join(left_out))))
            else:
                shown.append(thing)
    return shown


@pytest.fixture(scope="module")
def documented() -> list[Any]:
    return _documented()


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_is_in_the_reference(module: str, documented: list[Any]) -> None:
    home = importlib.import_module(module)
    kept = {id(thing) for thing in documented}

    missing = [name for name in home.__all__ if id(getattr(home, name)) not in kept]

    assert not missing, f"{module}: no page of docs/reference has {missing}"


def test_a_constant_without_a_text_is_not_shown() -> None:
    module = importlib.import_module("lecmux.costs.ledger")

    assert "NANO" in _described(module)
    assert "_MOST_LINES" not in _described(module)
