"""One request of a chat router on its way: its key, what is called, what is stored and what is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from langchain_core.language_models import BaseChatModel

from langchain_lecmux import codec
from langchain_lecmux.asking import Asking
from langchain_lecmux.cache import LECCache
from langchain_lecmux.calls import Caller
from langchain_lecmux.facts import with_facts
from langchain_lecmux.generated import Generated
from langchain_lecmux.plan import Plan, pack_lengths, unpack_lengths
from langchain_lecmux.recording import packed_plan
from langchain_lecmux.serving import first_message, mark_served
from langchain_lecmux.stores import Stores
from lecmux import Answer, flow
from lecmux.facts import facts
from lecmux.query import Query
from lecmux.salient import is_shaped

MESSAGE: Final = "message"
"""The form of an answer as the model's class writes its content."""
BLOCKS: Final = "blocks"
"""The form of an answer that was asked for as typed events: a list of blocks."""
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class AnswerCodec:
    """Between `Generated` and the bytes that are stored."""

    def dump(self, value: Generated, /) -> bytes:
        """By the closed schema."""
        about: dict[str, Any] = {"pieces": pack_lengths(value.pieces)} if value.pieces else {}
        if value.plan and (packed := packed_plan(value.plan, first_message(value))):
            about["plan"] = packed
        return codec.encode(value.generations, about)

    def text(self, value: Generated, /) -> str:
        """By which two answers are compared."""
        return value.wording

    def load(self, stored: Any, /) -> Generated:
        """New objects on every call."""
        generations, about = codec.decode(stored)
        pieces = unpack_lengths(about.get("pieces", ""))
        return Generated(tuple(generations), pieces, Plan.stored(about.get("plan")))


@dataclass(slots=True)
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
        renew = self.through is None or self.through.renew_tool_call_ids
        mark_served(generated, facts(answer.decision), renew_tool_calls=renew)
        return generated

    def looked_up(self, *, hit: bool) -> None:
        """Tells the LECCache, if there was one to look into."""
        if self.through:
            self.through.noted(hit=hit)


def turn_of(
    stores: Stores,
    models: Mapping[str, BaseChatModel],
    asking: Asking,
    *,
    namespace: str,
    form: str = MESSAGE,
) -> Turn:
    """Prepares one request.

    Args:
        stores: of the router.
        models: by name.
        asking: the call.
        namespace: of the router.
        form: keeps apart answers whose content is shaped by how it was asked for.

    Raises:
        ConfigError: the call names a model that is not there, or no way to use the cache.
        ValueError: `cache=True`, and no global cache is set.
    """
    semantic = stores.semantic
    shaped = semantic is not None and any(is_shaped(_shown(model)) for model in models.values())
    query, stable = asking.query(_identity(models, form), namespace, semantic=semantic, shaped=shaped)
    core, through = stores.core(query, stable=stable, route=asking.route, mode=asking.mode)
    used: Any = core.store
    return Turn(query, core, Caller(models, asking, used), through)


def _identity(models: Mapping[str, BaseChatModel], form: str) -> str:
    """Tells these models from others of the same names; read anew, since models can be changed in use."""
    shown = [(name, type(model), _shown(model)) for name, model in models.items()]
    return _identified(form, *shown)


def _shown(model: BaseChatModel) -> str:
    return repr(sorted(model._identifying_params.items(), key=lambda parameter: str(parameter[0])))


@lru_cache(maxsize=256)
def _identified(form: str, *shown: tuple[str, type, str]) -> str:
    """A digest, so that an address in a model's parameters does not make every call unstable."""
    parts = [form]
    for name, kind, parameters in shown:
        parts += [name, f"{kind.__module__}.{kind.__qualname__}", ADDRESS.sub("", parameters)]
    return digest(parts)


def digest(parts: Sequence[str]) -> str:
    """A short text that other parts do not have."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
