"""Hooks of your own: what may be stored, for how long, and how right an answer was."""

from lecmux import Cache, Hooks, Price, Query, Reply, Router
from lecmux.testing import ScriptedModel

WEATHER, SUM = "What is the weather today?", "What is 17 * 23?"


def ttl(query: Query, reply: Reply) -> float | None:
    """Answers about today live for a minute; None leaves the others to the default."""
    return 60.0 if "today" in query.text else None


def admit(query: Query, reply: Reply) -> bool | None:
    """An apology is not worth a place."""
    return False if "sorry" in reply.value.lower() else None


def quality(query: Query, reply: Reply) -> float | None:
    """Sums can be checked at once, and an apology is no answer; None says that nobody knows."""
    if "sorry" in reply.value.lower():
        return 0.0
    return float("391" in reply.value) if query.text == SUM else None


cache = Cache(capacity_bytes=1_000_000, hooks=Hooks(ttl=ttl, admit=admit, quality=quality))
models = {
    "small": ScriptedModel({WEATHER: "I am sorry, I cannot know.", SUM: "It is 401."}),
    "large": ScriptedModel({WEATHER: "Sunny.", SUM: "It is 391."}),
}
router = Router(
    list(models),
    prices={
        "small": Price(input_usd_per_million=0.1, output_usd_per_million=0.4),
        "large": Price(input_usd_per_million=1.0, output_usd_per_million=4.0),
    },
    price_of_wrong_usd=0.01,
)
for text in (WEATHER, SUM, WEATHER, SUM, WEATHER, SUM):
    answer = cache.answer(text, models=models, router=router)
    print(f"{answer.decision.kind:5}{answer.decision.model or '':7}{answer.decision.reason:14}{answer.value}")
