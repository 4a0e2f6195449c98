"""What all models of a router can do: the profile that agents read, and how many tokens a text has."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage


class TokenCounts:
    """Counts tokens as the model does that counts most: what fits by this count fits every model.

    For a class with `models`. Each model counts in its own way, so none needs a tokenizer that it would not
    need alone.
    """

    def get_token_ids(self: Any, text: str) -> list[int]:
        """The tokens of a text, as the model sees it that needs most."""
        found: list[list[int]] = [model.get_token_ids(text) for model in self.models.values()]
        return max(found, key=len)

    def get_num_tokens(self: Any, text: str) -> int:
        """How many tokens a text has."""
        return max(int(model.get_num_tokens(text)) for model in self.models.values())

    def get_num_tokens_from_messages(
        self: Any, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """How many tokens messages have, with tools where they are given."""
        given = {} if tools is None else {"tools": tools}
        models = self.models.values()
        return max(int(model.get_num_tokens_from_messages(messages, **given)) for model in models)


def common_profile(profiles: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """A flag where all have it, the smallest of each limit; None where one has no profile."""
    known = [profile for profile in profiles if profile]
    if not known or len(known) < len(profiles):
        return None
    shared = set(known[0]).intersection(*known[1:])
    found: dict[str, Any] = {}
    for name in known[0]:
        if name not in shared:
            continue
        values = [profile[name] for profile in known]
        if all(isinstance(value, bool) for value in values):
            found[name] = all(values)
        elif all(isinstance(value, (int, float)) for value in values):
            found[name] = min(values)
        elif all(value == values[0] for value in values):
            found[name] = values[0]
    return found
