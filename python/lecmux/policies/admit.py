"""Which answers may be stored when no hook decides: those that ended normally."""

__all__ = ["ended_normally"]

_NORMAL_ENDS = frozenset(
    {
        "complete",
        "completed",
        "done",
        "end",
        "end_turn",
        "eos",
        "eos_token",
        "finish_reason_stop",
        "finished",
        "function_call",
        "stop",
        "stop_sequence",
        "tool_call",
        "tool_calls",
        "tool_use",
    }
)


def ended_normally(finish_reason: str | None) -> bool:
    """True unless the answer was truncated, refused or failed; an unknown reason counts as such.

    None is a normal end: many models report no reason at all.
    """
    return finish_reason is None or finish_reason.strip().lower() in _NORMAL_ENDS
