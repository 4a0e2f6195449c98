"""The questions themselves."""

import re
from collections import Counter

from lecmux.demo.check import Words
from lecmux.demo.questions import QUESTIONS


def test_there_are_enough_of_each_kind_and_none_twice() -> None:
    kinds = Counter(question.kind for question in QUESTIONS)

    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS) >= 60
    assert kinds.keys() >= {"arithmetic", "word problem", "fact", "language"}
    assert min(kinds.values()) >= 10


def test_repeating_the_question_is_no_right_answer() -> None:
    for question in QUESTIONS:
        assert not question.right(question.text), question.text


def test_an_answer_that_says_nothing_else_is_right() -> None:
    for question in QUESTIONS:
        checker = question.checker
        answer = checker.accepted[0] if isinstance(checker, Words) else f"{checker.value:g}"
        assert question.right(f"It is {answer}."), question.text


def test_no_expected_word_stands_in_its_question() -> None:
    for question in QUESTIONS:
        if isinstance(question.checker, Words):
            words = set(re.findall(r"\w+", question.text.lower()))
            assert words.isdisjoint(word.lower() for word in question.checker.accepted)
