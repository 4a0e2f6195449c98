"""The experiments, in the order in which `lecmux reproduce` runs them."""

from lecmux.errors import ConfigError
from lecmux.reproduce.capacity import Capacity
from lecmux.reproduce.drift import Drift
from lecmux.reproduce.lambada import Lambada
from lecmux.reproduce.looks import Looks
from lecmux.reproduce.many_models import ManyModels
from lecmux.reproduce.oasst import Oasst
from lecmux.reproduce.regret import Regret
from lecmux.reproduce.run import Experiment
from lecmux.reproduce.sensitivity import Sensitivity
from lecmux.reproduce.sizes import Sizes
from lecmux.reproduce.synthetic import Synthetic

__all__ = ["EXPERIMENTS", "experiment"]

EXPERIMENTS: tuple[Experiment, ...] = (
    Synthetic(),
    Lambada(),
    Oasst(),
    Regret(),
    Drift(),
    Sizes(),
    ManyModels(),
    Sensitivity(),
    Capacity(),
    Looks(),
)
"""All of them."""


def experiment(name: str) -> Experiment:
    """The one of that name.

    Raises:
        ConfigError: there is none.
    """
    for each in EXPERIMENTS:
        if each.name == name:
            return each
    raise ConfigError(f"no experiment {name!r}: there are {', '.join(each.name for each in EXPERIMENTS)}")
