"""Snapshot files: written beside their target and renamed over it, so that readers see a whole file."""

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from lecmux.errors import SnapshotError

_MAGIC = b"LECMUX-ROUTER\x00\x01"
STATE_MAGIC = b"LECMUX-STATE\x00\x01"
_KINDS = {
    _MAGIC[:-2]: "a router's snapshot: Router.load reads it",
    STATE_MAGIC[:-2]: "a state file: lecmux.state.read reads it",
    b"LECMUX-VECTOR": "a vector index: VectorIndex.load reads it",
}
DIGEST_BYTES = 16
_BINARY = getattr(os, "O_BINARY", 0)  # Windows alone has a text mode


def write(path: str | os.PathLike[str], *parts: bytes) -> None:
    """Writes the parts one after the other: atomically, durably, for the owner only (mode 0600)."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
    _sync_folder(target.parent)


def sweep(path: str | os.PathLike[str], *, older_than_seconds: float) -> None:
    """Removes the drafts that processes left behind when they were killed in the middle of `write`."""
    target = Path(path)
    draft = re.compile(re.escape(f".{target.name}.") + "[0-9a-f]{8}")
    with contextlib.suppress(OSError):
        for each in target.parent.iterdir():
            if draft.fullmatch(each.name) and time.time() - each.stat().st_mtime > older_than_seconds:
                each.unlink()


def read(path: str | os.PathLike[str]) -> bytes:
    """Returns what `write` wrote; the core checks it.

    Raises:
        OSError: when the file cannot be read.
    """
    return Path(path).read_bytes()


def other_kind(data: bytes) -> str | None:
    """What `data` is instead of a cache's snapshot; None where that cannot be told."""
    for magic, kind in _KINDS.items():
        if data.startswith(magic):
            return kind
    return None


def seal(about: dict[str, Any], state: bytes) -> bytes:
    """Joins settings and a state of the core: magic, digest, settings on one line, state."""
    body = json.dumps(about, separators=(",", ":")).encode() + b"\n" + state
    return _MAGIC + digest(body) + body


def unseal(data: bytes, path: str | os.PathLike[str]) -> tuple[dict[str, Any], bytes]:
    """Takes apart what `seal` joined.

    Raises:
        SnapshotError: naming `path`, when the bytes are foreign, of another version, cut or changed.
    """
    if data[: len(_MAGIC) - 1] != _MAGIC[:-1]:
        raise SnapshotError(f"{path} is not a snapshot of a lecmux router")
    if data[: len(_MAGIC)] != _MAGIC:
        raise SnapshotError(f"{path} is a snapshot of another version; this release reads version 1")
    end = len(_MAGIC) + DIGEST_BYTES
    body = data[end:]
    if digest(body) != data[len(_MAGIC) : end]:
        raise SnapshotError(f"{path} is damaged: its checksum does not match")
    about, _, state = body.partition(b"\n")
    return json.loads(about), state


def digest(*parts: bytes | memoryview) -> bytes:
    """A checksum of 16 bytes over the parts, one after the other."""
    import hashlib  # noqa: PLC0415  loads OpenSSL, for those who save a router only

    summed = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        summed.update(part)
    return summed.digest()


def _sync_folder(folder: Path) -> None:
    """Makes the rename durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
