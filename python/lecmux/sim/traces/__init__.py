"""Streams of requests to replay: the paper's laws, laws it leaves out, and logs of yours.

    >>> from lecmux.sim import simulate
    >>> from lecmux.sim.traces import synthetic
    >>> trace = synthetic(1, alpha=0.5, ratio=1.5)
    >>> simulate(trace.queries, trace.costs, capacity=8).requests
    10000

Needs `lecmux[sim]`. Each law takes a seed and gives a `Trace`; the same seed gives the same stream.
"""

from lecmux.sim.traces.cascade import cascade_cost
from lecmux.sim.traces.drift import drift
from lecmux.sim.traces.lambada import Decoder, lambada
from lecmux.sim.traces.log import Log, Tokens, read_log
from lecmux.sim.traces.many_models import many_models
from lecmux.sim.traces.notebook import notebook
from lecmux.sim.traces.oasst import oasst
from lecmux.sim.traces.power_law import draw_power_law, power_law
from lecmux.sim.traces.sizes import sized
from lecmux.sim.traces.synthetic import synthetic
from lecmux.sim.traces.trace import Trace
from lecmux.sim.traces.zipf import zipf_law

__all__ = [
    "Decoder",
    "Log",
    "Tokens",
    "Trace",
    "cascade_cost",
    "draw_power_law",
    "drift",
    "lambada",
    "many_models",
    "notebook",
    "oasst",
    "power_law",
    "read_log",
    "sized",
    "synthetic",
    "zipf_law",
]
