"""Events as lines of a log: what happened, and nobody's texts."""

import logging

import pytest

from lecmux import Cache, Hooks, Query, Reply
from lecmux.event_log import EventLog
from lecmux.events import Incident
from lecmux.query import Key
from lecmux.testing import ScriptedModel

SECRET = "sk-canary-4711"


def _run(log: EventLog) -> None:
    def broken(query: Query, reply: Reply) -> float:
        raise ValueError(f"cannot price {query.text!r}")

    cache = Cache(100_000, hooks=Hooks(cost=broken, listeners=[log]))
    for _ in range(2):
        query = Query(f"prompt with {SECRET}", scope=f"scope {SECRET}", fingerprint=f"print {SECRET}")
        cache.answer(query, models={"m": ScriptedModel(default=f"answer with {SECRET}")})


def test_a_line_an_event_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _run(EventLog())

    lines = [record.getMessage() for record in caplog.records if record.name == "lecmux.events"]
    assert [line.split()[0] for line in lines] == [
        *("CacheMiss", "Route", "Incident", "Observe", "Store", "CacheHit")
    ]
    keys = {line.split("key=")[1].split()[0] for line in lines if "key=" in line}
    assert len(keys) == 1
    assert "reason=absent" in lines[0]
    assert "model=m" in lines[1]
    assert "Incident stage=hook:cost error=ValueError" in lines
    assert SECRET not in caplog.text


def test_texts_where_asked_to(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _run(EventLog(texts=True))

    assert f"prompt with {SECRET}" in caplog.text
    assert "cannot price" in caplog.text


def test_incidents_are_warnings_and_the_rest_is_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        _run(EventLog(logging.getLogger("app")))

    told = [record.levelno for record in caplog.records if record.name == "app"]
    assert told == [logging.WARNING]


def test_digests_tell_keys_apart() -> None:
    log = EventLog()
    keys = [Key("ab"), Key("a", "b"), Key("a", "", "b"), Key("", "ab"), Key("\ud800")]
    digests = {log._facts("key", key)[0] for key in keys}

    assert len(digests) == len(keys)
    assert log.line(Incident("exact", "took longer")) == "Incident stage=exact error=took longer"
