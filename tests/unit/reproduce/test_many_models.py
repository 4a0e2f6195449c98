"""Four models and a long tail."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.many_models import ManyModels


def test_the_default_beats_every_single_model_and_hoeffding_beats_none() -> None:
    results = ManyModels().run(2)

    assert all(check.holds for check in results.checks)
    for stream in ("Q = 2,000", "Q = 20,000"):
        of = {name: sample for name, sample in results.samples.items() if stream in name}
        large = next(sample for name, sample in of.items() if name.startswith("always the largest"))
        default = next(sample for name, sample in of.items() if name.startswith("default"))
        hoeffding = next(sample for name, sample in of.items() if name.startswith("Hoeffding"))
        assert all(1 < ours < 0.8 * one for ours, one in zip(default, large, strict=True))
        assert all(bound > one for bound, one in zip(hoeffding, large, strict=True))
