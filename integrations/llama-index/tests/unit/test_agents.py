"""Agents, query engines and workflows of LlamaIndex on a RouterLLM: cold, and warm without a call."""

from typing import Any

import pytest
from llama_index.core import Settings, SummaryIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import Document
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from scripted_llm import ScriptedLLM, router

from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import Gguf, pull
from llama_index.llms.lecmux import ModelLLM, RouterLLM

QUESTION = "what is 20 and 22?"


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def agent(llm: RouterLLM, **settings: Any) -> FunctionAgent:
    return FunctionAgent(tools=[FunctionTool.from_defaults(add)], llm=llm, **settings)


def calls(llm: RouterLLM) -> int:
    return sum(len(model.calls) for model in llm.models.values())  # type: ignore[attr-defined]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_function_agent_runs_warm_without_a_model_call(streaming: bool) -> None:
    llm = router(ScriptedLLM(), ScriptedLLM(provider="other"))

    cold = await agent(llm, streaming=streaming).run(QUESTION)
    asked = calls(llm)
    warm = await agent(llm, streaming=streaming).run(QUESTION)

    assert str(cold) == str(warm) == "you said: 42"
    assert asked == calls(llm) == 2
    assert [each.tool_name for each in warm.tool_calls] == ["add"]


async def test_streaming_and_plain_agents_share_their_answers() -> None:
    llm = router(ScriptedLLM())

    await agent(llm, streaming=True).run(QUESTION)
    await agent(llm, streaming=False).run(QUESTION)

    assert calls(llm) == 2


async def test_warm_runs_in_one_thread_stay_intact() -> None:
    """Every tool call has an id of its own, and every answer of a tool points back at one."""
    llm = router(ScriptedLLM())
    memory = ChatMemoryBuffer.from_defaults(llm=llm, tokenizer_fn=str.split)
    runner = agent(llm)
    for _ in range(3):
        await runner.run(QUESTION, memory=memory)

    thread = await memory.aget_all()
    made = [b.tool_call_id for m in thread for b in m.blocks if isinstance(b, ToolCallBlock)]
    answered = [m.additional_kwargs["tool_call_id"] for m in thread if m.role == MessageRole.TOOL]
    assert len(made) == len(set(made)) == 3
    assert answered == made
    assert [m.role.value for m in thread] == ["user", "assistant", "tool", "assistant"] * 3


async def test_the_same_thread_again_is_answered_from_the_cache_turn_by_turn() -> None:
    llm = router(ScriptedLLM())
    asked = []
    for _ in range(3):
        memory = ChatMemoryBuffer.from_defaults(llm=llm, tokenizer_fn=str.split)
        runner = agent(llm)
        await runner.run(QUESTION, memory=memory)
        await runner.run("and what is 1 and 2?", memory=memory)
        asked.append(calls(llm))

    assert asked == [4, 4, 4]


async def test_agents_that_hand_over_to_each_other() -> None:
    llm = router(ScriptedLLM())
    workflow = AgentWorkflow(agents=[agent(llm, name="adder", description="adds")], root_agent="adder")

    assert str(await workflow.run(QUESTION)) == str(await workflow.run(QUESTION)) == "you said: 42"
    assert calls(llm) == 2


async def test_a_react_agent() -> None:
    def think(messages: Any, tools: Any) -> str:
        if "Observation" in str(messages[-1].content):
            return "Thought: I know.\nAnswer: 42"
        return 'Thought: I need a tool.\nAction: add\nAction Input: {"a": 20, "b": 22}'

    llm = router(ScriptedLLM(script=think, function_calling=False))
    tools = [FunctionTool.from_defaults(add)]

    cold = await ReActAgent(tools=tools, llm=llm).run(QUESTION)
    asked = calls(llm)
    warm = await ReActAgent(tools=tools, llm=llm).run(QUESTION)

    assert (str(cold), str(warm), asked, calls(llm)) == ("42", "42", 2, 2)


def test_a_query_engine_on_settings_llm() -> None:
    Settings.llm = llm = router(ScriptedLLM())
    engine = SummaryIndex.from_documents([Document(text="A cache keeps answers.")]).as_query_engine()

    first, again = engine.query("What is a cache?"), engine.query("What is a cache?")

    assert "A cache keeps answers." in str(first)
    assert str(first) == str(again)
    assert calls(llm) == 1


def test_a_streaming_query_engine() -> None:
    Settings.llm = llm = router(ScriptedLLM())
    index = SummaryIndex.from_documents([Document(text="A cache keeps answers.")])
    engine = index.as_query_engine(streaming=True)

    first = "".join(engine.query("What is a cache?").response_gen)  # type: ignore[union-attr]
    again = "".join(engine.query("What is a cache?").response_gen)  # type: ignore[union-attr]

    assert "A cache keeps answers." in first
    assert first == again
    assert calls(llm) == 1


def test_a_chat_engine() -> None:
    Settings.llm = llm = router(ScriptedLLM())

    for _ in range(2):
        engine = SimpleChatEngine.from_defaults(
            llm=llm, memory=ChatMemoryBuffer.from_defaults(llm=llm, tokenizer_fn=str.split)
        )
        assert str(engine.chat("hello")) == "you said: hello"
        assert str(engine.chat("bye")) == "you said: bye"

    assert calls(llm) == 2


async def test_a_workflow() -> None:
    llm = router(ScriptedLLM())

    class Asks(Workflow):
        @step
        async def ask(self, ctx: Context, event: StartEvent) -> StopEvent:
            return StopEvent(result=str(await llm.acomplete(event.question)))

    assert await Asks().run(question="why?") == await Asks().run(question="why?") == "you said: why?"
    assert calls(llm) == 1


@pytest.fixture
def pulled() -> None:
    """The small model is here."""
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")


@pytest.mark.model
@pytest.mark.usefixtures("pulled")
async def test_a_real_model_in_an_agent_runs_warm_without_a_call() -> None:
    asked = []

    class Counted(Gguf):
        def chat(self, *arguments: Any, **options: Any) -> Any:
            asked.append("chat")
            return super().chat(*arguments, **options)

        def stream(self, *arguments: Any, **options: Any) -> Any:
            asked.append("stream")
            return super().stream(*arguments, **options)

        async def achat(self, *arguments: Any, **options: Any) -> Any:
            asked.append("achat")
            return await super().achat(*arguments, **options)

        def astream(self, *arguments: Any, **options: Any) -> Any:
            asked.append("astream")
            return super().astream(*arguments, **options)

    with Counted("small", context_tokens=2048, reuse_prefix=False) as model:
        llm = RouterLLM(models={"small": ModelLLM(model=model, max_tokens=128)})
        # A model of this size may or may not call the tool, and may do so for ever.
        cold = await agent(llm, early_stopping_method="generate").run("What is 2 + 3?", max_iterations=2)
        spent = list(asked)
        warm = await agent(llm, early_stopping_method="generate").run("What is 2 + 3?", max_iterations=2)

    assert spent
    assert asked == spent
    assert str(warm) == str(cold)
    assert llm.cache.stats().incidents == 0


@pytest.mark.model
@pytest.mark.usefixtures("pulled")
def test_a_real_model_streams_the_same_text_cold_and_warm() -> None:
    with Gguf("small", context_tokens=1024, reuse_prefix=False) as model:
        llm = RouterLLM(models={"small": model})
        question = [ChatMessage("What is the capital of France? One word.")]
        cold = list(llm.stream_chat(question, max_tokens=8))
        warm = list(llm.stream_chat(question, max_tokens=8))
        skipped = llm.chat(question, max_tokens=8, lecmux_cache="skip")

    said = [piece.delta for piece in cold if piece.delta]
    assert len(said) > 1
    told = cold[-1].additional_kwargs["lecmux"]
    if told["usage"]["output_tokens"] < 8:  # ended by itself, so it was stored
        assert [piece.delta for piece in warm] == said
        assert warm[-1].additional_kwargs["lecmux"]["kind"] == "hit"
    assert warm[-1].message == cold[-1].message == skipped.message
    assert warm[-1].additional_kwargs["lecmux"]["usage"] == told["usage"]
