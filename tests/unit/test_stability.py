"""The promise of docs/concepts/hooks.md: what a hook is called with keeps its order and grows at its end."""

import inspect
from dataclasses import MISSING, fields

import pytest

from lecmux import events, hooks, query
from lecmux.policies import scored

METHODS = {
    hooks.TextHook: ("text", 1),
    hooks.ScopeHook: ("scope", 1),
    hooks.RouteHook: ("route", 2),
    hooks.CostHook: ("cost", 2),
    hooks.QualityHook: ("quality", 2),
    hooks.AdmitHook: ("admit", 2),
    hooks.TtlHook: ("ttl", 2),
    hooks.SameAnswerHook: ("same_answer", 2),
    hooks.Listener: ("on_event", 1),
    scored.ScoreHook: ("score", 1),
}
FIELDS = {
    query.Query: "text scope fingerprint attributes",
    query.Reply: "value usage finish_reason model",
    query.Usage: "input_tokens output_tokens seconds",
    query.Decision: "id kind model reason unit cost saved lower mean tries propensity hit_id age_seconds",
    hooks.Hooks: "cost admit ttl scope quality listeners time_budget_seconds text normalise route "
    "same_answer log_texts",
    scored.EntryView: "key count cost size_bytes age_seconds ttl_seconds hit_cost model",
    events.CacheHit: "key decision hit_cost coalesced",
    events.CacheMiss: "key reason",
    events.Route: "key decision",
    events.Observe: "key decision_id model cost quality unit",
    events.Store: "key model cost",
    events.Bypass: "key model reason",
    events.Shadow: "key decision would_save same",
    events.Incident: "stage error",
}


@pytest.mark.parametrize("protocol", METHODS, ids=lambda protocol: protocol.__name__)
def test_a_hook_is_called_by_position_with_as_many_arguments(protocol: type) -> None:
    name, count = METHODS[protocol]
    _, *arguments = inspect.signature(getattr(protocol, name)).parameters.values()

    assert [argument.kind for argument in arguments] == [inspect.Parameter.POSITIONAL_ONLY] * count


@pytest.mark.parametrize("record", FIELDS, ids=lambda record: record.__name__)
def test_a_record_grows_at_its_end_only(record: type) -> None:
    promised = FIELDS[record].split()
    known = fields(record)  # type: ignore[arg-type]

    assert [each.name for each in known][: len(promised)] == promised
    for added in known[len(promised) :]:
        assert added.default is not MISSING or added.default_factory is not MISSING, added.name
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined]
