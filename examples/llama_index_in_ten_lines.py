"""Two LLMs behind one cache and one router, in LlamaIndex."""

from llama_index.core.llms import MockLLM

from llama_index.llms.lecmux import RouterLLM

small, large = MockLLM(max_tokens=4), MockLLM()  # any two LLMs of yours
llm = RouterLLM(models={"small": small, "large": large}, price_of_wrong_seconds=30.0)

for attempt in range(4):
    answer = llm.complete("Say all of this: one two three four five six")
    decision = answer.additional_kwargs["lecmux"]
    print(attempt, decision["kind"], decision["model"], decision["reason"], answer.text)
    llm.observe(
        decision["id"], quality=1.0 if "six" in answer.text else 0.0
    )  # a test, a thumb: when you know
