"""State files: one file that a cache and its router start from, and that is kept up to date.

    with Cache(capacity_bytes=64_000_000) as cache, StateFile("answers.lecmux", cache=cache, router=router):
        ...

Layout: magic, a 128-bit checksum over the rest, one line of JSON that names the parts and their lengths, the
parts: a cache's snapshot, a router's snapshot, a ledger as JSON.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lecmux import _snapshot
from lecmux._incidents import where
from lecmux._saver import SAVER
from lecmux.cache import AsyncCache, Cache
from lecmux.costs.ledger import Ledger
from lecmux.errors import ConfigError, LecmuxError, SnapshotError
from lecmux.policies._check import positive
from lecmux.report import Report
from lecmux.routers.router import Router

__all__ = ["SavedState", "StateFile", "read"]

_LOGGER = logging.getLogger("lecmux")
_EVERY_SECONDS = 300.0
_ABANDONED_SECONDS = 3600.0  # no write takes that long: whoever made an older draft was killed
_CACHE, _ROUTER, _LEDGER = "cache", "router", "ledger"
_CACHE_MAGIC = b"LECMUX"


class StateFile:
    """Loads a cache and a router from `path` now, and writes them back: at `close`, at exit, now and then.

    A file that is not there is an empty start. So is one that is damaged, foreign or does not fit (other
    models, another unit of costs): it is kept beside as `PATH.bad`, said in the log, and counted in
    `incidents` and in the cache's. Trouble while saving is counted likewise and tried again; the file there
    stays whole, since a new one takes its place only when it is written to the end.

    A forked child never writes: the file is its parent's. Of several processes on one path the last to
    write wins; the log says so once.

    Until it is closed, it keeps the cache and the router alive.

    Args:
        path: of the file; its folder must be there.
        cache: whose entries are kept.
        router: whose beliefs are kept.
        ledger: whose sums are kept; None: that of the cache.
        every_seconds: time between two saves by the one background thread; nothing is written while nothing
            has changed.

    Attributes:
        path: of the file.
        restored: entries that the cache took over.
        incidents: troubles that were contained.

    Raises:
        ConfigError: no cache and no router, or a folder that cannot be written to.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        cache: Cache | AsyncCache | None = None,
        router: Router | None = None,
        ledger: Ledger | None = None,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        positive("every_seconds", every_seconds)
        if cache is None and router is None:
            raise ConfigError("a state file holds a cache, a router or both: pass cache= or router=")
        if not isinstance(path, (str, os.PathLike)):
            raise ConfigError(f"path must be the path of a file, not {path!r}")
        self.path = Path(path)
        self.restored = 0
        self.incidents = 0
        self._cache = cache
        self._router = router
        self._ledger = cache.ledger if ledger is None and cache is not None else ledger
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        self._said_shared = False
        _check_folder(self.path)
        _snapshot.sweep(self.path, older_than_seconds=_ABANDONED_SECONDS)
        self._load()
        self._seen = _identity(self.path)
        self._written = self._version()
        SAVER.add(self._save_if_changed, every_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self) -> bool:
        """Writes now. False in a forked child, which leaves the file to its parent.

        Raises:
            OSError: when the file cannot be written; what was there stays.
        """
        return self._save(only_changes=False)

    def close(self) -> None:
        """Saves a last time, where something has changed. Trouble is counted and said in the log."""
        if self._closed:
            return
        self._closed = True
        SAVER.remove(self._save_if_changed)
        self._save_if_changed()

    def _save_if_changed(self) -> None:
        try:
            self._save(only_changes=True)
        except Exception as error:
            self._contained(_text(error))

    def _save(self, *, only_changes: bool) -> bool:
        if os.getpid() != self._pid:
            return False
        with self._lock:
            version = self._version()
            if not only_changes or version != self._written or not self.path.exists():
                parts = self._parts()
                self._say_if_shared()
                _snapshot.write(self.path, *_sealed(parts))
                self._seen = _identity(self.path)
                self._written = version
        return True

    def _version(self) -> object:
        """Differs whenever there is something new to write."""
        counts = None if self._cache is None else self._cache.statistics()
        learnt = None if self._router is None else self._router._changes
        sums = None if self._ledger is None else [self._ledger.account(unit) for unit in ("usd", "seconds")]
        return counts, learnt, sums

    def _parts(self) -> dict[str, bytes]:
        parts = {}
        if self._cache is not None:
            parts[_CACHE] = self._cache._sealed()
        if self._router is not None:
            parts[_ROUTER] = self._router._sealed()
        if self._ledger is not None:
            parts[_LEDGER] = json.dumps(self._ledger._spec(), separators=(",", ":")).encode()
        return parts

    def _load(self) -> None:
        try:
            parts = _unsealed(_snapshot.read(self.path), self.path)
        except FileNotFoundError:
            return
        except Exception as error:
            self._keep_as_bad(error)
            return
        adopts = {_CACHE: self._adopt_entries, _ROUTER: self._adopt_beliefs, _LEDGER: self._adopt_sums}
        for name, adopt in adopts.items():
            try:
                if name in parts:
                    adopt(parts[name])
            except Exception as error:
                self._keep_as_bad(error)

    def _adopt_entries(self, data: bytes) -> None:
        if self._cache is not None:
            self.restored = self._cache._adopt(data, self.path)

    def _adopt_beliefs(self, data: bytes) -> None:
        if self._router is not None:
            self._router._adopt(data, self.path)

    def _adopt_sums(self, data: bytes) -> None:
        if self._ledger is not None:
            _restore(self._ledger, data, self.path)

    def _keep_as_bad(self, error: Exception) -> None:
        """Whoever wants to know what was wrong finds the file; the next save makes a new one."""
        bad = self.path.with_name(f"{self.path.name}.bad")
        try:
            if self.path.exists():
                self.path.replace(bad)
        except OSError:
            _LOGGER.warning("%s cannot be kept as %s: the next save replaces it", self.path, bad.name)
        self._contained(f"{_text(error)}; it is kept as {bad.name}, and what it held is not used")

    def _contained(self, trouble: str) -> None:
        self.incidents += 1
        if self._cache is not None:
            self._cache.hooks.incident("state", trouble)
        else:
            _LOGGER.warning("trouble with the state file %s was contained: %s", self.path, trouble)

    def _say_if_shared(self) -> None:
        found = _identity(self.path)
        if found is not None and found != self._seen and not self._said_shared:
            self._said_shared = True
            _LOGGER.warning(
                "%s was written by somebody else since this process last did: the last to write wins; give "
                "each process a path of its own to keep what each has learnt",
                self.path,
            )


@dataclass(frozen=True, slots=True)
class SavedState:
    """What a state file holds.

    Attributes:
        cache: with the settings and entries of the one that was saved; None where there was none.
        router: with the settings and beliefs of the one that was saved; None where there was none.
        ledger: with the sums that were saved.
    """

    cache: Cache | None
    router: Router | None
    ledger: Ledger

    def report(self) -> Report:
        """What was spent and saved, by scope, model and day."""
        unit = self.router.unit if self.router else None if self.cache is None else self.cache.unit
        return Report.of(self.ledger, unit or "usd", [self.router] if self.router else [])


def read(path: str | os.PathLike[str]) -> SavedState:
    """What is in a state file, as objects of their own; the file is not touched.

    Raises:
        SnapshotError: for a file that is corrupt, foreign or of another version.
        OSError: when it cannot be read.
    """
    parts = _unsealed(_snapshot.read(path), path)
    cache = Cache._unsealed(parts[_CACHE], path) if _CACHE in parts else None
    router = Router._unsealed(parts[_ROUTER], path) if _ROUTER in parts else None
    ledger = Ledger() if cache is None else cache.ledger
    if _LEDGER in parts:
        _restore(ledger, parts[_LEDGER], path)
    return SavedState(cache, router, ledger)


def _restore(ledger: Ledger, data: bytes, path: str | os.PathLike[str]) -> None:
    try:
        ledger._restore(json.loads(data))
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"{path} holds sums that this release does not know: {error}") from error


def _sealed(parts: Mapping[str, bytes]) -> tuple[bytes, ...]:
    lengths = {name: len(data) for name, data in parts.items()}
    line = json.dumps({"parts": lengths, "saved_at": time.time()}).encode() + b"\n"
    return _snapshot.STATE_MAGIC, _snapshot.digest(line, *parts.values()), line, *parts.values()


def _unsealed(data: bytes, path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The parts by name. The snapshot of a cache or a router alone is taken for a file of that one part.

    Raises:
        SnapshotError: when the bytes are foreign, of another version, cut or changed.
    """
    magic = _snapshot.STATE_MAGIC
    if not data.startswith(magic[:-1]):
        return _lone_part(data, path)
    if not data.startswith(magic):
        raise SnapshotError(f"{path} is a state file of another version; this release reads version 1")
    body = memoryview(data)[len(magic) + _snapshot.DIGEST_BYTES :]
    if _snapshot.digest(body) != data[len(magic) : len(magic) + _snapshot.DIGEST_BYTES]:
        raise SnapshotError(f"{path} is damaged: its checksum does not match")
    try:
        return _parts(data, len(magic) + _snapshot.DIGEST_BYTES)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"{path} is damaged: its first line makes no sense") from error


def _parts(data: bytes, start: int) -> dict[str, bytes]:
    end = data.index(b"\n", start) + 1
    head: dict[str, Any] = json.loads(data[start:end])
    parts = {}
    for name, length in head["parts"].items():
        parts[name] = data[end : end + length]
        end += length
    return parts


def _lone_part(data: bytes, path: str | os.PathLike[str]) -> dict[str, bytes]:
    if _snapshot.other_kind(data):
        return {_ROUTER: data}
    if data.startswith(_CACHE_MAGIC):
        return {_CACHE: data}
    raise SnapshotError(f"{path} is not a state file of lecmux")


def _text(error: Exception) -> str:
    """What may go to the log: only files and settings are named in the messages of these."""
    return str(error) if isinstance(error, (LecmuxError, OSError)) else where(error)


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Tells the file from one that somebody else has put in its place."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _check_folder(path: Path) -> None:
    """Refuses at once what no save could succeed with.

    Raises:
        ConfigError: naming what is wrong and what to do.
    """
    if path.is_dir():
        raise ConfigError(f"path {path} is a folder: name a file in it")
    probe = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"no file can be written in the folder of {path} ({error.strerror or error}): make the folder, "
            "or name another path"
        ) from error
