"""The public surface is what `__all__` says, and all of it is documented."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import lecmux

PUBLIC_MODULES = [
    "lecmux",
    "lecmux.cache",
    "lecmux.call_ids",
    "lecmux.costs",
    "lecmux.embedders",
    "lecmux.erase",
    "lecmux.errors",
    "lecmux.event_log",
    "lecmux.events",
    "lecmux.explain",
    "lecmux.facts",
    "lecmux.flow",
    "lecmux.hooks",
    "lecmux.named_hooks",
    "lecmux.normaliser",
    "lecmux.key_text",
    "lecmux.policies",
    "lecmux.query",
    "lecmux.report",
    "lecmux.routers",
    "lecmux.state",
    "lecmux.stats",
    "lecmux.tagged",
    "lecmux.testing",
    "lecmux.testing.contracts",
    "lecmux.values",
]
NAMES = [(module, name) for module in PUBLIC_MODULES for name in importlib.import_module(module).__all__]


def _public(module: ModuleType) -> set[str]:
    """Names without an underscore that are no modules."""
    found = vars(module).items()
    return {name for name, value in found if not name.startswith("_") and not inspect.ismodule(value)}


def test_all_equals_the_exports_of_the_package() -> None:
    assert sorted(lecmux.__all__) == sorted(_public(lecmux))


def test_the_top_level_stays_small() -> None:
    assert len(lecmux.__all__) <= 30


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_all_has_no_repeats(module: str) -> None:
    names = importlib.import_module(module).__all__

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_public_name_is_there_and_documented(module: str, name: str) -> None:
    thing = getattr(importlib.import_module(module), name)

    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing), f"{module}.{name} has no docstring"


@pytest.mark.parametrize("kind", [lecmux.Cache, lecmux.AsyncCache, lecmux.Router, lecmux.Price])
def test_each_public_method_is_documented(kind: type) -> None:
    public = {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}

    undocumented = [name for name, thing in public.items() if callable(thing) and not inspect.getdoc(thing)]

    assert not undocumented


@pytest.mark.parametrize("package", ["costs", "policies", "routers", "testing"])
def test_each_module_says_what_it_is(package: str) -> None:
    parent = importlib.import_module(f"lecmux.{package}")

    for module in pkgutil.iter_modules(parent.__path__, f"{parent.__name__}."):
        assert inspect.getdoc(importlib.import_module(module.name)), module.name
