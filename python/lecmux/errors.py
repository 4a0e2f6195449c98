"""The exception tree.

::

    LecmuxError
    ├── ConfigError (also ValueError)        a setting that cannot work
    │   └── CostError                        a cost that is NaN, negative or infinite
    ├── ValueTypeError (also TypeError)      a key or value of a kind that cannot be stored
    ├── PriceError                           an unknown price; dollars asked while costs are seconds
    ├── SnapshotError                        a file that is corrupt, foreign or of another version
    ├── InternalError (also RuntimeError)    a bug in the core, contained; the process lives on
    ├── ModelError                           a local model cannot be used
    │   ├── ModelNotFoundError
    │   ├── ChecksumError
    │   ├── DownloadError
    │   └── ModelClosedError
    └── MissingExtraError (also ImportError) an optional dependency is not installed
"""

__all__ = [
    "ChecksumError",
    "ConfigError",
    "CostError",
    "DownloadError",
    "InternalError",
    "LecmuxError",
    "MissingExtraError",
    "ModelClosedError",
    "ModelError",
    "ModelNotFoundError",
    "PriceError",
    "SnapshotError",
    "ValueTypeError",
]


class LecmuxError(Exception):
    """Base of every error that lecmux raises on purpose."""


class ConfigError(LecmuxError, ValueError):
    """A setting that cannot work; the message names it and what it must be."""


class CostError(ConfigError):
    """A cost or price that is NaN, negative or infinite."""


class ValueTypeError(LecmuxError, TypeError):
    """A key or value of a kind that cannot be stored, such as None."""


class PriceError(LecmuxError):
    """A price is missing, or dollars were asked for while costs are counted in seconds."""


class SnapshotError(LecmuxError):
    """A snapshot that is corrupt, foreign or of another version."""


class InternalError(LecmuxError, RuntimeError):
    """A bug inside the core, contained: the damaged part is bypassed and the process lives on."""


class ModelError(LecmuxError):
    """A local model cannot be used."""


class ModelNotFoundError(ModelError):
    """The model's file is not there; the message says how to fetch it."""


class ChecksumError(ModelError):
    """A file's sha256 is not the expected one."""


class DownloadError(ModelError):
    """A model could not be fetched; what arrived is kept, so that a later try resumes."""


class ModelClosedError(ModelError):
    """The model was closed and can no longer be called."""


class MissingExtraError(LecmuxError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""
