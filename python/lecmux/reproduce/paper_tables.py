"""The paper's tables, cell by cell, beside what we find in the same set-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lecmux.reproduce.fallible import TREATMENTS, fallible_totals
from lecmux.reproduce.paper_setting import SELECTOR, Setting, Totals
from lecmux.reproduce.published import Published
from lecmux.reproduce.results import Cell, Column, Panel, Role, Series, Table
from lecmux.reproduce.run import Progress, over_seeds
from lecmux.reproduce.summary import Summary, difference, ratio, summary, z_of_published

__all__ = ["PaperTables", "fallible_table", "learning_table", "of_means", "replay"]

_RULES = ("LFU", "LEC")


def replay(
    setting: Setting, fallible: Sequence[Published], seeds: int, progress: Progress
) -> dict[str, tuple[float, ...]]:
    """Total costs by name, one a seed; for `fallible` rows also those of each treatment of mistakes."""

    def totals(seed: int) -> Totals:
        treated = {
            f"{row.name} | {name}": cost
            for row in fallible
            for name, cost in fallible_totals(setting, row, seed).items()
        }
        return setting.totals(seed) | treated

    found = over_seeds(totals, seeds, progress)
    return {name: tuple(each[name] for each in found) for name in found[0]}


@dataclass(frozen=True, slots=True)
class PaperTables:
    """Turns the totals of all seeds into tables.

    Attributes:
        setting: what was replayed.
        samples: total costs by name, one a seed.
        scale: from the law's unit to the table's.
        distinct: how many streams the published cells average; None where the streams are rebuilt, so that
            what lies between is no matter of chance.
        digits: after the decimal point.
    """

    setting: Setting
    samples: Mapping[str, Sequence[float]]
    scale: float = 1e-3
    distinct: int | None = None
    digits: int = 2

    def cells(self, title: str, rows: Sequence[Published]) -> Table:
        """Each published cell: the unchanged rule's figure and its distance, ours, and the bounds.

        A policy that starts empty is held against the bounds that do so too ("cold").
        """
        warm = rows[0].scenario == "offline"
        bounds = ("static", "warm") if warm else ("cold", "dynamic")
        columns = (
            *(Column("law"), Column("cell"), Column("published", self.digits)),
            Column("the rule", self.digits, error=True, median=True),
            Column("published - rule, %" if self.distinct is None else "z", 1, sign=True),
            Column("ours", self.digits, error=True),
            Column("ours - rule", self.digits, error=True, sign=True),
            Column("best fixed set" + ("" if warm else ", cold"), self.digits),
            Column("clairvoyant" + (", warm" if warm else ""), self.digits),
        )
        lines = [
            self._cell(row, rule, place, bounds)
            for row in rows
            for rule in _RULES
            for place in range(len(self.setting.columns))
        ]
        return Table(title, columns, tuple(lines))

    def _cell(self, row: Published, rule: str, place: int, bounds: tuple[str, str]) -> tuple[Cell, ...]:
        column = self.setting.columns[place]
        published = (row.lfu if rule == "LFU" else row.lec)[place]
        theirs = self.of(f"{row.name} | {rule} + {column}")
        ours = self.of(f"{row.name} | ours + {column}")
        measured = summary(theirs, self.scale)
        return (
            *(row.law, f"{rule} + {column}", published, measured),
            self._distance(published, measured),
            summary(ours, self.scale),
            difference(ours, theirs, self.scale),
            *(summary(self.of(f"{row.law} | {bound} + {column}"), self.scale) for bound in bounds),
        )

    def _distance(self, published: float, measured: Summary) -> float:
        """In standard errors, or in percent."""
        if self.distinct is None:
            return 100 * (published / measured.mean - 1)
        return z_of_published(published, measured, self.distinct)

    def headline(self, title: str, rows: Sequence[Published]) -> Table:
        """How many times more LFU with the large model costs than LEC with the selector and others."""
        columns = (
            *(Column("protocol"), Column("published", self.digits), Column("ratio of means", self.digits)),
            *(Column("rule: median", 1), Column("5 %", 1), Column("95 %", 1)),
            *(Column("ours: median", 1), Column("5 %", 1), Column("95 %", 1)),
            *(Column("best fixed set: median", 1), Column("clairvoyant: median", 1)),
        )
        return Table(title, columns, tuple(self._headline(row) for row in rows))

    def _headline(self, row: Published) -> tuple[Cell, ...]:
        large, selector = self.setting.columns[0], self.setting.columns[SELECTOR]
        baseline = self.of(f"{row.name} | LFU + {large}")
        warm = row.scenario == "offline"
        against = (
            f"{row.name} | LEC + {selector}",
            f"{row.name} | ours + {selector}",
            f"{row.law} | {'static' if warm else 'cold'} + {selector}",
            f"{row.law} | {'warm' if warm else 'dynamic'} + {selector}",
        )
        theirs, ours, fixed, clairvoyant = (ratio(baseline, self.of(name)) for name in against)
        whole = sum(baseline) / sum(self.of(against[0]))
        return (
            *(row.name, row.lfu[0] / row.lec[SELECTOR], whole),
            *(theirs.median, theirs.low, theirs.high, ours.median, ours.low, ours.high),
            *(fixed.median, clairvoyant.median),
        )

    def panel(self, title: str, unit: str, rows: Sequence[Published]) -> Panel:
        """Bars for each law: LFU with the large model, LEC with the selector, ours, and the bounds."""
        selector, large = self.setting.columns[SELECTOR], self.setting.columns[0]
        warm = rows[0].scenario == "offline"
        bars: tuple[tuple[str, Role, str], ...] = (
            (f"LFU + {large}", "other", f"LFU + {large}"),
            (f"LEC + {selector}, the paper's rule", "paper", f"LEC + {selector}"),
            ("ours", "ours", f"ours + {selector}"),
            ("best fixed set", "bound", f"{'static' if warm else 'cold'} + {selector}"),
            ("clairvoyant", "bound", f"{'warm' if warm else 'dynamic'} + {selector}"),
        )
        laws = tuple(row.law.replace(", ", "\n") for row in rows)
        series = []
        for label, role, what in bars:
            names = [f"{row.law if role == 'bound' else row.name} | {what}" for row in rows]
            costs = [summary(self.of(name), self.scale) for name in names]
            heights, errors = tuple(cost.mean for cost in costs), tuple(cost.error for cost in costs)
            series.append(Series(label, laws, heights, errors, role))
        return Panel(title, "", unit, tuple(series), log_y=True)

    def of(self, name: str) -> Sequence[float]:
        """Totals of one rule, a seed each."""
        return self.samples[name]


def fallible_table(tables: PaperTables, rows: Sequence[Published]) -> Table:
    """Each treatment of a selector's mistakes, a column a law."""
    columns = (Column("selector"), *(Column(row.law, tables.digits, error=True) for row in rows))
    lines: list[tuple[Cell, ...]] = [
        (text, *(summary(tables.of(f"{row.name} | {name}"), tables.scale) for row in rows))
        for name, text in TREATMENTS.items()
    ]
    accuracy = rows[0].accuracy
    note = "A coin knows the noise of the request where it is right, which no selector can."
    return Table(f"A selector of accuracy {accuracy:g}, set held from the start", columns, tuple(lines), note)


def learning_table(tables: PaperTables, rows: Sequence[Published]) -> Table:
    """Online with both models: the leaky rule, ours told of the costs or not, and what learning must cost."""
    floors = tables.setting.floor is not None
    columns = (
        *(Column("law"), Column("the rule", 3, error=True), Column("ours", 3, error=True, median=True)),
        *(Column("ours - rule", 3, error=True, sign=True), Column("default", 3, error=True)),
        *(Column("default / ours", 3), Column("fixed set by means, cold", 3)),
        *((Column("floor", 3, median=True), Column("ours / floor", 3)) if floors else ()),
    )
    note = (
        "The rule sees costs that it does not pay, ours what it pays for. The default is told nothing of the "
        "costs, keeps scores as they were when a query was last asked, and lets counts decay."
    )
    if floors:
        note += (
            " The floor is told the popularity, and the true mean of a model at the first call; what "
            "is above the "
            "fixed set in it is the price of looking once."
        )
    title = "Online with both models: what learning costs"
    return Table(title, columns, tuple(_learnt(tables, row) for row in rows), note)


def _learnt(tables: PaperTables, row: Published) -> tuple[Cell, ...]:
    scale, selector = tables.scale, tables.setting.columns[SELECTOR]
    names = ("LEC", "ours", "default")
    rule, ours, default = (tables.of(f"{row.name} | {name} + {selector}") for name in names)
    fixed = tables.of(f"{row.law} | cold mean + {selector}")
    cells: tuple[Cell, ...] = (
        *(row.law, summary(rule, scale), summary(ours, scale), difference(ours, rule, scale)),
        *(summary(default, scale), of_means(default, ours), summary(fixed, scale)),
    )
    if tables.setting.floor is None:
        return cells
    floor = tables.of(f"{row.law} | floor + {selector}")
    return (*cells, summary(floor, scale), of_means(ours, floor))


def of_means(above: Sequence[float], below: Sequence[float]) -> float:
    """The quotient of two means over the same streams."""
    return sum(above) / sum(below)
