"""An agent behind a cache and a router: the second run asks no model, and its thread stays whole."""

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolCall
from langgraph.checkpoint.memory import InMemorySaver

from langchain_lecmux import ChatRouter, LECCache


class Scripted(GenericFakeChatModel):  # stands for a chat model of yours that calls tools
    """Says what it was given to say."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Takes tools in its own shape: their names."""
        return self.bind(tools=[tool.name for tool in tools], **kwargs)


def population(city: str) -> int:
    """Looks up how many people live in a city."""
    return {"Lyon": 520_000}[city]


call = ToolCall(name="population", args={"city": "Lyon"}, id="call_1")
small = Scripted(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("About half a million.")]))

cache = LECCache()
router = ChatRouter(models={"small": small}, cache=cache)
agent = create_agent(router, [population], checkpointer=InMemorySaver())

for thread in ("Ann's", "Bob's"):
    question: Any = {"messages": [("user", "How many people live in Lyon?")]}
    messages = agent.invoke(question, {"configurable": {"thread_id": thread}})["messages"]
    for message in messages:
        kind = message.response_metadata.get("lecmux", {}).get("kind", "")
        print(thread, message.type, kind, message.text or message.tool_calls[0]["name"])

print(f"{cache.stats().misses} model calls for two runs")
