"""Measured answers in a file, so that another run need not ask the models again."""

import json
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage

from lecmux.demo.questions import MAX_TOKENS, STOP, SYSTEM
from lecmux.errors import ConfigError

__all__ = ["Kept"]

_TERMS = {"system": SYSTEM, "stop": list(STOP), "max_tokens": MAX_TOKENS}
_PARTS = ("content", "usage_metadata", "response_metadata")


class Kept:
    """The answers by model and wording.

    Args:
        path: of the file, which need not be there yet; None keeps nothing.

    Raises:
        ConfigError: the file holds no such answers, or those to another prompt, or cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._answers = _read(path) if path is not None and path.exists() else {}
        self.save()  # where it cannot be written, that is said before the work

    def get(self, model: str, text: str) -> AIMessage | None:
        """The answer, if it is there."""
        known = self._answers.get(model, {}).get(text)
        return None if known is None else AIMessage(**known)

    def put(self, model: str, text: str, message: AIMessage) -> None:
        """Keeps an answer until `save`."""
        known = {part: getattr(message, part) for part in _PARTS}
        self._answers.setdefault(model, {})[text] = known

    def save(self) -> None:
        """Writes the file.

        Raises:
            ConfigError: it cannot be written.
        """
        if self._path is None:
            return
        whole = {"terms": _TERMS, "answers": self._answers}
        try:
            self._path.write_text(json.dumps(whole, indent=1), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"answers cannot be kept in {self._path}: {error}") from error


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        terms, answers = whole["terms"], whole["answers"]
        for text in (text for by_text in answers.values() for text in by_text.values()):
            AIMessage(**text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} holds no answers of the demo ({type(error).__name__})") from error
    if terms != _TERMS:
        raise ConfigError(f"{path} holds answers to another prompt: name another file, or delete it")
    return dict(answers)
