"""On which device a model goes: its bytes against the memory that is free."""

from collections.abc import Mapping
from typing import Any

# Beside weights and the state of the longest conversation: the activations of a long prompt and the
# allocator's rounding.
_SHARE_BESIDE = 0.05
_BYTES_BESIDE = 256 << 20

CPU = "cpu"


def assign(needed_bytes: Mapping[str, int], free_bytes: Mapping[str, int]) -> dict[str, str]:
    """A device for each model: the largest model first, each to where most memory is left.

    Two models of a router then lie on two devices where there are two, so that neither waits for the other,
    and the large one is not kept off the only device it fits on.

    Args:
        needed_bytes: of each model, as `needed` counts them.
        free_bytes: of each device but the CPU, as `free` measures them.

    Returns:
        The name of a device for each model, "cpu" where no other has room.
    """
    left = dict(free_bytes)
    chosen = {}
    for name, needs in sorted(needed_bytes.items(), key=lambda item: -item[1]):
        chosen[name] = candidates(needs, left)[0]
        if chosen[name] in left:
            left[chosen[name]] -= needs
    return {name: chosen[name] for name in needed_bytes}


def candidates(needs_bytes: int, free_bytes: Mapping[str, int]) -> list[str]:
    """Devices with room for so many bytes, most room first; the CPU is always the last."""
    fitting = [device for device, free in free_bytes.items() if free >= needs_bytes]
    return [*sorted(fitting, key=lambda device: -free_bytes[device]), CPU]


def free(torch: Any) -> dict[str, int]:
    """Free bytes of each CUDA device; what torch keeps for this process without using it counts as free."""
    if not torch.cuda.is_available():
        return {}
    found = {}
    for index in range(torch.cuda.device_count()):
        kept = torch.cuda.memory_reserved(index) - torch.cuda.memory_allocated(index)
        found[f"cuda:{index}"] = torch.cuda.mem_get_info(index)[0] + max(kept, 0)
    return found


def needed(config: Any, parameters: int, bytes_each: int, context_tokens: int) -> int:
    """Bytes for the weights, for the state of `context_tokens` tokens, and for what is computed beside.

    Args:
        config: the model's, as transformers reads it.
        parameters: how many numbers the model has.
        bytes_each: of each of them, and of the state.
        context_tokens: of the longest conversation.
    """
    weights = parameters * bytes_each
    state = _state_numbers_per_token(config) * bytes_each * context_tokens
    return weights + state + int(weights * _SHARE_BESIDE) + _BYTES_BESIDE


def _state_numbers_per_token(config: Any) -> int:
    """Keys and values of every layer: too many where some layers keep no state per token, never too few."""
    text = config.get_text_config()
    heads = getattr(text, "num_attention_heads", 0) or 0
    shared = getattr(text, "num_key_value_heads", None) or heads
    width = getattr(text, "head_dim", None) or getattr(text, "hidden_size", 0) // max(heads, 1)
    return 2 * (getattr(text, "num_hidden_layers", 0) or 0) * shared * width
