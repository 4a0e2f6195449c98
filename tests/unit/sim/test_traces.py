"""The laws: what they draw, and that a seed is a stream."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="traces are numpy arrays")

from lecmux.errors import ConfigError  # noqa: E402  after the check for numpy
from lecmux.sim.traces import (  # noqa: E402
    Trace,
    cascade_cost,
    drift,
    lambada,
    many_models,
    notebook,
    oasst,
    power_law,
    sized,
    synthetic,
    zipf_law,
)
from lecmux.sim.traces.lambada import OPT_1_3B, OPT_13B  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "golden" / "lec"
SEEDS = json.loads((GOLDEN / "seeds.json").read_text())
VECTORS = json.loads((GOLDEN / "vectors.json").read_text())
LAWS: dict[str, Callable[[int], Trace]] = {
    "synthetic": lambda seed: synthetic(seed, alpha=0.8, ratio=100),
    "notebook": notebook,
    "lambada": lambda seed: lambada(seed, alpha=0.8),
    "oasst": lambda seed: oasst(seed, alpha=0.5),
    "drift": lambda seed: drift(seed, every=100, requests=1000),
    "sized": lambda seed: sized(seed, requests=1000),
    "many_models": lambda seed: many_models(seed, queries=50, requests=1000, zipf=1.0),
}


@pytest.mark.parametrize("row", SEEDS, ids=lambda row: f"{row['alpha']}-{row['ratio']}-{row['seed']}")
def test_the_synthetic_law_is_the_published_one(row: dict[str, Any]) -> None:
    trace = synthetic(row["seed"], alpha=row["alpha"], ratio=row["ratio"])

    assert trace.queries[:10].tolist() == row["first10"]
    assert trace.costs[0] == pytest.approx(row["c0"], abs=5e-7)
    assert trace.counts().tolist() == row["counts"]
    assert trace.costs.min(axis=1).sum() == pytest.approx(row["sum_min"], abs=5e-4)


@pytest.mark.parametrize("alpha", VECTORS["power_law"])
def test_power_law(alpha: str) -> None:
    assert power_law(4, float(alpha)) == pytest.approx(VECTORS["power_law"][alpha], abs=5e-7)


@pytest.mark.parametrize("law", LAWS)
def test_a_seed_is_a_stream(law: str) -> None:
    first, again, other = (LAWS[law](seed) for seed in (7, 7, 8))

    assert np.array_equal(first.queries, again.queries)
    assert np.array_equal(first.costs, again.costs)
    assert not np.array_equal(first.queries, other.queries)


@pytest.mark.parametrize("law", LAWS)
def test_each_law_draws_what_can_be_replayed(law: str) -> None:
    trace = LAWS[law](0)

    assert trace.costs.shape == (trace.requests, trace.models)
    assert trace.costs.min() >= 0
    assert trace.queries.dtype == np.int64
    if trace.means is not None:
        assert trace.mean_costs()[trace.counts() > 200] == pytest.approx(
            trace.means[trace.counts() > 200], rel=0.25
        )


@pytest.mark.parametrize("length", VECTORS["flops_tera"])
def test_flops_of_a_forward_pass(length: str) -> None:
    tokens = np.array([float(length.removeprefix("s="))])

    found = [float(model.forward_tera(tokens)[0]) for model in (OPT_1_3B, OPT_13B)]

    assert found == pytest.approx(VECTORS["flops_tera"][length], rel=1e-12)


@pytest.mark.parametrize("row", VECTORS["cascade"])
def test_a_failed_cascade_pays_twice_the_large_model(row: dict[str, float]) -> None:
    small, large, right = (np.array([row[name]]) for name in ("cs", "cl", "ok"))

    cost = cascade_cost(small, large, right.astype(bool))

    assert cost.tolist() == [row["cas"]]
    assert np.minimum(cost, large).tolist() == [row["opt"]]


@pytest.mark.parametrize("law", ["lambada", "oasst"])
def test_the_small_model_gets_half_of_the_prompts_right(law: str) -> None:
    trace = LAWS[law](3)
    assert trace.success is not None

    right = trace.success[:, 0]

    # Right answers cost the small model's price; wrong ones more than twice the large model's.
    assert (trace.costs[~right, 0] > 2 * trace.costs[~right, 1]).all()
    wrong = np.unique(trace.queries[~right])
    assert len(wrong) == pytest.approx(50, abs=1)  # a rare one may not be asked
    assert np.isin(trace.queries, wrong).tolist() == (~right).tolist()


def test_the_two_sizes_of_lambada_differ_about_tenfold() -> None:
    trace = lambada(0, alpha=0.2)
    assert trace.success is not None

    ratio = (trace.costs[:, 1] / trace.costs[:, 0])[trace.success[:, 0]]

    assert ratio == pytest.approx(10.4, rel=0.02)


def test_drift_deals_all_of_the_popularity_anew() -> None:
    trace = drift(0, every=20_000)

    before, after = (np.bincount(part, minlength=200) for part in np.split(trace.queries, 2))

    assert len(set(np.argsort(before)[-20:]) & set(np.argsort(after)[-20:])) < 10
    assert sorted(before)[-1] == pytest.approx(20_000 * zipf_law(200, 0.9)[0], rel=0.1)


def test_an_answer_has_one_size_at_each_request() -> None:
    trace = sized(0)
    assert trace.sizes is not None

    sizes = {(int(query), int(size)) for query, size in zip(trace.queries, trace.sizes, strict=True)}

    assert len(sizes) == len(np.unique(trace.queries))


def test_the_prior_of_many_models_knows_more_with_less_noise() -> None:
    def error(noise: float) -> float:
        trace = many_models(0, queries=2000, requests=10, zipf=1.0, noise=noise)
        assert trace.prior is not None
        assert trace.means is not None
        return float(np.abs(trace.prior - trace.means).mean())

    assert error(0.5) < error(1.5) < error(10.0)


@pytest.mark.parametrize(
    "arrays",
    [
        {"costs": np.ones(3)},
        {"costs": np.ones((2, 1))},
        {"sizes": np.ones(2, np.int64)},
        {"means": np.ones((2, 2))},
        {"means": np.ones((2, 1))},  # and a query 2
        {"popularity": np.ones(4), "means": np.ones((3, 1))},
    ],
)
def test_arrays_that_do_not_fit_together(arrays: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Trace(**{"queries": np.arange(3), "costs": np.ones((3, 1)), **arrays})
