"""`lecmux stats` and `lecmux explain` on files that real caches and routers wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lecmux import Cache, Price, Query, Router
from lecmux.state import StateFile
from lecmux.testing import ScriptedModel

pytest.importorskip("typer")
pytest.importorskip("rich")

PRICES = {"small": Price(usd_per_second=0.001), "large": Price(usd_per_second=0.01)}


def lecmux(*arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lecmux.cli import main; main()", *map(str, arguments)]
    before = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{before}" if path else before}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    cache, router = Cache(1_000_000), Router(list(PRICES), prices=PRICES)
    models = {name: ScriptedModel(default=f"of {name}", seconds=2.0) for name in PRICES}
    with StateFile(tmp_path / "state", cache=cache, router=router):
        cache.answer(Query("What is RAM?", scope="ada"), models=models, router=router, route="small")
        cache.answer(Query("What is RAM?", scope="ada"), models=models, router=router)
    return tmp_path / "state"


def told(*arguments: object, path: Path | None = None) -> Any:
    done = lecmux(*arguments, "--json", path=path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_stats_of_a_state_file(saved: Path) -> None:
    before = saved.read_bytes()
    record = told("stats", saved)
    text = lecmux("stats", saved).stdout

    assert record["cache"]["entries"] == 1
    assert record["report"]["total"]["spent_usd"] == 0.002
    assert record["report"]["total"]["hits"] == 1
    assert record["router"] == {"models": ["small", "large"], "unit": "usd", "queries": 1}
    assert "capacity_bytes      1,000,000" in text
    assert "models              small, large" in text
    assert saved.read_bytes() == before


def test_explain_on_a_state_file(saved: Path) -> None:
    before = saved.read_bytes()
    hit = told("explain", saved, "What is RAM?", "--scope", "ada")
    miss = lecmux("explain", saved, "What is RAM?")

    assert (hit["outcome"], hit["why"], hit["model"]) == ("hit", "exact", "small")
    assert hit["key"] == {"text": "What is RAM?", "scope": "ada", "fingerprint": ""}
    assert hit["models"]["small"]["mean"] == 0.002
    assert miss.stdout.startswith("call: no answer is stored under this key\nkey: 'What is RAM?'")
    assert saved.read_bytes() == before


def test_hooks_by_name_make_the_key(saved: Path, tmp_path: Path) -> None:
    about = tmp_path / "acme-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[lecmux.hooks]\nacme = acme_caching:hooks\n")
    (tmp_path / "acme_caching.py").write_text(
        "from lecmux import Hooks\nhooks = Hooks(scope=lambda query: 'ada')\n"
    )

    assert told("explain", saved, "What is RAM?", "--hooks", "acme", path=tmp_path)["outcome"] == "hit"


def test_a_file_of_a_router_alone(tmp_path: Path) -> None:
    Router(list(PRICES), prices=PRICES).save(tmp_path / "router")

    assert told("stats", tmp_path / "router")["router"]["queries"] == 0
    done = lecmux("explain", tmp_path / "router", "q")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no cache" in done.stderr


@pytest.mark.parametrize("command", [("stats",), ("explain", "q")])
def test_a_file_that_cannot_be_used_is_one_message(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "foreign").write_bytes(b"not ours")
    for name, word in (("foreign", "foreign"), ("missing", "cannot be read")):
        done = lecmux(command[0], tmp_path / name, *command[1:])

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("lecmux: ")
        assert word in done.stderr
        assert "Traceback" not in done.stderr


def test_hooks_that_are_not_there_are_one_message(saved: Path) -> None:
    done = lecmux("explain", saved, "q", "--hooks", "none-such")

    assert done.returncode == 1
    assert "none-such" in done.stderr
