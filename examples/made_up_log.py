"""Makes up the log of a help desk for `lecmux simulate`: `python examples/made_up_log.py [FILE]`."""

import csv
import random
import sys
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

REQUESTS, QUESTIONS, DAYS = 20_000, 3_000, 30
INPUT_USD, OUTPUT_USD = {"small": 0.25e-6, "large": 2.5e-6}, {"small": 1.0e-6, "large": 10.0e-6}
WRONG_USD = 0.004  # what a wrong answer costs the desk, however it came about

draw = random.Random(7)
path = Path(sys.argv[1] if len(sys.argv) > 1 else "log.csv")
questions = [
    {
        "input_tokens": int(draw.lognormvariate(6, 0.8)) + 20,
        "output_tokens": int(draw.lognormvariate(5, 0.9)) + 5,
        "wrong": {"small": draw.random() ** 2, "large": 0.05},
    }
    for _ in range(QUESTIONS)
]
popularity = list(accumulate(1 / (rank + 1) ** 0.9 for rank in range(QUESTIONS)))
moments = sorted(draw.uniform(0, DAYS * 86_400) for _ in range(REQUESTS))
start = datetime(2026, 10, 1, tzinfo=UTC)

with path.open("w", newline="", encoding="utf-8") as file:
    log = csv.writer(file)
    log.writerow(["asked_at", "query", "answer_bytes", "cost_small", "cost_large"])
    for moment in moments:
        number = draw.choices(range(QUESTIONS), cum_weights=popularity)[0]
        question = questions[number]
        costs = [
            question["input_tokens"] * INPUT_USD[model]
            + question["output_tokens"] * OUTPUT_USD[model]
            + WRONG_USD * (draw.random() < question["wrong"][model])
            for model in ("small", "large")
        ]
        asked_at = (start + timedelta(seconds=moment)).isoformat(timespec="seconds")
        size = 4 * question["output_tokens"]
        log.writerow([asked_at, f"question {number}", size, *(f"{cost:.8f}" for cost in costs)])

print(f"{path}: {REQUESTS:,} requests")
