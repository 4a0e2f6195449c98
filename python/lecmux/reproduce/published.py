"""What the paper's tables print (arXiv 2306.02003), as data: total cost of a stream, in thousands.

Copied from the tables of the public artifact (Ying1123/llm-caching-multiplexing, `inferband/*.tex`), which
average 100 runs. Its driver seeds each run with the clock in whole seconds, so that the runs of a cell share
streams.
"""

from dataclasses import dataclass

__all__ = ["DISTINCT_STREAMS", "LAMBADA", "OASST", "SYNTHETIC", "Published"]

DISTINCT_STREAMS = 8
"""How many streams stand behind a synthetic cell: re-running the driver gave 6 to 27, most often this."""


@dataclass(frozen=True, slots=True)
class Published:
    """One row of a table.

    Attributes:
        scenario: "offline" (set fixed beforehand, from the very stream that is served) or "online".
        accuracy: share of requests at which the selector is right.
        alpha: of the popularity, see `lecmux.sim.traces.power_law`.
        ratio: of costs, in the synthetic law; 0 elsewhere.
        lfu: LFU with the first (large) model, the second (cascade), the selector.
        lec: LEC with the same.
    """

    scenario: str
    accuracy: float
    alpha: float
    ratio: float
    lfu: tuple[float, float, float]
    lec: tuple[float, float, float]

    @property
    def law(self) -> str:
        """What its stream is drawn from."""
        return f"alpha {self.alpha:g}" + (f", ratio {self.ratio:g}" if self.ratio else "")

    @property
    def name(self) -> str:
        """Law and protocol."""
        return f"{self.scenario}, accuracy {self.accuracy:g}, {self.law}"


SYNTHETIC = (
    Published("offline", 0.8, 0.5, 1.5, (6.82, 6.54, 5.30), (5.61, 5.64, 4.55)),
    Published("offline", 0.8, 0.8, 1.5, (8.90, 9.63, 6.72), (7.19, 8.09, 6.34)),
    Published("offline", 0.8, 0.5, 100, (188.74, 211.91, 135.81), (76.44, 57.52, 55.85)),
    Published("offline", 0.8, 0.8, 100, (309.82, 260.22, 185.83), (116.49, 84.90, 75.59)),
    Published("offline", 1, 0.5, 1.5, (6.08, 6.97, 4.17), (6.08, 5.73, 3.44)),
    Published("offline", 1, 0.8, 1.5, (9.15, 8.99, 5.61), (7.42, 7.79, 4.53)),
    Published("offline", 1, 0.5, 100, (187.66, 159.15, 110.83), (76.56, 76.64, 6.22)),
    Published("offline", 1, 0.8, 100, (302.81, 252.69, 145.61), (61.04, 137.45, 12.26)),
    Published("online", 1, 0.5, 1.5, (6.87, 6.52, 5.18), (6.12, 6.04, 4.86)),
    Published("online", 1, 0.8, 1.5, (8.82, 9.52, 7.44), (8.07, 8.28, 6.35)),
    Published("online", 1, 0.5, 100, (206.29, 207.88, 87.99), (58.44, 73.91, 10.54)),
    Published("online", 1, 0.8, 100, (266.98, 265.24, 115.29), (115.80, 107.79, 7.19)),
)
"""Costs without a unit; two exchangeable models, so that their columns differ by chance alone."""

LAMBADA = (
    Published("offline", 0.8, 0.2, 0, (3.49, 3.62, 2.60), (3.49, 1.54, 2.10)),
    Published("offline", 0.8, 0.8, 0, (10.85, 11.24, 7.75), (10.35, 4.13, 4.81)),
    Published("offline", 1, 0.2, 0, (3.45, 3.73, 1.94), (3.42, 1.44, 0.95)),
    Published("offline", 1, 0.8, 0, (10.95, 11.86, 5.36), (10.32, 4.18, 2.51)),
)
"""In 10^15 FLOPs: OPT-1.3B and OPT-13B."""

OASST = (
    Published("online", 1, 0.2, 0, (9.25, 13.79, 7.34), (8.80, 9.03, 5.98)),
    Published("online", 1, 0.5, 0, (20.29, 29.03, 15.22), (18.77, 17.18, 11.73)),
    Published("online", 1, 0.8, 0, (28.34, 41.57, 21.30), (25.97, 20.04, 15.54)),
)
"""In 1,000 s on an A100: FastChat-T5-3B and Vicuna-13B."""
