"""Shadow: what would have been done instead of asking the baseline, and what that would have saved."""

from typing import TYPE_CHECKING

from lecmux.events import Shadow
from lecmux.query import Answer, Decision, Key, Usage

if TYPE_CHECKING:
    from lecmux._stages import Core


def note(
    core: "Core",
    key: Key | None,
    instead: Decision,
    stored: Answer | None,
    answer: Answer,
    *,
    same: bool | None = None,
) -> None:
    """Books apart what `instead`, a hit on `stored` or a route, would have saved.

    Args:
        core: the parts of the cache.
        key: of the request.
        instead: what was decided.
        stored: the answer that would have been served.
        answer: the baseline's.
        same: whether the two say the same, where that is known; else they are compared.
    """
    with core.contained("shadow"):
        saved = _would_save(core, instead, answer)
        core.ledger.add(
            core.unit,
            scope=key.scope if key else "",
            model=instead.model,
            would_save_by_hits=saved or 0.0 if stored else 0.0,
            would_save_by_routing=0.0 if stored else saved or 0.0,
        )
        if key is not None:
            if stored is not None and same is None:
                same = core.hooks.same_answer(stored.value, answer.value)
            core.tell(Shadow, key, instead, saved, same)


def _would_save(core: "Core", instead: Decision, answer: Answer) -> float | None:
    paid = answer.decision.cost
    if paid is None or instead.kind == "hit":
        return paid
    arm = instead.arm or instead.model
    if core.router is None or arm in {None, answer.decision.model}:
        return 0.0
    usage = answer.reply.usage if answer.reply else Usage()
    typical = core.router.typical(str(arm), usage)
    return None if typical is None else paid - typical
