"""What is left of an index when every vector was replaced several times, beside one built afresh."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.report import Measure, Table
from benches.vectors import peers
from benches.vectors.asked import recall, seconds
from benches.vectors.data import Data, Rows
from benches.vectors.sweep import Sweep, ns_at, swept, timed, times_as_fast

_HEADS = [
    "index",
    "turnovers",
    "effort",
    "recall@1",
    "afresh",
    "queries a second",
    "replaced a second",
    "bytes",
]


@dataclass(slots=True)
class _Life:
    """An index, and which of `every` it holds: the same draws for each index.

    Attributes:
        name: of the index.
        effort: what it needed when it was fresh.
    """

    name: str
    index: peers.Peer
    every: Rows
    held: NDArray[np.int64]
    absent: NDArray[np.int64]
    generator: np.random.Generator
    effort: int = 0
    turnovers: int = 0
    rates: list[float] = field(default_factory=list)

    def turn(self, turnovers: int) -> None:
        """Replaces random ones by others until so many turnovers were made."""
        count = (turnovers - self.turnovers) * len(self.held)
        places = self.generator.integers(len(self.held), size=count).tolist()
        others = self.generator.integers(len(self.absent), size=count).tolist()

        def replace() -> None:
            for place, other in zip(places, others, strict=True):
                leaves, comes = int(self.held[place]), int(self.absent[other])
                self.held[place], self.absent[other] = comes, leaves
                self.index.replace(leaves, comes, self.every[comes])

        self.rates.append(count / seconds(replace))
        self.turnovers = turnovers

    def data(self, queries: Rows) -> Data:
        """What is held now."""
        return Data("", self.every[self.held], queries, self.every[:0])


def measure(data: Data, plan: dict[str, Any], made: Mapping[str, Callable[[], peers.Peer]]) -> Measure:
    """Recall and speed of each index, fresh and after turnovers."""
    every = np.concatenate([data.base, data.fresh])
    lives = [_begun(name, make(), every, data, plan) for name, make in made.items()]
    rows, figures, samples = [], {}, {}
    for turnovers in (0, *plan["turnovers"]):
        looked = [life for life in lives if turnovers <= _most(life.name, plan)]
        for life in looked:
            if turnovers:
                life.turn(turnovers)
        found, taken = _look(looked, data.queries, plan)
        samples[f"after {turnovers} turnovers of {len(data.base)}"] = taken
        for life in looked:
            sweep, ns = found[life.name], []
            if sweep.best >= plan["recall"]:
                ns = ns_at(life.name, sweep, plan["recall"], taken)
            now = sweep.recalls[life.effort]
            afresh = _afresh(made[life.name](), life, data.queries) if turnovers else now
            rows.append(_row(life, turnovers, now, afresh, ns))
            figures[f"turned_{turnovers}_change_{life.name.replace(' ', '_')}"] = round(now - afresh, 6)
        figures |= _ratios(looked, found, taken, plan["recall"], turnovers)
    note = (
        f"Seed {plan['seed']}; recall at the effort that a fresh index needed for {plan['recall']:.0%}, and "
        "of one built afresh of the same vectors at that effort; queries a second where the index as it is "
        f"now finds {plan['recall']:.0%}, all in one interleaved run."
    )
    return Measure([Table(f"Turnover: {data.what}", _HEADS, rows, note)], figures, samples)


def _begun(name: str, index: peers.Peer, every: Rows, data: Data, plan: dict[str, Any]) -> _Life:
    index.fill(data.base)
    held, absent = np.arange(len(data.base)), np.arange(len(data.base), len(every))
    life = _Life(name, index, every, held, absent, np.random.default_rng(plan["seed"]))
    sweep = swept(index, data, data.nearest(), plan["recall"])
    life.effort = list(sweep.recalls)[-1]
    return life


def _look(
    lives: list[_Life], queries: Rows, plan: dict[str, Any]
) -> tuple[dict[str, Sweep], dict[str, list[float]]]:
    """The recall of each at every effort up to what it needs, and needed; times around the recall wanted."""
    truth = lives[0].held[lives[0].data(queries).nearest()]
    sweeps = {}
    for life in lives:
        data = Data("", life.every[:0], queries, life.every[:0])
        own = truth if np.array_equal(life.held, lives[0].held) else life.held[life.data(queries).nearest()]
        sweep = swept(life.index, data, own, plan["recall"])
        recalls = dict(sweep.recalls)
        if life.effort not in recalls:
            life.index.effort(life.effort)
            recalls[life.effort] = recall(life.index, queries, own)
        sweeps[life.name] = Sweep(dict(sorted(recalls.items())))
    indexes = {life.name: life.index for life in lives}
    some = list(queries[: plan["queries_a_round"]])
    return sweeps, timed(indexes, sweeps, [plan["recall"]], some, plan["rounds"])


def _row(life: _Life, turnovers: int, now: float, afresh: float, ns: list[float]) -> list[str]:
    speed = f"{1e9 / float(np.median(ns)):,.0f}" if ns else "short of it"
    rate = f"{life.rates[-1]:,.0f}" if turnovers else ""
    held = (
        f"{life.index.index.memory_bytes / len(life.held):,.0f}"
        if isinstance(life.index, peers.Lecmux)
        else ""
    )
    return [life.name, str(turnovers), str(life.effort), f"{now:.4f}", f"{afresh:.4f}", speed, rate, held]


def _ratios(
    lives: list[_Life], found: dict[str, Sweep], taken: dict[str, list[float]], wanted: float, turnovers: int
) -> dict[str, float]:
    """How many times as fast the first, which is of lecmux, is as each other."""
    first, *others = [life.name for life in lives if found[life.name].best >= wanted] or [""]
    if "lecmux" not in first:
        return {}
    ours = ns_at(first, found[first], wanted, taken)
    return {
        f"turned_{turnovers}_vs_{name.replace(' ', '_')}": times_as_fast(
            ours, ns_at(name, found[name], wanted, taken)
        )
        for name in others
    }


def _most(name: str, plan: dict[str, Any]) -> int:
    """Turnovers after which an index is still looked at: the peers, which replace slowly, not to the end."""
    return int(max(plan["turnovers"]) if "lecmux" in name else plan["peer_turnovers"])


def _afresh(index: peers.Peer, life: _Life, queries: Rows) -> float:
    """Recall of an index of the same vectors that never lost one, at the same effort."""
    data = life.data(queries)
    index.fill(data.base)
    index.effort(life.effort)
    return recall(index, queries, data.nearest())
