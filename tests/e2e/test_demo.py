"""Thirty requests over the two real models, as a user would start them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import pull

pytestmark = pytest.mark.model

FIGURES = {
    "usd", "wrong_usd", "seconds", "right", "hits", "requests",
    "semantic_hits", "wrong_semantic_hits", "misled_semantic_hits", "semantic_saved_usd",
}  # fmt: skip
STRATEGIES = {
    "lecmux",
    "lecmux_multiplexer",
    "lecmux_exact",
    "always_large",
    "lfu_large",
    "lru_large",
    "lfu_small",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    for extra in ("xllamacpp", "typer", "rich", "matplotlib", "langchain_lecmux"):
        pytest.importorskip(extra)
    try:
        pull("small")
        pull("large")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the models cannot be fetched here: {error}")
    picture = tmp_path_factory.mktemp("demo") / "demo.png"
    program = "from lecmux.cli import main; main()"
    options = ["--json", "--requests", "30", "--replay", "1", "--png", str(picture)]
    command = [sys.executable, "-c", program, "demo", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    return done, picture


def test_stdout_holds_one_object_and_nothing_else(
    demo: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, picture = demo

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() == {"questions", "strategies", "replay"}
    assert told["strategies"].keys() == STRATEGIES
    assert told["replay"].keys() == STRATEGIES | {
        "losing_streams",
        "prior_against_none",
        "semantic_against_exact",
    }
    assert all(figures.keys() == FIGURES for figures in told["strategies"].values())
    assert "serving requests: 30/30" in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_questions_tell_the_models_apart(demo: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    shares = json.loads(demo[0].stdout)["questions"]

    assert shares["count"] >= 60
    assert 0.40 <= shares["right_small"] <= 0.60
    assert 0.70 <= shares["right_large"] <= 0.85
    assert shares["only_large"] >= 0.25


def test_the_figures_fit_together(demo: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    strategies = json.loads(demo[0].stdout)["strategies"]

    assert {figures["requests"] for figures in strategies.values()} == {30}
    assert strategies["always_large"]["hits"] == 0
    assert strategies["lfu_large"]["right"] == strategies["always_large"]["right"]
    assert 0 < strategies["lecmux"]["usd"] < strategies["always_large"]["usd"]
    assert all(0 <= figures["right"] <= 30 and figures["seconds"] > 0 for figures in strategies.values())
