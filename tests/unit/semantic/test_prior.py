"""Where the weights that the pooled model starts from come from."""

import os
from pathlib import Path

import numpy as np
import pytest
from benches.prior import fit

from lecmux import _core
from lecmux.embedders import MiniLM, Static
from lecmux.errors import MissingExtraError


def test_weights_set_by_hand_are_what_the_script_says() -> None:
    names, means, deviations, alone = _core.shipped_prior()
    assert set(fit.HAND) <= set(names)
    assert {name: means[names.index(name)] for name in fit.HAND} == fit.HAND
    assert min(deviations) > 0
    assert alone == sorted(alone)


def test_a_fit_finds_the_weights_that_made_the_labels() -> None:
    draw = np.random.default_rng(1000)
    names, *_ = _core.shipped_prior()
    place = names.index("margin to the next")
    features = np.zeros((4000, len(names)))
    features[:, 0] = 1
    features[:, place] = draw.normal(size=4000)
    right = (draw.random(4000) < 1 / (1 + np.exp(-(0.5 + 2 * features[:, place])))).astype(float)
    found = fit.fitted(features, right, 1.0)
    assert found[[0, place]] == pytest.approx([0.5, 2.0], abs=0.2)
    assert found[names.index("negation")] == pytest.approx(fit.HAND["negation"], abs=1e-6)


def test_a_weight_that_is_not_the_fit_is_told() -> None:
    names, means, deviations, _ = _core.shipped_prior()
    assert fit.disagreements(means, means) == []
    hand, free = names.index("negation"), names.index("similarity")
    other = list(means)
    other[hand] += 0.1
    other[free] += 1.1 * deviations[free]
    assert [line.split(":")[0] for line in fit.disagreements(other, means)] == ["similarity", "negation"]


def test_a_lesson_is_a_candidate_and_whether_it_was_right() -> None:
    classed = [("red apples", "a"), ("red apples", "a"), ("the moon tonight", "b"), ("a red apple", "a")]
    features, right = fit.lessons(classed, Static(), [0, 1])
    assert features.shape == (2 * 3, len(_core.shipped_prior()[0]))
    assert set(right) <= {0.0, 1.0}
    assert right.sum() >= 2


def test_the_shipped_weights_are_near_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    if not (folder := os.environ.get("LECMUX_DATA")):
        pytest.skip("LECMUX_DATA is not set: no pairs to fit on")
    try:
        MiniLM()
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    assert Path(folder).is_dir()
    monkeypatch.setattr("sys.argv", ["fit", "--check"])
    with pytest.raises(SystemExit) as ended:
        fit.main()
    assert ended.value.code is None
