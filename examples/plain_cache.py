"""The cache alone: strings in, strings out, within a budget of bytes."""

import tempfile
from pathlib import Path

from lecmux import Cache

cache = Cache(capacity_bytes=1_000_000)
cache.put("What is the capital of France?", "Paris", cost_usd=0.0004)
cache.put("Summarise chapter 3.", {"summary": "It rains.", "pages": 12}, cost_usd=0.02, ttl_seconds=3600)
cache.put("What is on my calendar?", "A walk.", cost_usd=0.001, scope="alice")

print(cache.get("What is the capital of France?"))
print(cache.get("Summarise chapter 3."))
print("another tenant sees", cache.get("What is on my calendar?", scope="bob"))

with tempfile.TemporaryDirectory() as folder:
    cache.save(Path(folder) / "answers.lecmux")
    again = Cache.load(Path(folder) / "answers.lecmux")
print(len(again), "entries after a restart")
