"""What the semantic stage keeps over a restart, and what it drops."""

import logging
from pathlib import Path
from typing import Any

import pytest

from lecmux import Cache, Lec, Query, Reply, Semantic, Usage
from lecmux._core import semantic_ids
from lecmux.errors import SnapshotError
from lecmux.state import StateFile
from lecmux.testing import TopicEmbedder


def model(query: Query) -> Reply:
    return Reply(f"about {query.text.split(maxsplit=1)[0]}", Usage(seconds=10_000.0))


MODELS = {"m": model}


def texts(count: int) -> list[str]:
    return [
        f"{topic} wording {'x' * n}" for n in range(count) for topic in ("alpha", "beta", "gamma", "delta")
    ]


def learnt(path: Path) -> Cache:
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1))
    for text in texts(60):
        cache.answer(text, models=MODELS)
    stats = cache.stats().semantic
    assert stats is not None and stats.hits > 20
    cache.save(path)
    return cache


def test_a_loaded_cache_decides_as_the_saved_one(tmp_path: Path) -> None:
    cache = learnt(tmp_path / "cache")
    again = Cache.load(tmp_path / "cache", semantic=Semantic(TopicEmbedder(), max_error=0.1))

    assert set(semantic_ids(again)) == set(semantic_ids(cache))
    again.check()
    for text in texts(80)[240:]:
        one, other = (each.explain(text, models=["m"]).alike for each in (cache, again))
        assert one is not None and other is not None
        assert (one.verdict, one.threshold) == (other.verdict, other.threshold)
        assert other.risk == pytest.approx(one.risk, rel=0.05)


def test_a_report_is_kept(tmp_path: Path) -> None:
    cache = Cache(4_000_000, semantic=Semantic(TopicEmbedder(), max_error=0.1))
    asked = texts(60)
    answers = [cache.answer(text, models=MODELS) for text in asked]
    wrong = max(n for n, answer in enumerate(answers) if answer.decision.reason == "semantic")
    cache.report_wrong(answers[wrong].decision.id)
    cache.save(tmp_path / "cache")

    again = Cache.load(tmp_path / "cache", semantic=Semantic(TopicEmbedder(), max_error=0.1))

    for each in (cache, again):
        told = each.explain(asked[wrong], models=["m"]).alike
        assert told is not None and told.verdict == "decline"


def test_without_the_stage_the_entries_are_served_exactly(tmp_path: Path) -> None:
    cache = learnt(tmp_path / "cache")

    plain = Cache.load(tmp_path / "cache")

    assert len(plain) == len(cache)
    assert plain.stats().semantic is None


class Other(TopicEmbedder):
    name = "other topics"


class Wider(TopicEmbedder):
    """The same name, and vectors of another dimension, of which it says nothing beforehand."""

    def __init__(self) -> None:
        super().__init__(dim=128)


@pytest.mark.parametrize("embedder", [Other, Wider])
def test_vectors_of_another_embedder_are_dropped_with_one_warning(
    embedder: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved = learnt(tmp_path / "cache")
    known = next(text for text in texts(60) if saved.peek(text))

    with caplog.at_level(logging.WARNING, "lecmux"):
        cache = Cache.load(tmp_path / "cache", semantic=Semantic(embedder(), max_error=0.1))
        for text in texts(62)[240:]:
            assert cache.answer(text, models=MODELS).decision.kind == "call"

    assert cache.answer(known, models=MODELS).decision.reason == "exact"
    assert len(caplog.records) == 1
    stats = cache.stats()
    assert stats.incidents == 1
    assert stats.semantic is not None
    assert 7 <= stats.semantic.entries <= 8
    cache.check()


def test_a_state_file_keeps_the_stage_also_under_another_seed(tmp_path: Path) -> None:
    def made(seed: int) -> Cache:
        return Cache(4_000_000, seed=seed, semantic=Semantic(TopicEmbedder(), max_error=0.1))

    cache = made(1)
    for text in texts(60):
        cache.answer(text, models=MODELS)
    StateFile(tmp_path / "state", cache=cache).close()

    again = made(2)
    StateFile(tmp_path / "state", cache=again).close()

    assert len(semantic_ids(again)) == len(semantic_ids(cache))
    again.check()


def test_a_smaller_cache_takes_what_fits(tmp_path: Path) -> None:
    cache = learnt(tmp_path / "cache")
    data = cache._sealed()

    small = Cache(30_000, evict=Lec(), semantic=Semantic(TopicEmbedder(), max_error=0.1))
    taken = small._take_over(data)

    assert 0 < taken < len(cache)
    assert len(semantic_ids(small)) == len(small) == taken
    assert small.stats().bytes_used <= 30_000
    small.check()


def test_damage_in_the_semantic_part_is_found(tmp_path: Path) -> None:
    data = bytearray(learnt(tmp_path / "cache")._sealed())
    data[-200] ^= 1
    (tmp_path / "cache").write_bytes(data)

    with pytest.raises(SnapshotError, match="checksum"):
        Cache.load(tmp_path / "cache", semantic=Semantic(TopicEmbedder()))
