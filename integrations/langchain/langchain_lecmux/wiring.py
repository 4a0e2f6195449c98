"""What connects a chat router to the pipeline: which cache, which key, what is stored."""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel

from langchain_lecmux import codec
from langchain_lecmux.asking import Asking
from langchain_lecmux.bypass import Store
from langchain_lecmux.cache import LECCache
from langchain_lecmux.calls import Caller
from langchain_lecmux.facts import with_facts
from langchain_lecmux.generated import Generated
from langchain_lecmux.plan import Plan, pack_lengths, unpack_lengths
from langchain_lecmux.recording import packed_plan
from langchain_lecmux.serving import first_message, mark_served
from lecmux import Answer, AsyncCache, Cache, Router, flow
from lecmux.errors import ConfigError, PriceError
from lecmux.facts import facts
from lecmux.query import Query
from lecmux.state import StateFile

_LOGGER = logging.getLogger("langchain_lecmux")
MESSAGE: Final = "message"
"""The form of an answer as the model's class writes its content."""
BLOCKS: Final = "blocks"
"""The form of an answer that was asked for as typed events: a list of blocks."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class AnswerCodec:
    """Between `Generated` and the bytes that are stored."""

    def dump(self, value: Generated, /) -> bytes:
        """By the closed schema."""
        about: dict[str, Any] = {"pieces": pack_lengths(value.pieces)} if value.pieces else {}
        if value.plan and (packed := packed_plan(value.plan, first_message(value))):
            about["plan"] = packed
        return codec.encode(value.generations, about)

    def load(self, stored: Any, /) -> Generated:
        """New objects on every call."""
        generations, about = codec.decode(stored)
        pieces = unpack_lengths(about.get("pieces", ""))
        return Generated(tuple(generations), pieces, Plan.stored(about.get("plan")))


@dataclass(frozen=True, slots=True)
class Turn:
    """One request on its way: the parts for `flow.answer`, and what is done with its outcome."""

    query: Query
    core: flow.Core
    caller: Caller
    through: LECCache | None

    def pipeline(self, *, single_flight: bool) -> flow.Pipeline:
        """The request, ready to be driven."""
        return flow.answer(self.query, self.core, single_flight=single_flight)

    def finished(self, answer: Answer) -> Generated:
        """What the user gets: the answer, with the decision told on it."""
        generated: Generated = answer.value
        if answer.reply is not None:
            self.looked_up(hit=False)
            return with_facts(generated, facts(answer.decision))
        self.looked_up(hit=True)
        renew = self.through.renew_tool_call_ids if self.through else True
        mark_served(generated, facts(answer.decision), renew_tool_calls=renew)
        return generated

    def looked_up(self, *, hit: bool) -> None:
        """Tells the LECCache, if there was one to look into."""
        if self.through and self.core.store is not None and self.core.mode == "use":
            self.through.noted(hit=hit)


class Wiring:
    """The parts of one router that stay from call to call."""

    def __init__(
        self,
        models: Mapping[str, BaseChatModel],
        router: Router,
        *,
        cache: Any,
        judge: flow.HookRunner | None,
        namespace: str,
        shadow: bool = False,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        if not (cache is None or isinstance(cache, (LECCache, Cache, AsyncCache, bool))):
            raise ConfigError(
                f"cache must be a LECCache, a lecmux Cache or AsyncCache, True, False or None, not {cache!r}"
            )
        self._models = dict(models)
        self._router = router
        self._cache = cache
        self._judge = judge
        self._namespace = namespace
        self._shadow = shadow
        self._codec = AnswerCodec()
        self._alone = flow.Core(tuple(models), None, router, codec=self._codec)
        self._said: set[str] = set()
        store = self._store()[0]
        if store is not None:
            store.core(tuple(models), router)  # raises here, not in the first call, where units do not fit
        self.state = None if path is None else StateFile(path, cache=self._kept_here(), router=router)

    def turn(self, asking: Asking, *, form: str = MESSAGE, one_call: bool = False) -> Turn:
        """Prepares one request.

        Args:
            asking: the call.
            form: keeps apart answers whose content is shaped by how it was asked for.
            one_call: the answer is read from the one model that is chosen, whatever happens.

        Raises:
            ConfigError: the call names a model that is not there, or no way to use the cache.
            ValueError: `cache=True`, and no global cache is set.
        """
        if asking.route is not None and asking.route not in self._router.arms:
            raise ConfigError(f"no model {asking.route!r} here; there are {', '.join(self._router.arms)}")
        query, stable = asking.query(self._identity(form), self._namespace)
        store, through = self._store()
        if not stable:
            self._say_once("this call's options hold an object without a stable form: it is not cached")
            store = None
        elif through is not None and not through.may_serve(query):
            store = None
        core = replace(
            self._core(store),
            allowed=None if asking.route is None else (asking.route,),
            judge=self._judge,
            mode=asking.mode,
            shadow=self._shadow,
            one_call=one_call,
        )
        used: Any = core.store
        return Turn(query, core, Caller(self._models, asking, used), through)

    def _kept_here(self) -> Store | None:
        """The cache whose answers go into the router's file: its own, unless that has a file itself."""
        if isinstance(self._cache, LECCache):
            return None if self._cache.state else self._cache.store
        return self._cache if isinstance(self._cache, (Cache, AsyncCache)) else None

    def _store(self) -> tuple[Store | None, LECCache | None]:
        """The store in use, and the LECCache it came in."""
        cache: Any = self._cache
        if cache is None or cache is True:
            found = get_llm_cache()
            if cache is True and not isinstance(found, LECCache):
                raise ValueError(
                    "cache=True, and the global cache is no LECCache: call set_llm_cache(LECCache())"
                )
            cache = found
        if isinstance(cache, LECCache):
            return cache.store, cache
        return (cache, None) if isinstance(cache, (Cache, AsyncCache)) else (None, None)

    def _core(self, store: Store | None) -> flow.Core:
        if store is None:
            return self._alone
        try:
            return store.core(tuple(self._models), self._router, codec=self._codec)
        except PriceError as error:  # a global cache that was set later and counts in another unit
            self._alone.incident("exact", error)
            return self._alone

    def _identity(self, form: str) -> str:
        """Tells these models from others of the same names; read anew, since models can be changed in use.

        A digest, so that an address in a model's parameters does not make every call unstable.
        """
        parts = [form]
        for name, model in self._models.items():
            kind = type(model)
            parameters = _ADDRESS.sub("", repr(sorted(model._identifying_params.items(), key=repr)))
            parts += [name, f"{kind.__module__}.{kind.__qualname__}", parameters]
        return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _LOGGER.warning(text)
