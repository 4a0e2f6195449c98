"""numpy, which traces are made of, with a helpful error where it is missing."""

from lecmux.errors import MissingExtraError

try:
    import numpy as np
    import numpy.typing as npt
except ImportError as error:
    raise MissingExtraError("traces are numpy arrays: pip install 'lecmux[sim]'") from error

__all__ = ["Bools", "Floats", "Ints", "Models", "np"]

Ints = npt.NDArray[np.int64]
Models = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
