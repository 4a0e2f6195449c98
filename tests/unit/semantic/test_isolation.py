"""No tenant, history or setting is answered from another's, however alike the questions are."""

import pytest
from benches.attacks import VICTIM, collisions, hijacked

from lecmux import Cache, Query, Semantic
from lecmux.embedders import Static


@pytest.mark.parametrize("apart", [{"scope": "other"}, {"fingerprint": "other"}, {"context": "other"}])
def test_the_same_words_elsewhere_have_no_neighbours(apart: dict[str, str]) -> None:
    cache = Cache(1_000_000, semantic=Semantic(Static(), max_error=0.5))
    for number in range(20):
        text = f"What is the capital of France, please? {number}"
        cache.answer(Query(text, salient=text), models={"m": lambda _: "Paris"})
    asked = "What is the capital of France?"

    near = cache.explain(Query(asked, salient=asked), models=["m"]).alike
    elsewhere = cache.explain(Query(asked, salient=asked, **apart), models=["m"]).alike

    assert near is not None
    assert near.neighbours
    assert elsewhere is None or not elsewhere.neighbours


def test_a_climbed_collision_reaches_nobody_in_another_tenant() -> None:
    encoder = Static()
    found = collisions(encoder, victims=5, steps=300)

    assert all(each.after > each.before for each in found)
    assert hijacked(found, encoder, scope=VICTIM, honest=100, max_error=0.1)[0] == 0
