"""What a RouterLLM spends and saves, and where that is kept."""

from pathlib import Path
from typing import Any

import pytest
from scripted_llm import ScriptedLLM

from lecmux import Price
from llama_index.llms.lecmux import RouterLLM

PRICES = {"small": Price(usd_per_request=0.001), "large": Price(usd_per_request=0.010)}
NANO = 1_000_000


def _router(path: Path | None = None, **settings: Any) -> RouterLLM:
    return RouterLLM(models={name: ScriptedLLM() for name in PRICES}, prices=PRICES, path=path, **settings)


@pytest.mark.parametrize("cache", [None, False], ids=["cache", "no cache"])
def test_it_reports_against_everything_to_the_best_model(cache: Any) -> None:
    router = _router(cache=cache)

    for _ in range(3):
        router.complete("hello", lecmux_route="small")

    report, calls = router.report(), 3 if cache is False else 1
    assert report.baseline == "large"
    assert (report.total.calls, report.total.hits) == (calls, 3 - calls)
    assert report.total.spent == calls * NANO
    assert report.total.saved_by_hits == (3 - calls) * NANO
    assert report.total.saved_by_routing == 3 * 9 * NANO
    assert report.total.baseline == 3 * 10 * NANO


@pytest.mark.parametrize("cache", [None, False], ids=["cache", "no cache"])
def test_the_sums_survive_a_restart(tmp_path: Path, cache: Any) -> None:
    for _ in range(2):
        with _router(tmp_path / "state", cache=cache) as router:
            router.complete("hello", lecmux_route="small")

    total = router.report().total
    assert total.calls + total.hits == 2
    assert total.spent == total.calls * NANO == (2 if cache is False else 1) * NANO
