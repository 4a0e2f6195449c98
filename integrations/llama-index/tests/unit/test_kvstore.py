"""LECKVStore in LlamaIndex's own embedding and ingestion caches, and by itself."""

from typing import Any

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionCache, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import Document
from pydantic import PrivateAttr

from lecmux import Cache
from llama_index.llms.lecmux import LECKVStore

VECTOR = [0.1, -1 / 3, 1e-300]


class Counting(BaseEmbedding):
    """An embedding that counts the texts it was given."""

    _texts: list[str] = PrivateAttr(default_factory=list)

    def _get_text_embedding(self, text: str) -> list[float]:
        self._texts.append(text)
        return [float(len(text)), 1 / 3]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def test_a_vector_comes_back_exactly() -> None:
    store = LECKVStore()
    store.put("text", {"id": VECTOR}, collection="embeddings")

    assert store.get("text", collection="embeddings") == {"id": VECTOR}


@pytest.mark.parametrize(
    "value", [{}, {"a": 1}, {"a": [1, 2]}, {"a": [1.0, "x"]}, {"a": {"b": [None, True]}, "c": "é"}, {"v": []}]
)
def test_any_json_comes_back_equal(value: dict[str, Any]) -> None:
    store = LECKVStore()
    store.put("key", value)

    assert store.get("key") == value


def test_collections_are_apart() -> None:
    store = LECKVStore()
    store.put("key", {"n": 1}, collection="a")
    store.put("key", {"n": 2}, collection="b")

    assert (store.get("key", "a"), store.get("key", "b"), store.get("key")) == ({"n": 1}, {"n": 2}, None)
    assert store.delete("key", "a")
    assert not store.delete("key", "a")
    assert store.get_all("a") == {}
    assert store.get_all("b") == {"key": {"n": 2}}


def test_namespaces_share_a_cache_and_no_entry() -> None:
    cache = Cache(1_000_000)
    one, other = (LECKVStore(cache=cache, namespace=name) for name in ("small-model", "large-model"))
    one.put("text", {"id": VECTOR})

    assert one.get("text") == {"id": VECTOR}
    assert other.get("text") is None


def test_values_are_fresh_copies() -> None:
    store = LECKVStore()
    store.put("key", {"a": [1]})
    got = store.get("key")
    assert got is not None
    got["a"].append(2)

    assert store.get("key") == {"a": [1]}


def test_it_stays_within_its_budget() -> None:
    store = LECKVStore(100_000)
    for number in range(1_000):
        store.put(f"text {number}", {"id": [float(number)] * 100}, "embeddings")

    stats = store.cache.stats()
    assert stats.bytes_used <= 100_000
    assert 0 < len(store.get_all("embeddings")) < 1_000


def test_what_cannot_be_stored_costs_an_incident_and_no_error() -> None:
    store = LECKVStore()

    store.put("key", {"a": object()})
    store.put("\ud800", {"id": VECTOR})

    assert store.get("key") is None
    assert store.get("\ud800") is None
    assert store.cache.stats().incidents >= 2


def test_a_foreign_value_is_not_there() -> None:
    store = LECKVStore(namespace="n")
    store.cache.put("key", "text of somebody else", scope="data", fingerprint="llama_index.kvstore:n")

    assert store.get("key") is None


async def test_the_async_methods_do_the_same() -> None:
    store = LECKVStore()
    await store.aput_all([("a", {"n": 1}), ("b", {"n": 2})], batch_size=7)
    store.put_all([("c", {"n": 3})], batch_size=7)

    assert await store.aget("a") == {"n": 1}
    assert await store.adelete("a")
    assert await store.aget_all() == {"b": {"n": 2}, "c": {"n": 3}}


def test_embeddings_cache() -> None:
    model = Counting(embeddings_cache=LECKVStore())

    first = model.get_text_embedding_batch(["a", "bb", "a"])
    again = model.get_text_embedding_batch(["a", "bb"])

    assert again == first[:2]
    assert sorted(set(model._texts)) == ["a", "bb"]
    assert len(model._texts) == 3  # the batch itself asks for its repeated text twice


async def test_embeddings_cache_async() -> None:
    model = Counting(embeddings_cache=LECKVStore())

    assert await model.aget_text_embedding("abc") == await model.aget_text_embedding("abc")
    assert model._texts == ["abc"]


def test_ingestion_cache() -> None:
    model = Counting()
    cache = IngestionCache(cache=LECKVStore(), collection="docs")
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(), model], cache=cache)
    documents = [Document(text="one sentence.", doc_id="a", metadata={"n": 1})]

    first = pipeline.run(documents=documents)
    calls = len(model._texts)
    again = pipeline.run(documents=documents)

    assert len(model._texts) == calls == 1
    assert [(node.text, node.embedding, node.metadata, node.ref_doc_id) for node in again] == [  # type: ignore[attr-defined]
        (node.text, node.embedding, node.metadata, node.ref_doc_id)  # type: ignore[attr-defined]
        for node in first
    ]

    cache.clear()
    pipeline.run(documents=documents)
    assert len(model._texts) == 2
