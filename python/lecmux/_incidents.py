"""Trouble that was contained: counted, said in the log without anybody's texts, told to listeners."""

import logging
import threading
import traceback
from collections.abc import Callable

from lecmux import _fork

__all__ = ["Incidents", "where"]

_LOGGER = logging.getLogger("lecmux")
_ERROR_TEXT = 200


class Incidents:
    """The troubles of one cache.

    Args:
        tell: is given stage and text of each, outside every lock.
        log_texts: log messages of errors too, which may quote a prompt or an answer.
        silent: log nothing.
    """

    def __init__(
        self, tell: Callable[[str, str], None], *, log_texts: bool = False, silent: bool = False
    ) -> None:
        self.count = 0
        self._tell = tell
        self._log_texts = log_texts
        self._silent = silent
        self._said: set[str] = set()
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def add(
        self,
        stage: str,
        error: BaseException | str,
        *,
        log: str = "trouble in the stage %s was contained; said once, then counted: %s",
        said: set[str] | None = None,
    ) -> None:
        """Counts one.

        Args:
            stage: where, such as "exact" or "hook:cost".
            error: what; a str is written by lecmux and holds no text of a user.
            log: the line for the log, with places for stage and error.
            said: what has been said; the line is said once of each stage, by default in this cache.
        """
        said = self._said if said is None else said
        with self._lock:
            self.count += 1
            first = (stage + log) not in said
            said.add(stage + log)
        if first and not self._silent:
            _LOGGER.warning(log, stage.removeprefix("hook:"), self._described(error))
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._tell(stage, text[:_ERROR_TEXT])

    def count_only(self, stage: str, error: str) -> None:
        """Counts one that is no news."""
        with self._lock:
            self.count += 1
        self._tell(stage, error)

    def _described(self, error: BaseException | str) -> str:
        if isinstance(error, str):
            return error
        if not self._log_texts:
            return where(error)
        return "".join(traceback.format_exception(error)).rstrip()


def where(error: BaseException) -> str:
    """Class and place of an error without its message, which may quote a prompt."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}"
