"""What counts as right."""

import pytest

from lecmux.demo.check import Number, Words


@pytest.mark.parametrize(
    ("question", "value", "answer", "right"),
    [
        ("What is 17 + 25?", 42, "17 + 25 equals 42.", True),
        ("What is 17 + 25?", 42, "17 + 25 = 37.", False),
        ("What is 17 + 25?", 42, "The answer is 17.", False),
        ("What is 17 + 25?", 42, "42", True),
        ("How many days are there in a week?", 7, "A week has seven days.", True),
        ("How many grams are there in 1 kilogram?", 1000, "1,000 grams make 1 kilogram.", True),
        ("What is half of 3?", 1.5, "It is 1.5.", True),
        ("How many legs does a spider have?", 8, "", False),
        ("How many legs does a spider have?", 8, "Eight or ten.", False),
        ("How many legs does a dog have?", 4, "Fourteen.", False),
        ("There are 4 boxes of 6 and 4 come back. How many are left?", 4, "There are 4.", True),
    ],
)
def test_numbers(question: str, value: float, answer: str, right: bool) -> None:
    assert Number(value).right(question, answer) is right


@pytest.mark.parametrize(
    ("accepted", "answer", "right"),
    [
        (("Paris",), "The capital of France is Paris.", True),
        (("Paris",), "parisian cafés", False),
        (("carbon dioxide", "CO2"), "Plants take in carbon dioxide.", True),
        (("Brasilia", "Brasília"), "BRASÍLIA", True),
        (("H2O",), "Water is H2O2.", False),
        (("yen",), "", False),
    ],
)
def test_words(accepted: tuple[str, ...], answer: str, right: bool) -> None:
    assert Words(accepted).right("", answer) is right
