"""What is asked, what the models charge, and how what is timed is named."""

from collections.abc import Callable
from itertools import count
from typing import Final

from lecmux import Price

HOT: Final = "What is the capital of the country whose flag shows a red maple leaf, and since when?"
ANSWER: Final = "The capital of Canada is Ottawa. Queen Victoria chose it on the last day of 1857."
INPUT_TOKENS: Final = 19
OUTPUT_TOKENS: Final = 21
PRICES: Final = {"small": Price(0.1, 0.4), "large": Price(1.0, 4.0)}

HIT: Final = ", hit"
MISS: Final = ", miss"
Tasks = dict[str, Callable[[], object]]
"""What is timed, by name."""

_numbers = count()


def fresh() -> str:
    """A question that nobody has asked before, as long as the hot one."""
    return f"What is the capital of country {next(_numbers):012d} on our list of them all, and since when?"
