"""Questions in other words share an answer: a support desk's stream, made up."""

import random

from lecmux import Cache, Query, Reply, Semantic, Usage
from lecmux.embedders import Static

TOPICS = {
    "reset my password": "Use the link under the login form.",
    "change my delivery address": "Open the order and choose Edit address.",
    "cancel my subscription": "Choose Plan, then Cancel.",
    "get a refund for an order": "Refunds take five days once the parcel is back.",
    "download an invoice as a file": "Invoices are under Billing, Documents.",
    "track where my parcel is": "The tracking number is in the mail we sent.",
    "add a second user to my account": "Invite them under Settings, Team.",
    "talk to a person on the phone": "Call us from nine to five.",
}
OPENINGS = [
    "how do I",
    "how can I",
    "please tell me how to",
    "I want to",
    "could you help me to",
    "what must I do to",
]
ENDINGS = ["", " please", " today", " now", " thanks", " quickly", " on the website", " in the app", " here"]


def model(query: Query) -> Reply:
    """Stands for a language model that takes a second."""
    topic = next(topic for topic in TOPICS if topic in query.text)
    return Reply(TOPICS[topic], Usage(seconds=1.0))


draw = random.Random(0)
wordings = [f"{a} {topic}{b}" for a in OPENINGS for topic in TOPICS for b in ENDINGS]
draw.shuffle(wordings)

cache = Cache(capacity_bytes=16_000_000, semantic=Semantic(Static(), max_error=0.05))
wrong = 0
for wording in wordings:
    answer = cache.answer(wording, models={"model": model})
    wrong += answer.value != model(Query(wording)).value

stats = cache.stats().semantic
assert stats is not None
print(f"{stats.requests} questions, each worded once: {stats.hits} served by meaning, {wrong} of them wrong")
print(f"{stats.audits} hits were checked by a call, {stats.labels} answers taught something")

print()
print(cache.explain("how do I cancel my subscription at once", models=["model"]))
print()
print(cache.explain("how do I cancel my order of 20 lamps", models=["model"]))
