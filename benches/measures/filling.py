"""Caches made and filled for a measure."""

from collections.abc import Iterable, Sequence

from benches.adapters import Peer
from benches.payload import Payload

_CHUNK = 10_000


def filled(
    kinds: Iterable[type[Peer]], payload: Payload, entries: int, values: Sequence[str]
) -> dict[str, Peer]:
    """A cache of each kind, holding the entries below `entries`; keys are its own, values are shared."""
    peers: dict[str, Peer] = {}
    for kind in kinds:
        peer = peers[kind.name] = kind(entries)
        for first in range(0, entries, _CHUNK):
            numbers = range(first, min(first + _CHUNK, entries))
            peer.put_all(payload.keys(numbers), values[numbers.start : numbers.stop], [1.0] * len(numbers))
    return peers


def held(peer: Peer, keys: Sequence[str]) -> float:
    """Share of `keys` that are resident."""
    return sum(map(peer.holds, keys)) / len(keys)
