"""For tests, ours and yours: a clock that stands still, a model that follows a script, contract suites."""

from lecmux.testing.clock import FakeClock
from lecmux.testing.scripted import ScriptedModel

__all__ = ["FakeClock", "ScriptedModel"]
