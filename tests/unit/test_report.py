"""The savings report: exact, by scope, model and day, as an object, JSON, tables and a picture."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lecmux import Cache, Price, Query, Reply, Router, Usage
from lecmux._tables import amount
from lecmux.costs import Account, Ledger, Line, PriceHistory
from lecmux.report import Report
from lecmux.state import StateFile, read

PRICES = {
    "small": Price(output_usd_per_million=1.0, source="the contract"),
    "large": Price(output_usd_per_million=10.0),
}
MICRO = 1_000  # nano-dollars
MODELS: dict[str, Any] = {
    name: lambda query, name=name: Reply(name, Usage(output_tokens=100, seconds=2.0)) for name in PRICES
}


def _router() -> Router:
    return Router(["small", "large"], prices=PRICES, price_of_wrong_usd=0.5)


def _used() -> Cache:
    """Two tenants; the small model answers, is wrong once, and is served again."""
    cache, router = Cache(100_000), _router()
    for scope in ("ada", "bob"):
        for _ in range(3):
            cache.answer(Query("q", scope=scope), models=MODELS, router=router, route="small")
    wrong = cache.answer(Query("other", scope="bob"), models=MODELS, router=router, route="small").decision
    cache.observe(wrong.id, quality=0.5)
    cache.answer(Query("q", scope="ada"), models=MODELS, router=router, cache="skip", route="large")
    return cache


def test_what_was_paid_and_saved_adds_up_to_everything_to_the_best_model() -> None:
    report = _used().report()
    total = report.total

    assert (report.unit, report.baseline) == ("usd", "large")
    assert (total.calls, total.hits, total.unpriced) == (4, 4, 0)
    assert total.spent == 3 * 100 * MICRO + 1_000 * MICRO
    assert total.saved_by_hits == 4 * 100 * MICRO
    assert total.saved_by_routing == (3 + 4) * 900 * MICRO
    assert total.price_of_errors == 250_000_000
    assert total.baseline == total.spent + total.saved == 8 * 1_000 * MICRO
    assert report.seconds.spent == 8_000_000_000
    assert report.seconds.saved == 8_000_000_000


def test_it_is_split_by_scope_model_and_day() -> None:
    report = _used().report()

    assert set(report.by_scope) == {"ada", "bob"}
    assert report.by_scope["ada"].hits == report.by_scope["bob"].hits == 2
    assert report.by_scope["bob"].price_of_errors == report.total.price_of_errors
    assert report.by_model["large"].spent == 1_000 * MICRO
    assert report.by_model["small"].calls == 3
    assert sum(account.spent for account in report.by_day.values()) == report.total.spent
    day = datetime.now(UTC).date()
    assert all(line.day is not None and (day - line.day).days in {0, 1} for line in report.lines)


def test_the_day_is_that_of_the_booking_in_utc() -> None:
    now = [datetime(2026, 11, 30, 23, 59, tzinfo=UTC).timestamp()]
    ledger = Ledger(clock=lambda: now[0])
    ledger.add("usd", spent=1.0)
    now[0] += 120
    ledger.add("usd", spent=2.0)

    assert {line.day: line.account.spent for line in ledger.lines("usd")} == {
        date(2026, 11, 30): 10**9,
        date(2026, 12, 1): 2 * 10**9,
    }


def test_costs_in_seconds_are_reported_in_seconds() -> None:
    cache, router = Cache(100_000), Router(["small", "large"])
    for _ in range(2):
        cache.answer("q", models=MODELS, router=router)

    report = cache.report()

    assert (report.unit, report.total.spent, report.total.saved_by_hits) == ("seconds", 2 * 10**9, 2 * 10**9)
    assert report.seconds == report.total


def test_a_call_of_unknown_cost_is_counted_apart() -> None:
    cache = Cache(100_000)
    router = Router(["m"], prices={"m": Price(1.0)})

    cache.answer("q", models={"m": lambda query: "text"}, router=router)

    report = cache.report()
    assert (report.total.calls, report.total.unpriced, report.total.spent) == (1, 1, 0)
    assert "1 calls had no known cost" in str(report)


def test_a_new_cache_has_an_empty_report() -> None:
    report = Cache(100_000).report()

    assert report.lines == ()
    assert report.total == Account()
    assert report.as_json()["lines"] == []
    assert "0 answers" in str(report)


def test_as_json_every_amount_names_its_unit() -> None:
    report = _used().report()

    told = json.loads(json.dumps(report.as_json()))

    assert told["unit"] == "usd"
    assert told["baseline"] == "large"
    assert told["total"]["baseline_usd"] == 0.008
    assert told["total"]["spent_usd"] == 0.0013
    assert told["model_time"]["spent_seconds"] == 8.0
    assert told["price_sources"] == {"small": "the contract", "large": ""}
    for name in ("spent_usd", "saved_by_hits_usd", "saved_by_routing_usd", "price_of_errors_usd"):
        assert sum(line[name] for line in told["lines"]) == pytest.approx(told["total"][name])
    assert {line["model"] for line in told["lines"]} == {"small", "large"}
    assert all(date.fromisoformat(line["day"]) for line in told["lines"])


def test_as_text_it_says_what_went_where() -> None:
    text = str(_used().report())

    tables, _, prices = text.partition("\n\nprices\n")
    rows = {row.split("  ")[0]: row.split() for row in tables.splitlines() if row}
    assert rows["everything to large"][-3:] == ["$0.008", "100.0", "%"]
    assert rows["spent"][1:] == ["$0.0013", "16.2", "%"]
    assert rows["ada"][1:3] == ["2", "2"]
    assert rows["large"][1:4] == ["1", "0", "$0.001"]
    assert "the contract" in prices
    assert "8 answers: 4 hits, 4 calls; 8.0 s of model time spent, 8.0 s saved" in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_text_of_many_scopes_shows_the_largest() -> None:
    day = date(2026, 11, 1)
    lines = tuple(Line(day, f"scope {n:03}", "m", Account(spent=n * 10**7, calls=1)) for n in range(100))

    text = str(Report("usd", lines))

    assert "scope 099" in text
    assert "scope 069" in text
    assert "scope 068" not in text
    assert "and 69 more, with smaller sums" in text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (1_234_567, "$0.001235"),
        (12_345_678, "$0.0123"),
        (999_999_999, "$1.0000"),
        (1_000_000_000, "$1.00"),
        (1_234_567_890_123, "$1,234.57"),
        (-2_500_000, "-$0.0025"),
    ],
)
def test_dollars_are_shown_to_the_digits_that_count(nano: int, text: str) -> None:
    assert amount(nano, "usd") == text


@pytest.mark.parametrize(
    "report",
    [
        Report("usd", ()),
        Report("seconds", (Line(None, None, None, Account(spent=5 * 10**9, saved_by_routing=-(10**9))),)),
        Report(
            "usd",
            tuple(
                Line(date(2026, 10, 1 + n % 28), f"s{n}", f"model {n % 20}", Account(n * 10**6, n, n, n))
                for n in range(200)
            ),
            baseline="a model with a name that is longer than a picture is wide",
        ),
    ],
    ids=["empty", "joined", "many"],
)
def test_the_picture_is_a_png(tmp_path: Path, report: Report) -> None:
    pytest.importorskip("matplotlib", reason="needs lecmux[report]")

    report.draw(tmp_path / "report.png")

    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_price_that_is_not_in_force_is_no_trouble_for_the_report() -> None:
    cache = Cache(100_000)
    router = Router(["m", "n"], prices={"m": Price(1.0), "n": PriceHistory.of({date(2020, 1, 1): Price()})})
    object.__setattr__(router.objective, "prices", {"m": PriceHistory.of({date(9999, 1, 1): Price()})})
    cache.core(("m", "n"), router)

    assert cache.report().sources == {"m": "not in force yet"}


def test_sums_go_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state"
    cache = _used()
    StateFile(path, cache=cache, router=_router()).close()
    before = cache.report()
    again, router = Cache(100_000), _router()

    with StateFile(path, cache=again, router=router) as state:
        again.answer(Query("new", scope="ada"), models=MODELS, router=router)
        assert state.incidents == 0

    after = again.report()
    assert after.total.calls == before.total.calls + 1
    assert after.total.spent == before.total.spent + again.stats().usd.spent
    assert again.stats().usd.calls == 1
    kept = read(path)
    assert kept.report() == after
    assert kept.cache is not None
    assert kept.cache.report().lines == after.lines
    assert kept.cache.stats().usd == Account()


@pytest.mark.parametrize(
    "spec",
    [
        {},
        [],
        {"columns": ["what"]},
        {"columns": ["spent"], "usd": [[0, 5, "m", 1]], "seconds": []},
        {"columns": ["spent"], "usd": [[0, "", "m", 0.5]], "seconds": []},
        {"columns": ["spent"], "usd": [[0, "", "m", 1, 2]], "seconds": []},
    ],
)
def test_sums_that_make_no_sense_are_refused_whole(spec: Any) -> None:
    ledger = Ledger()

    with pytest.raises((KeyError, TypeError, ValueError)):
        ledger._restore(spec)

    assert ledger.lines("usd") == ()
