"""A folder that a command is to write into, known to be writable before the command's long work."""

import tempfile
from pathlib import Path

from lecmux.errors import ConfigError

__all__ = ["writable"]


def writable(folder: Path) -> Path:
    """`folder`, made where it is missing.

    Raises:
        ConfigError: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror or error}") from error
    return folder
