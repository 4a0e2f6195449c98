"""New ids for served tool calls: of the same shape, wherever the answer names them, but not in arguments."""

from lecmux.call_ids import renamed, similar_id


def test_a_similar_id_keeps_prefix_and_length() -> None:
    made = similar_id("toolu_01AbCdEfGhIj")

    assert made.startswith("toolu_")
    assert len(made) == len("toolu_01AbCdEfGhIj")
    assert made != "toolu_01AbCdEfGhIj"


def test_a_short_id_becomes_a_long_one() -> None:
    assert len(similar_id("call_1")) == len("call_") + 24


def test_ids_are_renamed_everywhere_but_in_arguments() -> None:
    arguments = {"arguments": {"id": "a"}, "tool_kwargs": {"id": "a"}}

    made = renamed({"id": "a", "a": [{"refers_to": "a"}], "n": 1, **arguments}, {"a": "b"})

    assert made == {"id": "b", "b": [{"refers_to": "b"}], "n": 1, **arguments}
