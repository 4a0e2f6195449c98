"""A question that was never asked is sent to the right model, by what other questions taught."""

from lecmux import Cache, Query, Reply, Router, Usage
from lecmux.routers import Multiplexer

MODELS = {
    "small": lambda query: Reply("a guess", Usage(seconds=0.1)),
    "large": lambda query: Reply("an answer", Usage(seconds=0.5)),
}


def quality(query: Query, model: str | None) -> float:
    """Stands for a test or a thumb: the small model cannot reckon."""
    return 0.0 if model == "small" and "+" in query.text else 1.0


multiplexer = Multiplexer()
router = Router(list(MODELS), price_of_wrong_seconds=3.0, multiplexer=multiplexer)
cache = Cache(capacity_bytes=1_000_000)

for number in range(60):
    for text in (f"What is {number} + {number * 7}?", f"Who wrote the {number}th book on the shelf?"):
        answer = cache.answer(text, models=MODELS, router=router)
        router.observe(answer.decision.id, quality=quality(Query(text), answer.decision.model))

for text in ("What is 81 + 13?", "Who wrote the book on the table?"):
    decision = cache.answer(text, models=MODELS, router=router).decision
    expected = ", ".join(f"{model} {seconds:.2f} s" for model, seconds in decision.prior.items())
    print(f"{text} -> {decision.model} (expected: {expected})")
print("labels", multiplexer.labels, "variance explained", [round(skill, 2) for skill in multiplexer.skills])
