"""The tools for tests work themselves."""

import pytest

from lecmux import Query, Reply
from lecmux.testing import FakeClock, ScriptedModel


def test_the_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock(5.0)

    clock.advance(2.5)

    assert clock() == clock() == 7.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_the_scripted_model_follows_its_script() -> None:
    clock = FakeClock()
    whole = Reply("whole", finish_reason="length")
    model = ScriptedModel({"a": "two words", "b": whole, "c": OSError("down")}, seconds=2.0, clock=clock)

    reply = model(Query("a"))

    assert (reply.value, reply.usage.output_tokens, reply.usage.seconds) == ("two words", 2, 2.0)
    assert model(Query("b")) is whole
    with pytest.raises(OSError, match="down"):
        model(Query("c"))
    with pytest.raises(KeyError):
        model(Query("d"))
    assert model.calls == ["a", "b", "c", "d"]
    assert clock() == 8.0
