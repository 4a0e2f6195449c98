"""`explain` says what a call then does."""

from llama_index.core.llms import ChatMessage

from lecmux import Cache
from lecmux.testing import ScriptedModel
from llama_index.llms.lecmux import RouterLLM


async def test_a_call_and_a_hit_are_told_beforehand() -> None:
    models = {"small": ScriptedModel(default="of small"), "large": ScriptedModel(default="of large")}
    llm = RouterLLM(models=models, cache=Cache(1_000_000))
    messages = [ChatMessage(role="user", content="hello")]

    before = llm.explain("hello")
    called = llm.complete("hello").additional_kwargs["lecmux"]
    after = await llm.aexplain("hello")

    assert (before.outcome, before.why, before.model) == (called["kind"], "absent", called["model"])
    assert (after.outcome, after.model) == ("hit", called["model"])
    assert set(after.models) == {"small", "large"}
    assert llm.explain(messages).why == "absent"
    llm.chat(messages)
    assert (await llm.aexplain(messages)).why == "exact"
    assert llm.explain("hello", lecmux_cache="skip").why == "skip"
