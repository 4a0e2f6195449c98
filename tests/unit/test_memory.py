"""What the budget bounds is what the process grows by: measured from outside, over many turnovers."""

import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1024 * 1024
BUDGET = 8 * MIB

# 20,000 questions fill the budget, the router's table and the list of decisions that may still be judged; as
# many again must add next to nothing. One that stayed would show: 200 bytes of each come to the limit.
PROGRAM = """
import gc, resource
from lecmux import Cache, Price, Reply, Router, Usage

cache = Cache({budget})
prices = {{"small": Price(0.1, 0.4), "large": Price(1.0, 4.0)}}
router = Router(["small", "large"], prices=prices, price_of_wrong_usd=0.01, max_keys=2_000)

def model(query):
    return Reply(query.text * 20, Usage(input_tokens=10, output_tokens=20, seconds=0.1))

def resident():
    gc.collect()
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * resource.getpagesize()

def ask(first, last):
    for number in range(first, last):
        text = f"question {{number:08d}} of a stream that never asks the same again"
        done = cache.answer(text, models={{"small": model, "large": model}}, router=router)
        router.observe(done.decision.id, quality=number % 2)
        cache.put(f"by hand {{number}}", text * 20)

before = resident()
ask(0, 20_000)
filled = resident()
ask(20_000, 40_000)
print(filled - before, resident() - filled, len(cache), cache.stats().evicted)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the resident set from /proc")
def test_the_process_does_not_grow_with_what_it_was_asked() -> None:
    command = [sys.executable, "-c", PROGRAM.format(budget=BUDGET)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    filled, grown, entries, evicted = map(int, done.stdout.split())
    assert filled < 10 * BUDGET
    assert grown < BUDGET / 2
    assert entries > 1_000
    assert evicted > entries, "the budget was turned over"
