"""Conversations with growing histories: hits are right, and none comes from another history."""

import pytest

pytest.importorskip("langchain_lecmux")

from benches.conversations import conversations, serve, visits

from lecmux import Semantic
from lecmux.embedders import Static


@pytest.mark.parametrize("semantic", [None, Semantic(Static(), max_error=0.2)])
def test_no_answer_is_served_after_another_history(semantic: Semantic | None) -> None:
    talks = conversations(None)

    turns = serve(visits(talks, 12, seed=0), semantic)

    assert sorted(turns) == [1, 2, 3, 4]
    assert sum(turn.exact_hits for turn in turns.values()) > 50
    for turn in turns.values():
        assert turn.other_history_hits == 0
        assert turn.exact_hits + turn.semantic_hits <= turn.requests
        assert turn.wrong_hits <= 0.2 * turn.requests
