"""For tests, ours and yours: a clock that stands still, models and endpoints by script, contract suites."""

from lecmux.testing.clock import FakeClock
from lecmux.testing.endpoint import ScriptedEndpoint
from lecmux.testing.faults import Drop, Hang, Refuse, Send
from lecmux.testing.scripted import ScriptedModel
from lecmux.testing.topics import TopicEmbedder

__all__ = [
    "Drop",
    "FakeClock",
    "Hang",
    "Refuse",
    "ScriptedEndpoint",
    "ScriptedModel",
    "Send",
    "TopicEmbedder",
]
