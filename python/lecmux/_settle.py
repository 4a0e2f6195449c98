"""The observe and admit stages: what a call cost is learnt and booked, and its answer is stored."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lecmux._attempt import Before, Outcome
from lecmux._books import Bill
from lecmux._envelope import Entry, seal
from lecmux._semantic import teach
from lecmux.costs.prices import check_amount
from lecmux.events import Bypass, Store
from lecmux.policies.admit import ended_normally
from lecmux.query import Answer, Key, Query, Reply

if TYPE_CHECKING:
    from lecmux._stages import Core


def settle(
    core: "Core", query: Query, key: Key | None, outcome: Outcome, *, same: bool | None = None
) -> Answer:
    """Learns what the call cost, and stores the answer.

    `same`: whether what was found that is alike says the same; None: nothing was, or that cannot be told.
    """
    decision, reply, before = outcome
    if reply.model in core.models and reply.model != decision.model:
        outcome = outcome._replace(decision=replace(decision, model=reply.model))
    decision = outcome.decision
    try:
        bill = _bill(core, query, key, outcome)
        decision = bill.decision
        core.books.call(bill, core.store)
        if core.semantic:
            core.semantic.paid(bill.paid)
        teach(core, same, bill.error)
    except Exception as error:
        core.trouble("observe", error)
    else:
        with core.contained("admit"):
            _admit(core, query, bill, refused=before.given_back)
    return Answer(reply.value, decision, reply)


def spent(core: "Core", query: Query, model: str, reply: Reply) -> float:
    """What one call cost: the cost hook's word, or by the money rules.

    Raises:
        CostError: for an amount that cannot be.
        PriceError: where it cannot be known.
    """
    cost = core.hooks.cost(query, reply)
    check_amount("Usage.seconds", reply.usage.seconds)
    amount = core.objective.spend(model, reply.usage) if cost is None else float(cost)
    check_amount("the cost of a call", amount)
    return amount


def _bill(core: "Core", query: Query, key: Key | None, outcome: Outcome) -> Bill:
    decision, reply, before = outcome
    quality = (core.judge or core.hooks).quality(query, reply)
    error = core.objective.error(quality)
    own: float | None = None
    paid: float | None = None
    saved = 0.0
    model = decision.model or ""
    cascade = core.router.cascade(decision.arm) if core.router and not decision.failed else None
    arm = cascade.name if cascade else None if before.given_back else model
    with core.contained("observe"):
        own = 0.0 if before.given_back else spent(core, query, model, reply)
        paid = None if before.cost is None else own + before.cost
        if core.router:
            if key is not None:
                learnt = own if cascade is None else paid
                if arm is not None and learnt is not None:
                    core.router.learn(key, arm, paid=learnt, error=error)
                _learn_lessons(core, key, before, paid, error)
            saved = core.router.saving(model, paid=own, usage=reply.usage) - (before.cost or 0.0)
    seconds = before.seconds + (0.0 if before.given_back else reply.usage.seconds)
    decision = decision._priced(paid, saved)
    return Bill(key, decision, reply, arm, own, paid, seconds, quality, error)


def _learn_lessons(core: "Core", key: Key, before: Before, paid: float | None, error: float) -> None:
    """A model that failed cost all that was paid from there on."""
    if core.router and paid is not None:
        for arm, earlier in before.lessons:
            core.router.warn(key, arm, cost=paid - earlier + error)


def _admit(core: "Core", query: Query, bill: Bill, *, refused: bool) -> None:
    key, decision, reply = bill.key, bill.decision, bill.reply
    if key is None or core.store is None or core.mode == "skip" or reply.value is None:
        return
    admitted = False if refused else core.hooks.admit(query, reply)
    if admitted is None:
        admitted = ended_normally(reply.finish_reason)
    if not admitted:
        core.tell(Bypass, key, decision.model, "admit")
        return
    value = core.codec.dump(reply.value) if core.codec else reply.value
    entry = Entry(
        value, decision.model, bill.paid or 0.0, bill.seconds, core.clock(), decision.id, decision.saved
    )
    sealed = seal(entry)
    stored = core.store.put_value(
        key.text,
        sealed,
        cost=bill.paid,
        ttl_seconds=core.hooks.ttl(query, reply),
        scope=key.scope,
        fingerprint=key.fingerprint,
        hit_cost=bill.error,
        worth=core.router.value(key, count=core.count(key) or 1.0) if core.router else None,
        proposal=core.entering(reply.value),
    )
    if stored:
        core.tell(Store, key, decision.model, bill.paid)
    else:
        core.flight.hand(key, sealed, bill.error)
        core.tell(Bypass, key, decision.model, "worth")
