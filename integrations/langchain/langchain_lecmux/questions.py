"""The query stage of a `LECCache`: what the two strings that LangChain passes amount to."""

import logging
from collections.abc import Callable

from langchain_lecmux.canonical import UnstableKeyError, canonical_key, describe_model
from lecmux import Query
from lecmux.query import Key

_LOGGER = logging.getLogger("langchain_lecmux")
_UNSTABLE = (
    "not cached: the model string holds %s, whose text or meaning may change from run to run; "
    "LECCache(serve_unstable=True) serves it all the same"
)
_ANONYMOUS = (
    "the model string %s does not say which model it is, so two models of this class share their answers; "
    "define _identifying_params, or give each its own LECCache(namespace=...)"
)


class SayOnce:
    """Logs each thing once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, what: str, text: str) -> None:
        """`text` with `what` in it."""
        if what not in self._said:
            self._said.add(what)
            _LOGGER.warning(text, what)


class Questions:
    """Makes queries. `count` is told of calls without a stable form."""

    def __init__(
        self, namespace: str, *, serve_unstable: bool, say_once: SayOnce, count: Callable[[str], None]
    ) -> None:
        self._namespace = namespace
        self._serve_unstable = serve_unstable
        self._say_once = say_once
        self._count = count

    def query(self, prompt: str, llm_string: str) -> Query | None:
        """What is asked; None where no key would be right."""
        key = self.key(prompt, llm_string)
        if key is None:
            return None
        model = describe_model(llm_string, self._namespace)
        attributes = {
            "prompt": prompt,
            "llm_string": llm_string,
            "temperature": model.temperature,
            "n": model.n,
        }
        return Query(key.text, fingerprint=key.fingerprint, attributes=attributes)

    def key(self, prompt: str, llm_string: str) -> Key | None:
        """Under what the query is stored where no hook has a say in it."""
        model = describe_model(llm_string, self._namespace)
        if model.unstable is not None and not self._serve_unstable:
            self._count("unstable")
            self._say_once(model.unstable, _UNSTABLE)
            return None
        if model.anonymous:
            self._say_once(llm_string, _ANONYMOUS)
        try:
            # As `Key(...)` makes it, without the Python function in between.
            return tuple.__new__(Key, (canonical_key(prompt), "", model.fingerprint))
        except UnstableKeyError:
            self._count("unstable")
            return None
