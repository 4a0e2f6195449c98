"""Snapshot files: written beside their target and renamed over it, so that readers see a whole file."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from lecmux.errors import SnapshotError

_MAGIC = b"LECMUX-ROUTER\x00\x01"
_DIGEST_BYTES = 16
_BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has a text mode


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes atomically and durably, readable by the owner only (mode 0600)."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
    _sync_folder(target.parent)


def read(path: str | os.PathLike[str]) -> bytes:
    """Returns what `write` wrote; the core checks it.

    Raises:
        OSError: when the file cannot be read.
    """
    return Path(path).read_bytes()


def other_kind(data: bytes) -> str | None:
    """What `data` is instead of a cache's snapshot; None where that cannot be told."""
    return "a router's snapshot: Router.load reads it" if data.startswith(_MAGIC[:-2]) else None


def seal(about: dict[str, Any], state: bytes) -> bytes:
    """Joins settings and a state of the core: magic, digest, settings on one line, state."""
    body = json.dumps(about, separators=(",", ":")).encode() + b"\n" + state
    return _MAGIC + _digest(body) + body


def unseal(data: bytes, path: str | os.PathLike[str]) -> tuple[dict[str, Any], bytes]:
    """Takes apart what `seal` joined.

    Raises:
        SnapshotError: naming `path`, when the bytes are foreign, of another version, cut or changed.
    """
    if data[: len(_MAGIC) - 1] != _MAGIC[:-1]:
        raise SnapshotError(f"{path} is not a snapshot of a lecmux router")
    if data[: len(_MAGIC)] != _MAGIC:
        raise SnapshotError(f"{path} is a snapshot of another version; this release reads version 1")
    end = len(_MAGIC) + _DIGEST_BYTES
    body = data[end:]
    if _digest(body) != data[len(_MAGIC) : end]:
        raise SnapshotError(f"{path} is damaged: its checksum does not match")
    about, _, state = body.partition(b"\n")
    return json.loads(about), state


def _digest(data: bytes) -> bytes:
    import hashlib  # noqa: PLC0415  loads OpenSSL, for those who save a router only

    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


def _sync_folder(folder: Path) -> None:
    """Makes the rename durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
