"""The ledger against sums that anybody can check: nothing is lost by joining, writing and restoring."""

import json
from collections import Counter
from dataclasses import fields
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lecmux.costs import NANO, Account, Ledger, Line
from lecmux.costs.ledger import add_up

AMOUNTS = ("spent", "saved_by_hits", "saved_by_routing", "price_of_errors")
DAY = 86_400
amounts = st.floats(-1e6, 1e6) | st.floats(-1e-6, 1e-6)
bookings = st.fixed_dictionaries(
    {
        "unit": st.sampled_from(["usd", "seconds"]),
        "scope": st.sampled_from(["", "a", "b", "c", "d", "é"]),
        "model": st.sampled_from(["small", "large", ""]),
        "kind": st.sampled_from(["call", "hit", None]),
        "day": st.integers(0, 8),
        **dict.fromkeys(AMOUNTS, amounts),
    }
)


class Naive:
    """Every booking as it came; sums are made anew each time, in fractions."""

    def __init__(self) -> None:
        self.bookings: list[dict[str, Any]] = []

    def sums(self, unit: str, **only: Any) -> Account:
        chosen = [
            each
            for each in self.bookings
            if each["unit"] == unit and all(each[name] == value for name, value in only.items())
        ]
        kinds = Counter(each["kind"] for each in chosen)
        nano = {name: sum(round(Fraction(round(each[name] * NANO))) for each in chosen) for name in AMOUNTS}
        return Account(**nano, calls=kinds["call"], hits=kinds["hit"])


def _booked(ledger: Ledger, now: list[float], booking: dict[str, Any]) -> None:
    now[0] = booking["day"] * DAY + 5.0
    ledger.add(booking["unit"], **{key: booking[key] for key in booking if key not in {"unit", "day"}})


def _ledger(most_lines: int) -> tuple[Ledger, list[float]]:
    now = [0.0]
    return Ledger(most_lines=most_lines, clock=lambda: now[0]), now


@given(st.lists(bookings))
def test_each_line_is_the_naive_sum(booked: list[dict[str, Any]]) -> None:
    ledger, now = _ledger(10_000)
    naive = Naive()
    for booking in booked:
        _booked(ledger, now, booking)
        naive.bookings.append(booking)

    for unit in ("usd", "seconds"):
        assert ledger.account(unit) == naive.sums(unit)
        for line in ledger.lines(unit):
            assert line.day is not None
            day = line.day.toordinal() - 719_163
            assert line.account == naive.sums(unit, scope=line.scope, model=line.model, day=day)


@given(st.lists(bookings), st.integers(2, 12), st.randoms(use_true_random=False))
def test_bounded_memory_joins_lines_and_loses_nothing(
    booked: list[dict[str, Any]], most: int, chance: Any
) -> None:
    ledger, now = _ledger(most)
    naive = Naive()
    chance.shuffle(booked)
    for booking in booked:
        _booked(ledger, now, booking)
        naive.bookings.append(booking)

        assert len(ledger._tables["usd"]) <= most
        assert len(ledger._tables["seconds"]) <= most

    for unit in ("usd", "seconds"):
        lines = ledger.lines(unit)
        assert len(lines) <= most
        assert add_up(lines) == ledger.account(unit) == naive.sums(unit)


@given(st.lists(bookings), st.lists(bookings), st.integers(2, 40))
def test_what_is_written_is_restored_and_added_to(
    before: list[dict[str, Any]], after: list[dict[str, Any]], most: int
) -> None:
    first, now = _ledger(most)
    for booking in before:
        _booked(first, now, booking)
    second, now = _ledger(most)
    second._restore(json.loads(json.dumps(first._spec())))
    for booking in after:
        _booked(second, now, booking)
    whole = Naive()
    whole.bookings = before + after
    since = Naive()
    since.bookings = after

    for unit in ("usd", "seconds"):
        assert add_up(second.lines(unit)) == whole.sums(unit)
        assert second.account(unit) == since.sums(unit)
        assert len(second.lines(unit)) <= most


@settings(max_examples=25)
@given(st.lists(bookings, min_size=40, max_size=80))
def test_the_latest_day_keeps_its_scopes_longest(booked: list[dict[str, Any]]) -> None:
    ledger, now = _ledger(24)
    for booking in booked:
        _booked(ledger, now, booking | {"day": 0, "unit": "usd"})
    _booked(ledger, now, booked[0] | {"day": 7, "unit": "usd", "spent": 1e9})
    for booking in booked[:6]:
        _booked(ledger, now, booking | {"day": 7, "unit": "usd", "spent": 0.0})

    latest = [line for line in ledger.lines("usd") if line.day is not None and line.day.day == 8]

    assert any(line.scope == booked[0]["scope"] and line.account.spent >= 10**18 for line in latest)


def test_the_columns_of_an_account_are_all_written() -> None:
    ledger = Ledger()
    ledger.add("usd", kind="call", unpriced=True, would_save_by_hits=1.0, would_save_by_routing=2.0)
    again = Ledger()

    again._restore(json.loads(json.dumps(ledger._spec())))

    (line,) = again.lines("usd")
    assert isinstance(line, Line)
    assert line.account == Account(
        would_save_by_hits=NANO, would_save_by_routing=2 * NANO, calls=1, unpriced=1
    )
    assert len(ledger._spec()["columns"]) == len(fields(Account))


@given(st.lists(st.tuples(bookings, st.none() | amounts)))
def test_the_time_of_a_model_is_booked_beside_its_dollars(booked: list[tuple[dict[str, Any], Any]]) -> None:
    (at_once, now), (apart, later) = _ledger(10_000), _ledger(10_000)
    for booking, seconds in booked:
        now[0] = later[0] = booking["day"] * DAY + 5.0
        of = {name: booking[name] for name in ("scope", "model", "kind")}
        amount = {name: booking[name] for name in AMOUNTS}
        at_once.add(booking["unit"], **of, **amount, seconds=seconds)
        apart.add(booking["unit"], **of, **amount)
        if booking["unit"] == "usd" and seconds is not None:
            column = "saved_by_hits" if booking["kind"] == "hit" else "spent"
            apart.add("seconds", **of, **{column: seconds})

    for unit in ("usd", "seconds"):
        assert at_once.lines(unit) == apart.lines(unit)
