"""What is left of an index when every vector was replaced several times, beside one built afresh."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.report import Table
from benches.vectors import asked, peers
from benches.vectors.data import Data, Rows


@dataclass(slots=True)
class _Life:
    """Which of `every` are held, and which take their place: the same draws for each index."""

    every: Rows
    held: NDArray[np.int64]
    absent: NDArray[np.int64]
    generator: np.random.Generator

    def turn(self, index: peers.Peer, count: int) -> None:
        """Replaces a random one by another, so many times."""
        places = self.generator.integers(len(self.held), size=count).tolist()
        others = self.generator.integers(len(self.absent), size=count).tolist()
        for place, other in zip(places, others, strict=True):
            leaves, comes = int(self.held[place]), int(self.absent[other])
            self.held[place], self.absent[other] = comes, leaves
            index.replace(leaves, comes, self.every[comes])

    def nearest(self, queries: Rows) -> NDArray[np.int64]:
        """Number of the most similar that is held."""
        nearest: NDArray[np.int64] = self.held[np.argmax(queries @ self.every[self.held].T, axis=1)]
        return nearest


def measure(
    data: Data, plan: dict[str, Any], made: Mapping[str, Callable[[], peers.Peer]]
) -> tuple[Table, dict[str, float]]:
    """Recall and speed of each index, fresh and after turnovers, at the effort it needed when fresh."""
    rows, figures = [], {}
    for name, make in made.items():
        life = _life(data, plan)
        index = make()
        index.fill(data.base)
        effort, recall = asked.tuned(index, data.queries, data.nearest(), plan["recall"])
        speed = 1e9 / asked.search_ns(index, data.queries)
        rows.append([name, "0", str(effort), f"{recall:.4f}", f"{recall:.4f}", f"{speed:,.0f}", ""])
        done = 0
        for turnovers in _looks(name, plan):
            count = (turnovers - done) * len(data.base)
            spent, done = asked.seconds(partial(life.turn, index, count)), turnovers
            truth = life.nearest(data.queries)
            recall, speed = (
                asked.recall(index, data.queries, truth),
                1e9 / asked.search_ns(index, data.queries),
            )
            fresh = _afresh(make(), life, effort, data.queries)
            figures[f"recall_change_{name.replace(' ', '_')}_{turnovers}"] = round(recall - fresh, 4)
            figures[f"qps_{name.replace(' ', '_')}_{turnovers}"] = speed
            shown = [f"{recall:.4f}", f"{fresh:.4f}", f"{speed:,.0f}", f"{count / spent:,.0f}"]
            rows.append([name, str(turnovers), str(effort), *shown])
    heads = ["index", "turnovers", "effort", "recall@1", "built afresh", "queries a second"]
    return Table(f"Turnover: {data.what}", [*heads, "replaced a second"], rows), figures


def _life(data: Data, plan: dict[str, Any]) -> _Life:
    every = np.concatenate([data.base, data.fresh])
    held, absent = np.arange(len(data.base)), np.arange(len(data.base), len(every))
    return _Life(every, held, absent, np.random.default_rng(plan["seed"]))


def _looks(name: str, plan: dict[str, Any]) -> list[int]:
    """After how many turnovers an index is looked at: the peers, which replace slowly, not to the end."""
    most = max(plan["turnovers"]) if "lecmux" in name else plan["peer_turnovers"]
    return [count for count in plan["turnovers"] if count <= most]


def _afresh(index: peers.Peer, life: _Life, effort: int, queries: Rows) -> float:
    """Recall of an index of the same vectors that never lost one."""
    index.fill(life.every[life.held])
    index.effort(effort)
    place = {int(number): at for at, number in enumerate(life.held)}
    return asked.recall(index, queries, np.array([place[int(best)] for best in life.nearest(queries)]))
