"""How eagerly to look."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.looks import Looks


def test_a_price_of_looks_pays_and_half_the_forecast_pays_more() -> None:
    samples = Looks().run(8).samples

    def total(stream: str, rule: str) -> float:
        return sum(next(values for name, values in samples.items() if name.startswith(f"{stream}: {rule}")))

    for stream in ("0.5 / 100", "0.8 / 100", "notebook", "tail, 2,000", "tail, 20,000"):
        assert total(stream, "LEC-V") < total(stream, "every model looked at")
    for stream in ("0.5 / 100", "0.8 / 100", "notebook"):
        assert total(stream, "default estimator, forecast 0.5") < total(
            stream, "default estimator, forecast 1"
        )
