"""LECCache under use: files, threads, forks, bad input."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from answers import BLOCKS, MESSAGES
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation
from offline_model import OfflineToolChat

from langchain_lecmux import LECCache
from lecmux import Cache, Lru, Price
from lecmux.errors import ConfigError, CostError, PriceError, SnapshotError

MODEL = "[('_type', 'x'), ('model', 'm'), ('stop', None)]"


def prompt(text: str) -> str:
    return dumps([HumanMessage(text)])


def chat(text: str, **fields: Any) -> list[Generation]:
    return [ChatGeneration(message=AIMessage(text, **fields))]


def text(cache: LECCache, question: str) -> str | None:
    found = cache.lookup(prompt(question), MODEL)
    return None if found is None else found[0].text


ANSWERS: dict[str, Any] = {name: message for name, message in MESSAGES.items() if name != "all blocks"} | {
    f"block {name}": AIMessage([block]) for name, block in BLOCKS.items() if name != "refusal"
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_message_and_block_is_served_as_it_was_stored(name: str, tmp_path: Path) -> None:
    """In memory and from a file; only id, usage and what we add differ."""
    stored = ANSWERS[name]
    cache = LECCache(renew_tool_call_ids=False)
    cache.update(prompt("q"), MODEL, [ChatGeneration(message=stored)])
    cache.save(tmp_path / "file")
    for each in (cache, LECCache.load(tmp_path / "file", renew_tool_call_ids=False)):
        found: Any = each.lookup(prompt("q"), MODEL)
        served = found[0].message
        assert type(served) is type(stored)
        assert served.content == stored.content
        assert served.additional_kwargs == stored.additional_kwargs
        assert served.name == stored.name
        metadata = dict(served.response_metadata)
        assert metadata.pop("lecmux")["hit_id"]
        assert metadata == stored.response_metadata
        if isinstance(stored, AIMessage):
            assert served.tool_calls == stored.tool_calls
            assert served.invalid_tool_calls == stored.invalid_tool_calls
            assert served.usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


# files


def test_a_file_holds_every_answer_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    cache = LECCache(prices={"m": Price(output_usd_per_million=1e6)}, evict=Lru())
    usage = {"input_tokens": 1, "output_tokens": 5, "total_tokens": 6}
    cache.update(
        prompt("q"), MODEL, chat("four", usage_metadata=usage, response_metadata={"model_name": "m"})
    )
    cache.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = LECCache.load(path, prices={"m": Price(output_usd_per_million=1e6)})
    found: Any = loaded.lookup(prompt("q"), MODEL)
    facts = found[0].message.response_metadata["lecmux"]
    assert facts["saved"] == 5.0
    assert facts["usage"] == usage
    assert 0 <= facts["age_seconds"] < 60
    assert loaded.stats().store.capacity_bytes == cache.stats().store.capacity_bytes


@pytest.mark.parametrize("data", [b"", b"\x80\x04N.", b"{}", os.urandom(1000)])
def test_a_foreign_file_is_a_typed_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "answers"
    path.write_bytes(data)
    with pytest.raises(SnapshotError):
        LECCache.load(path)


def test_a_damaged_file_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    cache = LECCache()
    cache.update(prompt("q"), MODEL, chat("four"))
    cache.save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(SnapshotError):
        LECCache.load(path)


# the budget


def test_memory_stays_within_the_budget() -> None:
    cache = LECCache(20_000)
    for number in range(500):
        cache.update(prompt(f"question {number}"), MODEL, chat("x" * 100))
        assert cache.stats().store.bytes_used <= 20_000
    stats = cache.stats()
    assert stats.stored + stats.bypassed == 500
    assert 0 < len(cache.store) < 200


def test_an_answer_larger_than_the_budget_is_not_stored() -> None:
    cache = LECCache(1_000)
    cache.update(prompt("q"), MODEL, chat("x" * 2_000))
    assert text(cache, "q") is None
    assert cache.stats().bypassed == 1
    assert cache.stats().incidents == 0


def test_time_to_live() -> None:
    cache = LECCache(ttl=lambda query, reply: 0.01 if "soon" in reply.value.text else None)
    cache.update(prompt("a"), MODEL, chat("soon gone"))
    cache.update(prompt("b"), MODEL, chat("stays"))
    time.sleep(0.05)
    assert text(cache, "a") is None
    assert text(cache, "b") == "stays"


# bad input


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"capacity_bytes": 0}, ConfigError),
        ({"capacity_bytes": -1}, ConfigError),
        ({"evict": "lru"}, ConfigError),
        ({"default_ttl_seconds": 0}, ConfigError),
        ({"cache": Cache(1000), "admit": lambda *_: True}, ConfigError),
        ({"cache": Cache(1000), "evict": Lru()}, ConfigError),
    ],
)
def test_settings_that_cannot_work_are_typed_errors(settings: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        LECCache(**settings)


def test_prices_for_a_cache_that_counts_seconds_are_a_typed_error() -> None:
    shared = Cache(10_000)
    shared.settle_unit("seconds")
    with pytest.raises(PriceError):
        LECCache(cache=shared, prices={})
    with pytest.raises(CostError):
        Price(input_usd_per_million=float("nan"))


ODD = ["", "\ud800", "x" * 10_000_000, "\x00", "[", '[{"lc": 1', '[{"lc": 1, "id": 3, "kwargs": {}}]']


@pytest.mark.parametrize("question", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("wrap", [prompt, str])
def test_odd_prompts_are_served(question: str, wrap: Any) -> None:
    cache = LECCache()
    assert cache.lookup(wrap(question), MODEL) is None
    cache.update(wrap(question), MODEL, chat("four \ud800"))
    found = cache.lookup(wrap(question), MODEL)
    assert found is not None
    assert found[0].text == "four \ud800"
    assert cache.stats().incidents == 0


@pytest.mark.parametrize("answer", [[], [Generation(text="")], chat("")])
def test_empty_answers_are_answers(answer: list[Generation]) -> None:
    cache = LECCache()
    cache.update(prompt("q"), MODEL, answer)
    found = cache.lookup(prompt("q"), MODEL)
    assert isinstance(found, list)
    assert len(found) == len(answer)


@pytest.mark.parametrize("hook", ["admit", "ttl", "cost", "scope", "serve"])
@pytest.mark.parametrize("bad", [lambda *_: 1 / 0, lambda *_: "nonsense", lambda *_: float("nan")])
def test_a_hook_that_misbehaves_fails_no_call(hook: str, bad: Any) -> None:
    model = OfflineToolChat(cache=LECCache(**{hook: bad}))
    for _ in range(3):
        assert model.invoke("hi").text


def test_a_serve_hook_that_is_slow_three_times_is_switched_off() -> None:
    asked = []

    def serve(query: Any) -> bool:
        asked.append(query)
        time.sleep(0.11)
        return False

    cache = LECCache(serve=serve)
    cache.update(prompt("q"), MODEL, chat("four"))
    assert [text(cache, "q") for _ in range(5)] == [None, None, None, "four", "four"]
    assert len(asked) == 3
    assert cache.stats().incidents == 4
    assert cache.stats().unserved == 3


def test_hooks_may_be_objects_with_a_method() -> None:
    class Rules:
        def scope(self, query: Any) -> str:
            return "ann"

        def admit(self, query: Any, reply: Any) -> bool:
            return "no" not in reply.value.text

        def serve(self, query: Any) -> bool:
            return "secret" not in query.text

    rules: Any = Rules()
    cache = LECCache(scope=rules, admit=rules, serve=rules)
    for question, answer in (("a", "yes"), ("b", "no"), ("secret", "yes")):
        cache.update(prompt(question), MODEL, chat(answer))
    assert [text(cache, question) for question in ("a", "b", "secret")] == ["yes", None, None]
    assert cache.stats().incidents == 0


def test_hooks_are_asked_with_what_they_need() -> None:
    asked = []

    def cost(query: Any, reply: Any) -> float:
        asked.append((query, reply))
        return 0.5

    cache = LECCache(cost=cost)
    OfflineToolChat(cache=cache, temperature=0.3).invoke("hi there")
    query, reply = asked[0]
    assert query.attributes["temperature"] == 0.3
    assert "hi there" in query.text
    assert "OfflineToolChat" not in query.text
    assert (reply.model, reply.finish_reason) == ("offline-tools", "stop")
    assert reply.usage.input_tokens == 2
    assert reply.usage.seconds > 0
    assert reply.value.text == "offline-tools heard: hi there"
    assert reply.value.message.type == "ai"


# threads and forks


def test_threads_share_a_cache() -> None:
    """Lookups, updates, clears and saves of eight threads at once: no error, no wrong answer."""
    cache = LECCache(200_000)
    failures: list[Any] = []

    def work(number: int) -> None:
        for step in range(200):
            question = f"{(number * step) % 50}"
            found = text(cache, question)
            if found is None:
                cache.update(prompt(question), MODEL, chat(f"answer {question}"))
            elif found != f"answer {question}":
                failures.append((question, found))
            if step % 60 == 0:
                cache.clear()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not failures
    stats = cache.stats()
    assert stats.incidents == 0
    assert stats.hits + stats.misses == 1600
    cache.store.check()


def test_two_threads_may_clear_at_once() -> None:
    cache = LECCache()
    for number in range(1000):
        cache.update(prompt(str(number)), MODEL, chat("x"))
    threads = [threading.Thread(target=cache.clear) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(cache.store) == 0
    assert cache.stats().incidents == 0


@pytest.fixture
def busy() -> Iterator[LECCache]:
    """A cache that another thread keeps using."""
    cache = LECCache()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            cache.lookup(prompt("q"), MODEL)
            cache.update(prompt("q"), MODEL, chat("four"))

    thread = threading.Thread(target=work)
    thread.start()
    yield cache
    stop.set()
    thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_leaves_no_lock_behind(busy: LECCache) -> None:
    for _ in range(5):
        child = os.fork()
        if child == 0:
            busy.update(prompt("mine"), MODEL, chat("five"))
            os._exit(0 if text(busy, "mine") == "five" else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
