"""What was saved against everything to the best model, and where the prices come from."""

import json
import tempfile
from datetime import date
from pathlib import Path

from lecmux import Cache, Price, Query, Reply, Router, Usage
from lecmux.costs import PriceHistory, PriceList
from lecmux.state import StateFile, read

# Prices of your own stand before those of the package genai-prices (`lecmux[prices]`), which knows most APIs.
known = PriceList(
    {
        "local": Price.from_watts(65, usd_per_kilowatt_hour=0.30),
        "api": PriceHistory.of({date(2026, 1, 1): Price(3.0, 15.0), date(2026, 12, 1): Price(2.0, 10.0)}),
    }
)
prices = known.prices({"small": "local", "large": "api"})
models = {
    "small": lambda query: Reply("Paris", Usage(input_tokens=300, output_tokens=120, seconds=1.5)),
    "large": lambda query: Reply("Paris.", Usage(input_tokens=300, output_tokens=150, seconds=2.5)),
}

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "answers.lecmux"
    router = Router(["small", "large"], prices=prices, price_of_wrong_usd=0.01)
    cache = Cache(capacity_bytes=1_000_000)
    with StateFile(path, cache=cache, router=router):
        for number in range(12):
            query = Query(f"Question {number % 4}", scope=("sales", "support")[number % 2])
            answer = cache.answer(query, models=models, router=router)
            cache.observe(answer.decision.id, quality=1.0)
    report = read(path).report()  # from the file: the sums go on after a restart

print(report)
print(json.dumps(report.as_json()["total"], indent=2))
