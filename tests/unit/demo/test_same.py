"""When two answers say the same."""

import pytest

from lecmux.demo.same import same_result


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paris is the capital of France.", "The capital of France is Paris.", True),
        ("The capital of France is Paris.", "The capital of Spain is Madrid.", False),
        ("The opposite of big is small.", "Little", True),
        ("The capital of France is Paris.", "It is a city.", False),
        ("Half of 250 is 125.", "You get 125.", True),
        ("4 boxes hold 24 eggs.", "9 boxes hold 54 eggs.", False),
        ("A week has seven days.", "7", True),
        ("There are 24 eggs.", "There are some eggs.", False),
        ("Brasília", "The capital is Brasilia.", True),
        ("Nobody knows.", "Who can say?", None),
    ],
)
def test_by_words_of_the_key_and_by_the_last_number(one: str, other: str, same: bool | None) -> None:
    assert same_result(one, other) is same
    assert same_result(other, one) is same
