"""The questions themselves."""

import re
from collections import Counter

from lecmux import VectorIndex
from lecmux.demo.check import Words
from lecmux.demo.questions import ASKED, QUESTIONS, WORDINGS
from lecmux.demo.strategies import encoder


def test_there_are_enough_of_each_kind_and_none_twice() -> None:
    kinds = Counter(question.kind for question in QUESTIONS)

    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS) >= 60
    assert kinds.keys() >= {"arithmetic", "word problem", "fact", "language"}
    assert min(kinds.values()) >= 10


def test_repeating_the_question_is_no_right_answer() -> None:
    for question in ASKED:
        assert not question.right(question.text), question.text


def test_an_answer_that_says_nothing_else_is_right() -> None:
    for question in ASKED:
        checker = question.checker
        answer = checker.accepted[0] if isinstance(checker, Words) else f"{checker.value:g}"
        assert question.right(f"It is {answer}."), question.text


def test_no_expected_word_stands_in_its_question() -> None:
    for question in ASKED:
        if isinstance(question.checker, Words):
            words = set(re.findall(r"\w+", question.text.lower()))
            assert words.isdisjoint(word.lower() for word in question.checker.accepted)


def _nearest() -> list[int]:
    """The place of the wording that the demo's embedder puts nearest to each, itself apart."""
    vectors = encoder().embed([question.text for question in ASKED])
    index = VectorIndex(vectors.shape[1], engine="flat")
    index.add(range(len(ASKED)), vectors)
    found, _ = index.search(vectors, 2)
    return [next(at for at in row if at != own) for own, row in enumerate(found.tolist())]


def test_most_wordings_are_nearest_to_their_own_question_and_near_twins_are_not() -> None:
    nearest = _nearest()

    strays = [at for at, near in enumerate(nearest) if near // WORDINGS != at // WORDINGS]
    assert 0 < len(strays) < 0.1 * len(ASKED)
    twins = [at for at in strays if _without_numbers(at) == _without_numbers(nearest[at])]
    assert len(twins) > 0.5 * len(strays)


def _without_numbers(place: int) -> str:
    return re.sub(r"\d+", "#", ASKED[place].text)


def test_every_question_comes_in_as_many_wordings_and_no_text_twice() -> None:
    assert len({question.text for question in ASKED}) == len(ASKED) == WORDINGS * len(QUESTIONS)


def test_wordings_of_a_question_have_one_answer_and_one_set_of_numbers() -> None:
    for place, question in enumerate(QUESTIONS):
        numbers = re.findall(r"\d+", question.text)
        for worded in ASKED[place * WORDINGS : (place + 1) * WORDINGS]:
            assert worded.checker == question.checker
            assert sorted(re.findall(r"\d+", worded.text)) == sorted(numbers)
