"""The exception tree.

::

    LecmuxError
    ├── ConfigError (also ValueError)        a setting that cannot work
    │   └── CostError                        a cost that is NaN, negative or infinite
    ├── ValueTypeError (also TypeError)      a key or value of a kind that cannot be stored
    ├── PriceError                           an unknown price; dollars asked while costs are seconds
    ├── VectorError (also ValueError)        a vector or id that an index cannot take
    │   └── DimensionError                   a vector of another dimension than the index
    ├── SnapshotError                        a file that is corrupt, foreign or of another version
    ├── InternalError (also RuntimeError)    a bug in the core, contained; the process lives on
    ├── ModelError                           a model cannot be used
    │   ├── ModelNotFoundError               no such file, or no such model at the endpoint
    │   ├── ChecksumError
    │   ├── DownloadError
    │   ├── ModelClosedError
    │   ├── ModelTimeoutError (also TimeoutError)  it took longer than it was given
    │   ├── ModelBusyError                   its queue is full, or its rate limit is reached
    │   │   └── QueueFullError               too many calls wait for a model in this process
    │   ├── ModelMemoryError (also MemoryError)  its device has no memory left for this
    │   ├── ModelAccessError                 its key is missing or refused
    │   ├── ModelRequestError                it refuses this request
    │   ├── ModelUnavailableError            its endpoint is down, or the connection broke
    │   └── ModelReplyError                  what came back is no answer
    └── MissingExtraError (also ImportError) an optional dependency is not installed
"""

__all__ = [
    "ChecksumError",
    "ConfigError",
    "CostError",
    "DimensionError",
    "DownloadError",
    "InternalError",
    "LecmuxError",
    "MissingExtraError",
    "ModelAccessError",
    "ModelBusyError",
    "ModelClosedError",
    "ModelError",
    "ModelMemoryError",
    "ModelNotFoundError",
    "ModelReplyError",
    "ModelRequestError",
    "ModelTimeoutError",
    "ModelUnavailableError",
    "PriceError",
    "QueueFullError",
    "SnapshotError",
    "ValueTypeError",
    "VectorError",
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


class VectorError(LecmuxError, ValueError):
    """A vector or id that an index cannot take; the message names the row."""


class DimensionError(VectorError):
    """A vector of another dimension than the index holds."""


class SnapshotError(LecmuxError):
    """A snapshot that is corrupt, foreign or of another version."""


class InternalError(LecmuxError, RuntimeError):
    """A bug inside the core, contained: the damaged part is bypassed and the process lives on."""


class ModelError(LecmuxError):
    """A model cannot be used."""


class ModelNotFoundError(ModelError):
    """The model's file is not there, or its endpoint knows no such model; the message says what to do."""


class ChecksumError(ModelError):
    """A file's sha256 is not the expected one."""


class DownloadError(ModelError):
    """A model could not be fetched; what arrived is kept, so that a later try resumes."""


class ModelClosedError(ModelError):
    """The model was closed and can no longer be called."""


class ModelTimeoutError(ModelError, TimeoutError):
    """The model took longer than it was given; the message names the limit."""


class ModelBusyError(ModelError):
    """The model takes no more calls now: its queue is full, or its rate limit is reached.

    `retry_after_seconds` is how long the model asks to be left alone; None where it does not say.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QueueFullError(ModelBusyError):
    """As many calls as the model's queue takes wait already; the message says how to have fewer or longer."""


class ModelMemoryError(ModelError, MemoryError):
    """The model's device has no memory left for this; the message says what to make smaller."""


class ModelAccessError(ModelError):
    """The endpoint wants a key, or does not take the one it was given."""


class ModelRequestError(ModelError):
    """The model refuses this request; it would refuse it again. The message says why."""


class ModelUnavailableError(ModelError):
    """The endpoint cannot be reached, fails, or dropped the connection."""


class ModelReplyError(ModelError):
    """What the endpoint sent is no chat completion."""


class MissingExtraError(LecmuxError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""
