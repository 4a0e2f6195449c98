"""Snapshot files: written beside their target and renamed over it, so that readers see a whole file."""

import contextlib
import os
import tempfile
from pathlib import Path


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes atomically and durably, readable by the owner only (mode 0600)."""
    target = Path(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mkstemp sets 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    _sync_folder(target.parent)


def read(path: str | os.PathLike[str]) -> bytes:
    """Returns what `write` wrote; the core checks it.

    Raises:
        OSError: when the file cannot be read.
    """
    return Path(path).read_bytes()


def _sync_folder(folder: Path) -> None:
    """Makes the rename durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
