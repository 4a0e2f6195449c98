"""Look before you trust: what would be saved, in shadow; then a cascade, and what happens on a bad day."""

from lecmux import Cache, Cascade, Price, Query, Reply, Router, Usage

QUESTIONS = ["2 + 2?", "Capital of France?", "2 + 2?", "Prove it.", "Capital of France?", "2 + 2?"]
SMALL = {"2 + 2?": "4", "Capital of France?": "Paris"}


def small(query: Query) -> Reply:
    """Knows a little, and says so."""
    return Reply(SMALL.get(query.text, "I do not know"), Usage(12, 3, 0.2))


def large(query: Query) -> Reply:
    """Knows everything, for ten times the price."""
    return Reply(SMALL.get(query.text, "By induction."), Usage(12, 8, 1.0))


def down(query: Query) -> Reply:
    """As `small`, on a bad day."""
    raise ConnectionError("no route to host")


def sure(request: Query, reply: Reply) -> bool:
    """Whether the small model's answer is good enough."""
    return "not know" not in reply.value


prices = {"small": Price(100, 400), "large": Price(1_000, 4_000)}
models = {"small": small, "large": large}

with Cache(capacity_bytes=1_000_000) as cache:
    router = Router(["small", "large"], prices=prices)
    for question in QUESTIONS:
        cache.answer(question, models=models, router=router, shadow=True)
    stats = cache.stats()
    print(f"in shadow: {stats.spent_usd:.3f} USD spent, of which {stats.would_save_usd:.3f} could be saved")

with Cache(capacity_bytes=1_000_000) as cache:
    router = Router(["small", "large"], prices=prices, arms=[Cascade("small", "large", check=sure)])
    for question in QUESTIONS:
        decision = cache.answer(question, models=models, router=router, route="small then large").decision
        print(f"{question:20} {decision.kind:5} {decision.model:6} {decision.cost or 0:.4f} USD")
    print(f"with a cascade: {cache.stats().spent_usd:.3f} USD")

    bad_day = {"small": down, "large": large}
    decision = cache.answer("2 + 3?", models=bad_day, router=router, route="small then large").decision
    print(f"{decision.model} answers, since {decision.failed[0]} failed")
