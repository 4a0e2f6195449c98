"""`LECKVStore`: a bounded store for LlamaIndex's embedding and ingestion caches."""

import json
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llama_index.core.storage.kvstore.types import DEFAULT_BATCH_SIZE, DEFAULT_COLLECTION, BaseKVStore

from lecmux import AsyncCache, Cache
from lecmux.errors import ValueTypeError
from lecmux.tagged import Packer, unpack

__all__ = ["LECKVStore"]

DEFAULT_CAPACITY_BYTES: Final = 256 * 2**20
_VECTOR: Final = b"V"
_PACKED: Final = b"P"


class LECKVStore(BaseKVStore):
    """Keeps what would cost most to make again, within a budget of bytes.

    For `embed_model.embeddings_cache` and `IngestionCache(cache=...)`. A store of vectors takes 8 bytes a
    number, and gives back the very numbers.

    Args:
        capacity_bytes: counted over keys, values, metadata and index; memory is taken as it is used.
        cache: a `lecmux.Cache` to share; its own budget and policy then hold.
        namespace: part of every key. LlamaIndex's embedding cache goes by the text alone: give each
            embedding model a store or a namespace of its own.
    """

    def __init__(
        self,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        *,
        cache: Cache | AsyncCache | None = None,
        namespace: str = "",
    ) -> None:
        self.cache: Cache | AsyncCache = Cache(capacity_bytes) if cache is None else cache
        self._fingerprint = f"llama_index.kvstore:{namespace}"

    def put(self, key: str, val: dict[str, Any], collection: str = DEFAULT_COLLECTION) -> None:
        """Stores `val` where that pays: it may be worth less than what it would displace."""
        with self._contained("admit"):
            self.cache.put(key, _encoded(val), scope=collection, fingerprint=self._fingerprint)

    def get(self, key: str, collection: str = DEFAULT_COLLECTION) -> dict[str, Any] | None:
        """The value, made anew; None where there is none, or no longer."""
        with self._contained("exact"):
            data = self.cache.get(key, scope=collection, fingerprint=self._fingerprint)
            return None if data is None else _decoded(data)
        return None

    def get_all(self, collection: str = DEFAULT_COLLECTION) -> dict[str, dict[str, Any]]:
        """Every value of a collection by its key; a look through all there is."""
        keys = self.cache.keys(scope=collection, fingerprint=self._fingerprint)
        found = {key: self.cache.peek(key, scope=collection, fingerprint=self._fingerprint) for key in keys}
        return {key: _decoded(hit.value) for key, hit in found.items() if hit is not None}

    def delete(self, key: str, collection: str = DEFAULT_COLLECTION) -> bool:
        """Removes a value; False when it is not there."""
        with self._contained("exact"):
            return self.cache.delete(key, scope=collection, fingerprint=self._fingerprint)
        return False

    def put_all(
        self,
        kv_pairs: list[tuple[str, dict[str, Any]]],
        collection: str = DEFAULT_COLLECTION,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> None:
        """Stores each pair; any batch size will do, since nothing is sent anywhere."""
        for key, val in kv_pairs:
            self.put(key, val, collection)

    @contextmanager
    def _contained(self, stage: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.cache.hooks.incident(stage, error)

    # It is microseconds of work, so no thread is involved.

    async def aput(self, key: str, val: dict[str, Any], collection: str = DEFAULT_COLLECTION) -> None:
        """As `put`."""
        self.put(key, val, collection)

    async def aget(self, key: str, collection: str = DEFAULT_COLLECTION) -> dict[str, Any] | None:
        """As `get`."""
        return self.get(key, collection)

    async def aget_all(self, collection: str = DEFAULT_COLLECTION) -> dict[str, dict[str, Any]]:
        """As `get_all`."""
        return self.get_all(collection)

    async def adelete(self, key: str, collection: str = DEFAULT_COLLECTION) -> bool:
        """As `delete`."""
        return self.delete(key, collection)

    async def aput_all(
        self,
        kv_pairs: list[tuple[str, dict[str, Any]]],
        collection: str = DEFAULT_COLLECTION,
        batch_size: int = DEFAULT_BATCH_SIZE,
    ) -> None:
        """As `put_all`."""
        self.put_all(kv_pairs, collection)


def _encoded(val: dict[str, Any]) -> bytes:
    if len(val) == 1:
        name, numbers = next(iter(val.items()))
        if type(name) is str and isinstance(numbers, list) and all(type(each) is float for each in numbers):
            head = name.encode("utf-8", "surrogatepass")
            return b"".join((_VECTOR, len(head).to_bytes(4, "big"), head, array("d", numbers).tobytes()))
    packed = json.dumps(Packer().pack(val), separators=(",", ":"), ensure_ascii=False)
    return _PACKED + packed.encode("utf-8", "surrogatepass")


def _decoded(data: Any) -> dict[str, Any]:
    """The value of `_encoded`.

    Raises:
        ValueTypeError: the cache is shared, and somebody else's value lies there.
    """
    kind = data[:1] if isinstance(data, bytes) else b""
    if kind == _VECTOR:
        end = 5 + int.from_bytes(data[1:5], "big")
        numbers = array("d")
        numbers.frombytes(data[end:])
        return {data[5:end].decode("utf-8", "surrogatepass"): numbers.tolist()}
    if kind == _PACKED:
        value: dict[str, Any] = unpack(json.loads(data[1:].decode("utf-8", "surrogatepass")))
        return value
    raise ValueTypeError("a value that no LECKVStore wrote; give it a namespace of its own")
