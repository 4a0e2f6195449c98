"""The paper's experiments (arXiv 2306.02003) and those it leaves open, for anybody to run again.

`lecmux reproduce` prints them. From Python:

    >>> from lecmux.reproduce import experiment
    >>> results = experiment("synthetic").run(seeds=2)
    >>> results.command
    'lecmux reproduce synthetic --seeds 2'

Needs `lecmux[sim]`, and `lecmux[cli]` for the command.
"""

from lecmux.reproduce.experiments import experiment
from lecmux.reproduce.results import Chart, Check, Column, Heat, Panel, Results, Series, Table
from lecmux.reproduce.run import Experiment
from lecmux.reproduce.summary import Summary

__all__ = [
    "Chart",
    "Check",
    "Column",
    "Experiment",
    "Heat",
    "Panel",
    "Results",
    "Series",
    "Summary",
    "Table",
    "experiment",
]
