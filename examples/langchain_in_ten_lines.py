"""Two chat models behind one cache and one router, in LangChain."""

from langchain_core.language_models import FakeListChatModel

from langchain_lecmux import ChatRouter, LECCache

small = FakeListChatModel(responses=["17 * 23 is 401."])  # any two chat models of yours
large = FakeListChatModel(responses=["17 * 23 is 391."])
model = ChatRouter(models={"small": small, "large": large}, cache=LECCache(), price_of_wrong_seconds=30.0)

for attempt in range(4):
    answer = model.invoke("What is 17 * 23?")
    decision = answer.response_metadata["lecmux"]
    print(attempt, decision["kind"], decision["model"], decision["reason"], answer.content)
    model.observe(
        decision["id"], quality=1.0 if "391" in answer.text else 0.0
    )  # a test, a thumb: when you know
