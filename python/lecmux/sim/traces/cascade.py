"""A small model that is checked, and a large one that is asked where it failed."""

from lecmux.sim.traces._numpy import Bools, Floats, np

__all__ = ["cascade_cost", "forced_half"]


def cascade_cost(small: Floats, large: Floats, success: Bools, penalty: float = 2.0) -> Floats:
    """Cost of asking the small model first: small, and `penalty` times large where it failed, (N,).

    The artifact of arXiv 2306.02003 has the penalty 2, which its text does not mention (`FAIL_PENALTY`): a
    failure is paid for twice over.
    """
    return small + np.where(success, 0.0, penalty * large)


def forced_half(draws: np.random.RandomState, queries: int) -> Bools:
    """Which queries the small model gets right: half of them whatever the data say, in random order.

    The artifact takes the first queries of either kind until each has half of the places, and shuffles.
    """
    right = np.arange(queries) < queries // 2
    draws.shuffle(right)
    return right
