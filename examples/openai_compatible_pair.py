"""Two models behind OpenAI-compatible endpoints: a cheap one with a bad day, and a dear one."""

from lecmux import Cache, Price, Router
from lecmux.models import Endpoint, OpenAICompatible
from lecmux.testing import Drop, Refuse, ScriptedEndpoint

# Stand-ins on the loopback address. In real life these are the addresses of your servers.
first = ScriptedEndpoint([Refuse(429, "slow down", headers={"Retry-After": "30"}), "17 * 23 is 401."])
second = ScriptedEndpoint([Drop(2), "17 * 23 is 401."])
dear = ScriptedEndpoint(["17 * 23 is 391."], api_key="sk-dear")

small = OpenAICompatible(
    "qwen3-8b", base_url=first.base_url, fallbacks=[Endpoint(second.base_url)], name="small"
)
large = OpenAICompatible("big-1", base_url=dear.base_url, api_key="sk-dear", name="large")

prices = {"small": Price(0.05, 0.20), "large": Price(2.50, 10.00)}
router = Router(["small", "large"], prices=prices, price_of_wrong_usd=0.01)
cache = Cache(capacity_bytes=1_000_000)

with first, second, dear, small, large:
    for attempt in range(4):
        answer = cache.answer("What is 17 * 23?", models={"small": small, "large": large}, router=router)
        decision = answer.decision
        print(attempt, decision.kind, decision.model, decision.reason, answer.value, f"${decision.cost:.7f}")
        cache.observe(decision.id, quality=1.0 if "391" in answer.value else 0.0)

print("asked:", len(first.requests), len(second.requests), len(dear.requests))
