"""What was spent and saved, by scope, model and day: an object, JSON, a table, a picture."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lecmux import _tables
from lecmux.costs.history import AnyPrice
from lecmux.costs.ledger import NANO, Account, Ledger, Line, add_up
from lecmux.errors import PriceError
from lecmux.query import Unit
from lecmux.routers.router import Router

__all__ = ["Report"]

_MOST_ROWS = 31  # a month of days


@dataclass(frozen=True, slots=True)
class Report:
    """What the answers cost, and what they would have cost with everything sent to the best model.

    `print(report)` shows it as tables.

    Attributes:
        unit: of every amount.
        lines: the account of each scope, model and day; sums of lines are exact.
        baseline: the model that "everything to the best model" means; None where there is no router.
        seconds: model time spent and saved, whatever the unit is.
        sources: where the price of each model comes from.
    """

    unit: Unit
    lines: tuple[Line, ...]
    baseline: str | None = None
    seconds: Account = field(default_factory=Account)
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, unit: Unit, routers: Sequence[Router] = ()) -> "Report":
        """The report of a ledger; `routers` tell the baseline, where they agree, and the prices."""
        baselines = {router.baseline for router in routers}
        sources: dict[str, str] = {}
        for router in routers:
            sources |= _sources(router.objective.prices)
        return cls(
            unit,
            ledger.lines(unit),
            baseline=baselines.pop() if len(baselines) == 1 else None,
            seconds=add_up(ledger.lines("seconds")),
            sources=sources,
        )

    @property
    def total(self) -> Account:
        """The sum of all lines."""
        return add_up(self.lines)

    @property
    def by_model(self) -> dict[str | None, Account]:
        """By the model that gave the answer; "" for what was stored by hand."""
        return self._by(lambda line: line.model)

    @property
    def by_scope(self) -> dict[str | None, Account]:
        """By scope; None for the scopes that were joined to bound the memory."""
        return self._by(lambda line: line.scope)

    @property
    def by_day(self) -> dict[date | None, Account]:
        """By day, in UTC; None for the days that were joined."""
        return self._by(lambda line: line.day)

    def as_json(self) -> dict[str, Any]:
        """One object for `json.dumps`; amounts are in the unit that their name ends with."""
        return {
            "unit": self.unit,
            "baseline": self.baseline,
            "total": _amounts(self.total, self.unit),
            "model_time": _amounts(self.seconds, "seconds"),
            "lines": [
                {
                    "day": None if line.day is None else line.day.isoformat(),
                    "scope": line.scope,
                    "model": line.model,
                    **_amounts(line.account, self.unit),
                }
                for line in self.lines
            ],
            "price_sources": dict(self.sources),
        }

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Writes a PNG: what was spent and saved in all, by model and by day.

        Raises:
            MissingExtraError: matplotlib is not installed.
            OSError: the file cannot be written.
        """
        from lecmux import _chart  # noqa: PLC0415  an extra, loaded at first use

        _chart.draw(self, path)

    def __str__(self) -> str:
        return "\n\n".join(self._texts())

    def _by(self, name: Callable[[Line], Any]) -> dict[Any, Account]:
        groups: dict[Any, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(name(line), []).append(line)
        return {key: add_up(lines) for key, lines in groups.items()}

    def _texts(self) -> Iterable[str]:
        yield self._summary()
        for title, groups in (
            ("model", self.by_model),
            ("scope", self.by_scope),
            ("day", self.by_day),
        ):
            if len(groups) > 1:
                yield self._grouped(title, groups)
        if any(self.sources.values()):
            yield "prices\n" + _tables.table(
                [(name, source) for name, source in self.sources.items() if source]
            )

    def _summary(self) -> str:
        total = self.total
        rows = [
            (f"everything to {self.baseline or 'a model'}", total.baseline),
            ("spent", total.spent),
            ("saved by hits", total.saved_by_hits),
            ("saved by routing", total.saved_by_routing),
            ("price of errors", total.price_of_errors),
        ]
        shadow = total.would_save_by_hits + total.would_save_by_routing
        if shadow:
            rows.append(("shadow would save", shadow))
        table = _tables.table(
            [(name, self._amount(nano), _tables.share(nano, total.baseline)) for name, nano in rows],
            right=(1, 2),
        )
        return f"{table}\n{self._counts(total)}"

    def _counts(self, total: Account) -> str:
        spent, saved = (f"{nano / NANO:,.1f} s" for nano in (self.seconds.spent, self.seconds.saved))
        text = (
            f"{total.calls + total.hits:,} answers: {total.hits:,} hits, {total.calls:,} calls; "
            f"{spent} of model time spent, {saved} saved"
        )
        if total.unpriced:
            text += f"\n{total.unpriced:,} calls had no known cost and are not in these sums"
        return text

    def _grouped(self, title: str, groups: Mapping[Any, Account]) -> str:
        heads = (title, "calls", "hits", "spent", "saved by hits", "saved by routing", "price of errors")
        kept = _largest(groups)
        rows = [(_name(title, key), *self._cells(account)) for key, account in kept.items()]
        text = _tables.table([heads, *rows], right=range(1, len(heads)))
        left = len(groups) - len(kept)
        return text + (f"\nand {left:,} more, with smaller sums" if left else "")

    def _cells(self, account: Account) -> tuple[str, ...]:
        amounts = (account.spent, account.saved_by_hits, account.saved_by_routing, account.price_of_errors)
        return f"{account.calls:,}", f"{account.hits:,}", *map(self._amount, amounts)

    def _amount(self, nano: int) -> str:
        return _tables.amount(nano, self.unit)


def _sources(prices: Mapping[str, AnyPrice]) -> dict[str, str]:
    """Where the prices in force come from, by model."""
    sources = {}
    for name, price in prices.items():
        try:
            sources[name] = price.at().source
        except PriceError:
            sources[name] = "not in force yet"
    return sources


def _largest(groups: Mapping[Any, Account]) -> dict[Any, Account]:
    """The groups with the largest sums, in their own order."""
    if len(groups) <= _MOST_ROWS:
        return dict(groups)
    sizes = sorted((abs(account.baseline) for account in groups.values()), reverse=True)
    kept = [key for key in groups if abs(groups[key].baseline) >= sizes[_MOST_ROWS - 1]]
    return {key: groups[key] for key in kept[:_MOST_ROWS]}


def _name(title: str, key: Any) -> str:
    if key is None:
        return f"(several {title}s)"
    return str(key) if key != "" else "(none)"


def _amounts(account: Account, unit: Unit) -> dict[str, float]:
    return {
        f"spent_{unit}": account.spent / NANO,
        f"saved_by_hits_{unit}": account.saved_by_hits / NANO,
        f"saved_by_routing_{unit}": account.saved_by_routing / NANO,
        f"price_of_errors_{unit}": account.price_of_errors / NANO,
        f"baseline_{unit}": account.baseline / NANO,
        f"would_save_{unit}": (account.would_save_by_hits + account.would_save_by_routing) / NANO,
        "calls": account.calls,
        "hits": account.hits,
        "unpriced_calls": account.unpriced,
    }
