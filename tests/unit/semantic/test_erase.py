"""Erasing by a predicate: what it is told, what goes with an entry, and what stays when it fails."""

from collections.abc import Callable
from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Query, Reply, Semantic, Usage
from lecmux._core import semantic_ids
from lecmux.erase import StoredEntry
from lecmux.errors import ConfigError
from lecmux.testing import TopicEmbedder


def priced(query: Query) -> Reply:
    return Reply(f"about {query.text.split(maxsplit=1)[0]}", Usage(seconds=10_000.0))


MODELS = {"m": priced}


def filled(now: Callable[[], float] = lambda: 100.0) -> Cache:
    cache = Cache(1_000_000, semantic=Semantic(TopicEmbedder()), clock=now)
    for scope in ("one", "two"):
        for text in ("alpha a please", "beta b please", "gamma c please"):
            query = Query(text, scope=scope, salient=text)
            cache.answer(query, models={"m": priced}, cache="refresh")
    return cache


def test_removes_what_the_predicate_picks_from_both_stages() -> None:
    cache = filled()

    assert cache.erase(lambda entry: entry.scope == "one" and "beta" in entry.text) == 1

    assert len(cache) == 5 == len(semantic_ids(cache))
    assert cache.peek("beta b please", scope="one") is None
    assert cache.peek("beta b please", scope="two") is not None
    stats = cache.stats().semantic
    assert stats is not None and stats.entries == 5
    cache.check()


def test_an_entry_is_told_with_all_that_is_known_of_it() -> None:
    cache = filled()
    cache.answer(Query("delta", fingerprint="json"), models=MODELS)
    cache.put("by hand", {"a": [1]}, ttl_seconds=50)
    seen: dict[str, StoredEntry] = {}

    assert cache.erase(lambda entry: bool(seen.update({entry.text: entry}))) == 0

    made = seen["delta"]
    assert (made.scope, made.fingerprint, made.model) == ("", "json", "m")
    assert (made.cost, made.seconds, made.stored_at, made.value) == (10_000.0, 10_000.0, 100.0, "about delta")
    hit = cache.peek("delta", fingerprint="json")
    assert hit is not None and (made.hit_id, made.size_bytes) == (hit.hit_id, hit.size_bytes)
    by_hand = seen["by hand"]
    assert (by_hand.model, by_hand.stored_at, by_hand.value) == (None, None, {"a": [1]})
    assert "a please" not in repr(by_hand) and "[1]" not in repr(by_hand)


def test_expired_entries_are_erased_as_well() -> None:
    now = [0.0]
    cache = Cache(1_000_000, clock=lambda: now[0])
    cache.put("secret", "1", ttl_seconds=1)
    now[0] = 60.0
    assert cache.get("secret") is None
    texts = []

    cache.erase(lambda entry: bool(texts.append(entry.text)))
    gone = cache.erase(lambda entry: entry.text == "secret")

    assert gone == len(texts)
    cache.check()


def test_where_the_predicate_fails_nothing_has_gone() -> None:
    cache = filled()
    asked = []

    def fails(entry: StoredEntry) -> bool:
        asked.append(entry)
        if len(asked) == 4:
            raise LookupError("the list of customers is away")
        return True

    with pytest.raises(LookupError, match="customers"):
        cache.erase(fails)

    assert len(cache) == 6 == len(semantic_ids(cache))
    assert cache.stats().incidents == 0


async def maybe(entry: StoredEntry) -> bool:
    return False


@pytest.mark.parametrize("word", [None, 1, "yes"])
def test_a_word_that_is_neither_true_nor_false_erases_nothing(word: Any) -> None:
    cache = filled()

    with pytest.raises(ConfigError, match="True or False"):
        cache.erase(lambda entry: word)
    with pytest.raises(ConfigError, match="True or False"):
        cache.erase(maybe)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="predicate"):
        cache.erase("alpha")  # type: ignore[arg-type]

    assert len(cache) == 6


def test_the_predicate_may_use_the_cache_and_an_entry_stored_anew_stays() -> None:
    cache = Cache(1_000_000)
    cache.put("a", "old" * 10, cost_usd=1.0)
    cache.put("b", "old" * 10, cost_usd=1.0)

    def picks(entry: StoredEntry) -> bool:
        if entry.text == "a":
            cache.put("a", "new" * 10, cost_usd=1.0)
        return True

    assert cache.erase(picks) == 1
    assert cache.get("a") == "new" * 10
    assert cache.get("b") is None
    cache.check()


def test_a_hit_of_an_erased_entry_is_not_kept_in_mind() -> None:
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1))
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = [f"{topic} {a}{b} please" for b in "ab" for a in letters for topic in ("alpha", "beta", "gamma")]
    answers = [cache.answer(text, models=MODELS) for text in texts]
    hit = next(answer for answer in reversed(answers) if answer.decision.reason == "semantic")

    assert cache.erase(lambda entry: entry.hit_id == hit.decision.hit_id) == 1

    assert not cache.report_wrong(hit.decision.id)
    cache.check()


async def test_the_async_twin_erases_likewise() -> None:
    async with AsyncCache(1_000_000) as cache:
        await cache.answer("alpha", models=MODELS)
        await cache.answer("beta", models=MODELS)

        assert cache.erase(lambda entry: entry.model == "m" and entry.text == "beta") == 1
        assert len(cache) == 1


def test_what_was_erased_is_not_saved(tmp_path: Any) -> None:
    cache = filled()
    cache.erase(lambda entry: entry.scope == "one")
    cache.save(tmp_path / "cache")

    again = Cache.load(tmp_path / "cache", semantic=Semantic(TopicEmbedder()))

    assert again.erase(lambda entry: entry.scope == "one") == 0
    assert len(again) == 3 == len(semantic_ids(again))
    assert b"alpha" in (tmp_path / "cache").read_bytes()
    assert cache.erase(lambda entry: True) == 3
    cache.save(tmp_path / "cache")
    assert b"alpha" not in (tmp_path / "cache").read_bytes()
