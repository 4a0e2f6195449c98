"""Hooks of installed packages, found by name and not before."""

import sys
from pathlib import Path

import pytest

from lecmux import Cache, Hooks
from lecmux.errors import ConfigError
from lecmux.named_hooks import hooks_named, installed_hooks


def _install(folder: Path, name: str, points: str, code: str) -> None:
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[lecmux.hooks]\n{points}\n")
    (folder / f"{name}_hooks.py").write_text(code)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_an_object_or_a_maker_is_found_by_its_name(folder: Path) -> None:
    code = "from lecmux import Hooks\nmade = Hooks(ttl=lambda *_: 60.0)\ndef make():\n    return made\n"
    _install(folder, "one", "ready = one_hooks:made\nmaker = one_hooks:make", code)

    assert {"ready", "maker"} <= set(installed_hooks())
    assert "one_hooks" not in sys.modules
    assert isinstance(hooks_named("ready"), Hooks)
    assert hooks_named("maker") is hooks_named("ready")
    assert Cache(10_000, hooks=hooks_named("ready")).hooks.incidents == 0


def test_what_cannot_be_used_says_why(folder: Path) -> None:
    _install(folder, "two", "wrong = two_hooks:wrong\nclash = two_hooks:wrong", "wrong = 7\n")
    _install(folder, "three", "clash = three_hooks:other", "other = 8\n")

    with pytest.raises(ConfigError, match=r"must be a lecmux\.Hooks"):
        hooks_named("wrong")
    with pytest.raises(ConfigError, match="remove one"):
        hooks_named("clash")
    with pytest.raises(ConfigError, match=r"there are .*clash"):
        hooks_named("none")
