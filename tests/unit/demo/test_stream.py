"""The stream follows its law and its seed."""

from collections import Counter

from lecmux.demo.stream import deal


def test_the_seed_fixes_it() -> None:
    assert deal(7, questions=80, requests=500) == deal(7, questions=80, requests=500)
    assert deal(7, questions=80, requests=500) != deal(8, questions=80, requests=500)


def test_a_longer_stream_begins_as_the_shorter_one() -> None:
    assert deal(3, questions=80, requests=1000)[:30] == deal(3, questions=80, requests=30)


def test_the_first_rank_comes_twice_as_often_as_the_second() -> None:
    counts = [count for _, count in Counter(deal(0, questions=80, requests=200_000)).most_common(3)]

    assert 1.9 < counts[0] / counts[1] < 2.1
    assert 2.8 < counts[0] / counts[2] < 3.2


def test_the_questions_are_the_same_in_whatever_words() -> None:
    plain = deal(0, questions=80, requests=1000)
    worded = deal(0, questions=80, requests=1000, wordings=3)

    assert [place // 3 for place in worded] == plain


def test_all_wordings_are_as_likely() -> None:
    worded = Counter(place % 3 for place in deal(0, questions=80, requests=100_000, wordings=3))

    assert all(abs(worded[each] / 100_000 - 1 / 3) < 0.01 for each in range(3))
